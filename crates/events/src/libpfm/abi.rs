//! libpfm4's structures and numbers, as `<perfmon/pfmlib.h>` and `<perfmon/pfmlib_perf_event.h>` lay them out (libpfm
//! 4.13, ABI 0). Later versions only append: each structure carries its size, and libpfm4 writes no further.

#![allow(non_camel_case_types, reason = "the structures keep their names")]
#![allow(dead_code, reason = "fields that nobody reads hold the place of those behind them")]

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::mem::{offset_of, size_of};
use std::ptr::null;

/// The name of the shared library: interface 4.
pub(super) const SONAME: &str = "libpfm.so.4";
/// The major number that `pfm_get_version` has to give.
pub(super) const MAJOR: u32 = 4;

/// `PFM_PLM0 | PFM_PLM3`: the kernel and user space.
pub(super) const KERNEL_AND_USER: c_int = 0x01 | 0x08;
/// `PFM_OS_NONE`: what the hardware has, without what the operating system adds.
pub(super) const OS_NONE: c_uint = 0;
/// `PFM_OS_PERF_EVENT`: encodes for perf_event_open(2).
pub(super) const OS_PERF_EVENT: c_uint = 1;
/// `PFM_ATTR_UMASK`: the attribute is a unit mask.
pub(super) const ATTR_UMASK: c_uint = 1;

/// `PFM_SUCCESS`.
pub(super) const SUCCESS: c_int = 0;
/// `PFM_ERR_INVAL`: of a number of a PMU, that it is past the last.
pub(super) const ERR_INVAL: c_int = -2;
/// `PFM_ERR_NOTFOUND`.
pub(super) const ERR_NOTFOUND: c_int = -4;

/// `pfm_initialize` and `pfm_get_version`.
pub(super) type pfm_number = unsafe extern "C" fn() -> c_int;
/// `pfm_strerror`.
pub(super) type pfm_strerror = unsafe extern "C" fn(c_int) -> *const c_char;
/// `pfm_get_pmu_info`.
pub(super) type pfm_get_pmu_info = unsafe extern "C" fn(c_uint, *mut pfm_pmu_info_t) -> c_int;
/// `pfm_get_event_next`.
pub(super) type pfm_get_event_next = unsafe extern "C" fn(c_int) -> c_int;
/// `pfm_find_event`.
pub(super) type pfm_find_event = unsafe extern "C" fn(*const c_char) -> c_int;
/// `pfm_get_event_info`.
pub(super) type pfm_get_event_info = unsafe extern "C" fn(c_int, c_uint, *mut pfm_event_info_t) -> c_int;
/// `pfm_get_event_attr_info`.
pub(super) type pfm_get_event_attr_info =
    unsafe extern "C" fn(c_int, c_int, c_uint, *mut pfm_event_attr_info_t) -> c_int;
/// `pfm_get_os_event_encoding`.
pub(super) type pfm_get_os_event_encoding =
    unsafe extern "C" fn(*const c_char, c_int, c_uint, *mut c_void) -> c_int;

/// What is known of a PMU.
#[repr(C)]
pub(super) struct pfm_pmu_info_t {
    pub(super) name: *const c_char,
    pub(super) desc: *const c_char,
    pub(super) size: usize,
    pub(super) pmu: c_uint,
    pub(super) kind: c_uint,
    pub(super) nevents: c_int,
    pub(super) first_event: c_int,
    pub(super) max_encoding: c_int,
    pub(super) num_cntrs: c_int,
    pub(super) num_fixed_cntrs: c_int,
    /// Bit 0 `is_present`, bit 1 `is_dfl`.
    pub(super) flags: u32,
}

impl pfm_pmu_info_t {
    /// All zero but for the size.
    pub(super) const EMPTY: Self = Self {
        name: null(),
        desc: null(),
        size: size_of::<Self>(),
        pmu: 0,
        kind: 0,
        nevents: 0,
        first_event: 0,
        max_encoding: 0,
        num_cntrs: 0,
        num_fixed_cntrs: 0,
        flags: 0,
    };
}

/// What is known of an event.
#[repr(C)]
pub(super) struct pfm_event_info_t {
    pub(super) name: *const c_char,
    pub(super) desc: *const c_char,
    pub(super) equiv: *const c_char,
    pub(super) size: usize,
    pub(super) code: u64,
    pub(super) pmu: c_uint,
    pub(super) dtype: c_uint,
    pub(super) idx: c_int,
    pub(super) nattrs: c_int,
    pub(super) reserved: c_int,
    pub(super) flags: u32,
}

impl pfm_event_info_t {
    /// All zero but for the size.
    pub(super) const EMPTY: Self = Self {
        name: null(),
        desc: null(),
        equiv: null(),
        size: size_of::<Self>(),
        code: 0,
        pmu: 0,
        dtype: 0,
        idx: 0,
        nattrs: 0,
        reserved: 0,
        flags: 0,
    };
}

