//! Memory of a process, which tells memory without a file from other such.

/// A stretch of a process's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoryRegion {
    /// The process.
    pub pid: u32,
    /// Its first address.
    pub start: u64,
    /// Its last address.
    pub last: u64,
}

impl MemoryRegion {
    /// What OProfile calls memory of this name there: `anon (tgid:7 range:0x1000-0x1fff)`.
    pub fn named(&self, name: &str) -> String {
        format!("{name} (tgid:{} range:{:#x}-{:#x})", self.pid, self.start, self.last)
    }
}
