//! Images: what code was mapped from.

use std::borrow::Cow;
use std::fmt;

use crate::MemoryRegion;

/// Index of an image in the profile's list of images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageId(pub u32);

/// A GNU build id (the descriptor of an NT_GNU_BUILD_ID note), at most 20 bytes as the kernel reports it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId {
    length: u8,
    bytes: [u8; 20],
}

impl BuildId {
    /// The build id of these bytes; `None` where there are none or more than 20.
    pub fn new(bytes: &[u8]) -> Option<BuildId> {
        if bytes.is_empty() || bytes.len() > 20 {
            return None;
        }
        let mut id = BuildId { length: bytes.len() as u8, bytes: [0; 20] };
        id.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(id)
    }

    /// The bytes of the build id.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

/// The file that the kernel mapped, as PERF_RECORD_MMAP2 names it (perf_event_open(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inode {
    /// Major and minor number of the device, `major << 32 | minor`.
    pub device: u64,
    /// The inode's number on that device.
    pub number: u64,
    /// The inode's generation; 0 where the file system has none.
    pub generation: u64,
}

/// What tells an image from another of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageIdentity {
    /// Nothing is known: memory without a file, the kernel.
    #[default]
    None,
    /// The build id of the mapped bytes.
    BuildId(BuildId),
    /// The mapped file.
    Inode(Inode),
    /// When the file had last been changed, in seconds since the epoch, as a session of OProfile's tells.
    Modified(u64),
    /// The memory that it is, of one process.
    Region(MemoryRegion),
}

/// What kind of thing an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageKind {
    /// A file: program, shared library.
    File,
    /// The kernel's own code.
    Kernel,
    /// A kernel module.
    KernelModule,
    /// The page of code that the kernel maps into every process.
    Vdso,
    /// Executable memory without a file, of which nobody told what it holds.
    Anonymous,
    /// Code that JIT compilers made and told the names of.
    Jit,
    /// Samples whose address no known mapping holds.
    Unknown,
    /// Samples taken while a virtual machine ran.
    Guest,
}

/// Something that holds code: a file, the kernel, a module, the vdso, anonymous memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    /// The path for a file; for the rest a name in brackets (`[kernel]`, `[vdso]`, `[anon]`, `[unknown]`).
    /// Untrusted: it may hold any bytes but NUL, shown as the nearest UTF-8.
    pub name: String,
    /// What kind of thing it is.
    pub kind: ImageKind,
    /// What tells it from another of the same name.
    pub identity: ImageIdentity,
}

impl Image {
    /// The image of all the code that JIT compilers told the names of, in whatever process.
    pub fn jit() -> Image {
        Image { name: "[jit]".to_owned(), kind: ImageKind::Jit, identity: ImageIdentity::None }
    }

    /// A compiler may have put its code there: [`ImageKind::may_hold_jit_code`].
    pub fn may_hold_jit_code(&self) -> bool {
        self.kind.may_hold_jit_code(&self.name)
    }

    /// The name that OProfile shows and matches: of memory with the process and the place, of a part of the kernel as a
    /// path (`/no-vmlinux`).
    pub fn oprofile_name(&self) -> Cow<'_, str> {
        match (self.kind, self.identity) {
            (_, ImageIdentity::Region(region)) => Cow::Owned(region.named(&self.name)),
            (ImageKind::Kernel | ImageKind::KernelModule, _) if !self.name.starts_with(['/', '[']) => {
                Cow::Owned(format!("/{}", self.name))
            }
            _ => Cow::Borrowed(&self.name),
        }
    }

    /// The last part of a file's path; the whole name for what has none.
    pub fn short_name(&self) -> &str {
        if self.kind != ImageKind::File && !self.name.starts_with('/') {
            return &self.name;
        }
        self.name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&self.name)
    }
}

impl ImageKind {
    /// A compiler may have put its code into what is of this kind and name: memory without a file, or with one that
    /// exists in memory alone (memfd_create(2)).
    pub fn may_hold_jit_code(self, name: &str) -> bool {
        self == ImageKind::Anonymous || self == ImageKind::File && name.starts_with("/memfd:")
    }

    /// The kind of what the kernel mapped under this name (PERF_RECORD_MMAP2): a path starts with one slash,
    /// memory without a file is `//anon` or a name in brackets. What the kernel makes a file of by itself has a
    /// name of its own: shared anonymous memory (shmem_zero_setup in mm/shmem.c), huge pages (hugetlb_file_setup in
    /// fs/hugetlbfs/inode.c), System V segments (newseg in ipc/shm.c).
    pub fn of_mapping(name: &str) -> ImageKind {
        match name {
            "[vdso]" => ImageKind::Vdso,
            "/dev/zero" | "/dev/zero (deleted)" | "/anon_hugepage" | "/anon_hugepage (deleted)" => {
                ImageKind::Anonymous
            }
            _ if name.starts_with("/SYSV") && name.ends_with(" (deleted)") => ImageKind::Anonymous,
            _ if name.starts_with('/') && !name.starts_with("//") => ImageKind::File,
            _ => ImageKind::Anonymous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_the_kernel_makes_by_itself_are_memory() {
        for name in
            ["//anon", "[heap]", "/dev/zero (deleted)", "/anon_hugepage (deleted)", "/SYSV00000000 (deleted)"]
        {
            assert_eq!(ImageKind::of_mapping(name), ImageKind::Anonymous, "{name}");
        }
        for name in ["/bin/true", "/memfd:program (deleted)", "/SYSVINIT", "/dev/zero-copy"] {
            assert_eq!(ImageKind::of_mapping(name), ImageKind::File, "{name}");
        }
        assert_eq!(ImageKind::of_mapping("[vdso]"), ImageKind::Vdso);
    }
}
