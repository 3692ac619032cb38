//! The commands of bpf(2) that tell of loaded programs.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `enum bpf_cmd` of include/uapi/linux/bpf.h.
const BPF_PROG_GET_NEXT_ID: libc::c_int = 11;
const BPF_PROG_GET_FD_BY_ID: libc::c_int = 13;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_int = 15;
const BPF_BTF_GET_FD_BY_ID: libc::c_int = 19;

/// The largest description of types that the kernel takes in (`BTF_MAX_SIZE`), in bytes.
const LARGEST_BTF: u32 = 16 << 20;

/// The variant of `union bpf_attr` for `BPF_*_GET_*_ID`.
#[repr(C)]
#[derive(Default)]
struct IdAttr {
    start_or_object_id: u32,
    next_id: u32,
    open_flags: u32,
}

/// The variant of `union bpf_attr` for `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
struct InfoAttr {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `struct bpf_prog_info` as far as it is needed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct bpf_prog_info {
    pub(super) type_: u32,
    pub(super) id: u32,
    pub(super) tag: [u8; 8],
    pub(super) jited_prog_len: u32,
    pub(super) xlated_prog_len: u32,
    pub(super) jited_prog_insns: u64,
    pub(super) xlated_prog_insns: u64,
    pub(super) load_time: u64,
    pub(super) created_by_uid: u32,
    pub(super) nr_map_ids: u32,
    pub(super) map_ids: u64,
    pub(super) name: [u8; 16],
    pub(super) ifindex: u32,
    pub(super) gpl_compatible: u32,
    pub(super) netns_dev: u64,
    pub(super) netns_ino: u64,
    pub(super) nr_jited_ksyms: u32,
    pub(super) nr_jited_func_lens: u32,
    pub(super) jited_ksyms: u64,
    pub(super) jited_func_lens: u64,
    pub(super) btf_id: u32,
    pub(super) func_info_rec_size: u32,
    pub(super) func_info: u64,
    pub(super) nr_func_info: u32,
    pub(super) nr_line_info: u32,
    pub(super) line_info: u64,
    pub(super) jited_line_info: u64,
    pub(super) nr_jited_line_info: u32,
    pub(super) line_info_rec_size: u32,
    pub(super) jited_line_info_rec_size: u32,
    pub(super) nr_prog_tags: u32,
    pub(super) prog_tags: u64,
}

// Up to and with prog_tags (Linux 5.1).
const _: () = assert!(size_of::<bpf_prog_info>() == 192);

/// `struct bpf_btf_info` as far as it is needed.
#[repr(C)]
#[derive(Default)]
struct bpf_btf_info {
    btf: u64,
    btf_size: u32,
    id: u32,
}

const _: () = assert!(size_of::<bpf_btf_info>() == 16);

/// Room for what the kernel tells of the functions of a program.
#[derive(Debug, Default)]
pub(super) struct FunctionArrays {
    pub(super) addresses: Vec<u64>,
    pub(super) lengths: Vec<u32>,
    pub(super) tags: Vec<[u8; 8]>,
    /// `struct bpf_func_info` for each, `func_info_rec_size` bytes apart.
    pub(super) infos: Vec<u8>,
}

/// The id of the first program behind `id`.
pub(super) fn next_program(id: u32) -> io::Result<u32> {
    let mut attr = IdAttr { start_or_object_id: id, ..IdAttr::default() };
    // SAFETY: BPF_PROG_GET_NEXT_ID takes this variant and writes `next_id` alone.
    unsafe { bpf(BPF_PROG_GET_NEXT_ID, &mut attr) }?;
    Ok(attr.next_id)
}

/// The program of an id; keeps it loaded.
pub(super) fn program(id: u32) -> io::Result<OwnedFd> {
    object(BPF_PROG_GET_FD_BY_ID, id)
}

fn object(command: libc::c_int, id: u32) -> io::Result<OwnedFd> {
    let mut attr = IdAttr { start_or_object_id: id, ..IdAttr::default() };
    // SAFETY: both BPF_*_GET_FD_BY_ID take this variant and write nothing.
    let fd = unsafe { bpf(command, &mut attr) }?;
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// What the kernel tells of a program, without its functions.
pub(super) fn program_info(program: &OwnedFd) -> io::Result<bpf_prog_info> {
    let mut info = bpf_prog_info::default();
    // SAFETY: the structure is one of plain numbers, its addresses are 0 and the counts of their arrays too, so that
    // the kernel writes into nothing else.
    unsafe { get_info(program, &mut info) }?;
    Ok(info)
}

/// The functions of a program, as many as `info` (of an earlier call) counts.
pub(super) fn functions(program: &OwnedFd, info: &bpf_prog_info) -> io::Result<FunctionArrays> {
    /// More functions than this no program has (`BPF_MAX_SUBPROGS` is 256 so far).
    const MOST: u32 = 1 << 16;
    let room = |count: u32| count.min(MOST) as usize;
    let record = info.func_info_rec_size.min(256);
    let mut arrays = FunctionArrays {
        addresses: vec![0; room(info.nr_jited_ksyms)],
        lengths: vec![0; room(info.nr_jited_func_lens)],
        tags: vec![[0; 8]; room(info.nr_prog_tags)],
        infos: vec![0; room(info.nr_func_info) * record as usize],
    };
    let mut asked = bpf_prog_info {
        nr_jited_ksyms: arrays.addresses.len() as u32,
        jited_ksyms: arrays.addresses.as_mut_ptr() as u64,
        nr_jited_func_lens: arrays.lengths.len() as u32,
        jited_func_lens: arrays.lengths.as_mut_ptr() as u64,
        nr_prog_tags: arrays.tags.len() as u32,
        prog_tags: arrays.tags.as_mut_ptr() as u64,
        nr_func_info: room(info.nr_func_info) as u32,
        func_info_rec_size: record,
        func_info: arrays.infos.as_mut_ptr() as u64,
        ..bpf_prog_info::default()
    };
    // SAFETY: each address is that of a vector of as many elements as the count beside it says, of the size that the
    // kernel gives them (for `func_info` the one that is stated); it writes no more than so many. The vectors live
    // until the call is over.
    unsafe { get_info(program, &mut asked) }?;
    arrays.addresses.truncate(asked.nr_jited_ksyms as usize);
    arrays.lengths.truncate(asked.nr_jited_func_lens as usize);
    arrays.tags.truncate(asked.nr_prog_tags as usize);
    arrays.infos.truncate(asked.nr_func_info as usize * record as usize);
    Ok(arrays)
}

/// The description of types of an id (BTF).
pub(super) fn btf(id: u32) -> io::Result<Vec<u8>> {
    let btf = object(BPF_BTF_GET_FD_BY_ID, id)?;
    let mut info = bpf_btf_info::default();
    // SAFETY: the structure is one of plain numbers, and its buffer has no room.
    unsafe { get_info(&btf, &mut info) }?;
    let mut bytes = vec![0_u8; info.btf_size.min(LARGEST_BTF) as usize];
    let mut info = bpf_btf_info { btf: bytes.as_mut_ptr() as u64, btf_size: bytes.len() as u32, id: 0 };
    // SAFETY: the kernel writes no more than `btf_size` bytes, which is how long the vector is.
    unsafe { get_info(&btf, &mut info) }?;
    bytes.truncate(info.btf_size as usize);
    Ok(bytes)
}

/// Fills an information structure.
///
/// # Safety
/// `info` must be the structure that belongs to this kind of object, or the beginning of it, and the addresses in it
/// must be those of buffers of the sizes stated beside them.
unsafe fn get_info<T>(object: &OwnedFd, info: &mut T) -> io::Result<()> {
    let mut attr = InfoAttr {
        bpf_fd: object.as_raw_fd() as u32,
        info_len: size_of::<T>() as u32,
        info: std::ptr::from_mut(info) as u64,
    };
    // SAFETY: BPF_OBJ_GET_INFO_BY_FD takes this variant; it writes at most `info_len` bytes at `info`, and into the
    // buffers of which the caller vouches.
    unsafe { bpf(BPF_OBJ_GET_INFO_BY_FD, &mut attr) }.map(drop)
}

/// bpf(2).
///
/// # Safety
/// `attr` must be the variant of `union bpf_attr` that the command takes, and hold no wrong addresses.
unsafe fn bpf<T>(command: libc::c_int, attr: &mut T) -> io::Result<libc::c_int> {
    // SAFETY: the kernel reads and writes at most the stated size at the address of `attr`; the rest is the caller's.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<T>() as libc::c_uint)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as libc::c_int) }
}