/// What is known of an attribute of an event: a unit mask or a modifier.
#[repr(C)]
pub(super) struct pfm_event_attr_info_t {
    pub(super) name: *const c_char,
    pub(super) desc: *const c_char,
    pub(super) equiv: *const c_char,
    pub(super) size: usize,
    pub(super) code: u64,
    pub(super) kind: c_uint,
    pub(super) idx: c_int,
    pub(super) ctrl: c_uint,
    /// Bit 0 `is_dfl`.
    pub(super) flags: u32,
    /// A union of a number and a pointer to a string, which is no wider.
    pub(super) default: u64,
}

impl pfm_event_attr_info_t {
    /// All zero but for the size.
    pub(super) const EMPTY: Self = Self {
        name: null(),
        desc: null(),
        equiv: null(),
        size: size_of::<Self>(),
        code: 0,
        kind: 0,
        idx: 0,
        ctrl: 0,
        flags: 0,
        default: 0,
    };
}

/// The argument of `pfm_get_os_event_encoding` for `PFM_OS_PERF_EVENT`.
#[repr(C)]
pub(super) struct pfm_perf_encode_arg_t {
    pub(super) attr: *mut perf_event_attr,
    pub(super) fstr: *mut *mut c_char,
    pub(super) size: usize,
    pub(super) idx: c_int,
    pub(super) cpu: c_int,
    pub(super) flags: c_int,
    pub(super) pad0: c_int,
}

/// The fields of the kernel's `perf_event_attr` (`include/uapi/linux/perf_event.h`) that libpfm4 may set, and room: the
/// size that the installed libpfm4 was built with does not show, and the kernel appends fields from time to time (136
/// bytes in Linux 6.3).
#[repr(C)]
pub(super) struct perf_event_attr {
    pub(super) kind: u32,
    pub(super) size: u32,
    pub(super) config: u64,
    pub(super) sample_period: u64,
    pub(super) sample_type: u64,
    pub(super) read_format: u64,
    /// Bit 4 `exclude_user`, 5 `exclude_kernel`, 6 `exclude_hv`, 15 and 16 `precise_ip`, 19 `exclude_host`, 20
    /// `exclude_guest`.
    pub(super) flags: u64,
    pub(super) wakeup_events: u32,
    pub(super) bp_type: u32,
    pub(super) config1: u64,
    pub(super) config2: u64,
    pub(super) room: [u64; 23],
}

impl perf_event_attr {
    /// All zero.
    pub(super) const EMPTY: Self = Self {
        kind: 0,
        size: 0,
        config: 0,
        sample_period: 0,
        sample_type: 0,
        read_format: 0,
        flags: 0,
        wakeup_events: 0,
        bp_type: 0,
        config1: 0,
        config2: 0,
        room: [0; 23],
    };
}

/// `PFM_PMU_INFO_ABI0`, `PFM_EVENT_INFO_ABI0`, `PFM_ATTR_INFO_ABI0` and `PFM_PERF_ENCODE_ABI0`.
const ABI0: [usize; 4] = if cfg!(target_pointer_width = "64") { [56, 64, 64, 40] } else { [44, 48, 48, 28] };
const _: () = assert!(size_of::<pfm_pmu_info_t>() == ABI0[0]);
const _: () = assert!(size_of::<pfm_event_info_t>() == ABI0[1]);
const _: () = assert!(size_of::<pfm_event_attr_info_t>() == ABI0[2]);
const _: () = assert!(size_of::<pfm_perf_encode_arg_t>() == ABI0[3]);

// The offsets that a C compiler gives for the headers on x86-64.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(offset_of!(pfm_pmu_info_t, first_event) == 36 && offset_of!(pfm_pmu_info_t, flags) == 52);
    assert!(offset_of!(pfm_event_info_t, code) == 32 && offset_of!(pfm_event_info_t, nattrs) == 52);
    assert!(offset_of!(pfm_event_attr_info_t, kind) == 40 && offset_of!(pfm_event_attr_info_t, flags) == 52);
    assert!(offset_of!(pfm_perf_encode_arg_t, fstr) == 8 && offset_of!(pfm_perf_encode_arg_t, idx) == 24);
};

// The kernel's are the same on every architecture.
const _: () = {
    assert!(offset_of!(perf_event_attr, kind) == 0 && offset_of!(perf_event_attr, config) == 8);
    assert!(offset_of!(perf_event_attr, flags) == 40);
    assert!(offset_of!(perf_event_attr, config1) == 56 && offset_of!(perf_event_attr, config2) == 64);
    assert!(size_of::<perf_event_attr>() == 256);
};
