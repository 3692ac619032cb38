//! Turns `.gnu_debugdata` into the small ELF image in it.
//!
//! Fedora and its relatives leave a symbol table of the functions that `.dynsym` does not have in stripped images,
//! compressed with xz (the GDB manual, "MiniDebugInfo").

use lzma_rust2::XzReader;
use object::read::ReadRef;

use crate::elf::{Class, Elf};
use crate::section::{SectionBytes, read_to};

/// The memory that decompressing may take beside its result, in KiB. The dictionary of `xz -9` takes 64 MiB.
const MOST_MEMORY: u32 = 80 << 10;

/// The largest image that is unpacked, in bytes. A symbol and its name take about 60: a million functions.
const LARGEST: u64 = 64 << 20;

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The image that holds the small symbol table; `None` where there is none or it is damaged.
    pub(crate) fn mini_debug_info(&self) -> Option<SectionBytes<'data>> {
        let packed = self.section_bytes(".gnu_debugdata")?;
        let most = LARGEST.min(self.budget.bytes_left().saturating_sub(u64::from(MOST_MEMORY) << 10));
        let mut lease = self.budget.lease((u64::from(MOST_MEMORY) << 10) + most)?;
        // What is longer than it may be is cut off, which shows when it is read as an image.
        let image = unpack(&packed, most)?;
        lease.shrink_to(image.len() as u64);
        Some(SectionBytes::Unfolded(image, lease))
    }
}

/// The first `most` bytes that `packed` unpacks to; `None` where it is damaged or needs more memory than is credible.
pub(crate) fn unpack(packed: &[u8], most: u64) -> Option<Vec<u8>> {
    read_to(XzReader::new_mem_limit(packed, true, MOST_MEMORY), most)
}
