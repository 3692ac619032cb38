//! A section of debugging information, of which only what is needed is in memory.

use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use gimli::RunTimeEndian;

use super::work::Work;
use crate::budget::{Budget, Lease};
use crate::section::{SectionBytes, SectionPlace};

/// The least that is read of a section at a time, in bytes, and the most parts that a section is divided into.
const SMALLEST_BLOCK: usize = 4 << 10;
const MOST_BLOCKS: usize = 16 << 10;

/// What a read takes, in steps of reading what is in memory.
const STEPS_OF_A_READ: u64 = 256;

/// The largest section of which anything is read, in bytes. Blocks of a larger one would be too large.
const LARGEST: u64 = 16 << 30;

/// Where the bytes of a section are.
pub(super) enum Section<'data> {
    /// All in memory, because they are there anyway or had to be decompressed.
    Held(SectionBytes<'data>, RunTimeEndian),
    /// In a file, from which they are read in blocks as they are asked for.
    Blocks(Blocks<'data>, RunTimeEndian),
    /// A part of a section in memory, which is all that is read of it.
    Part { start: usize, bytes: &'data [u8], size: usize, endian: RunTimeEndian },
}

impl<'data> Section<'data> {
    /// A section of a file.
    pub(super) fn in_file(
        place: SectionPlace<'data>,
        endian: RunTimeEndian,
        budget: &'data Budget,
    ) -> Option<Section<'data>> {
        Some(Section::Blocks(Blocks::new(place, budget)?, endian))
    }

    /// The section that has no bytes.
    pub(super) const fn empty(endian: RunTimeEndian) -> Section<'data> {
        Section::Held(SectionBytes::Read(&[]), endian)
    }

    #[inline]
    pub(super) fn endian(&self) -> RunTimeEndian {
        match self {
            Section::Held(_, endian) | Section::Blocks(_, endian) | Section::Part { endian, .. } => *endian,
        }
    }

    /// The size of the whole section, in bytes.
    pub(super) fn size(&self) -> usize {
        match self {
            Section::Held(bytes, _) => bytes.len(),
            Section::Blocks(blocks, _) => blocks.size,
            Section::Part { size, .. } => *size,
        }
    }

    /// Bytes of the section from `place` on, as many as are at hand together; `None` where there are none, or they
    /// cannot be read.
    pub(super) fn bytes_at(&self, place: usize) -> Option<&[u8]> {
        let bytes = match self {
            Section::Held(bytes, _) => bytes.get(place..),
            Section::Blocks(blocks, _) => blocks.bytes_at(place),
            Section::Part { start, bytes, .. } => bytes.get(place.checked_sub(*start)?..),
        };
        bytes.filter(|bytes| !bytes.is_empty())
    }

    /// Reads `size` bytes from `place` on, or those to the section's end, into memory that only they have; `None` where
    /// they are at hand already, or cannot be read.
    pub(super) fn read(&self, place: usize, size: usize, work: &Work<'_>) -> Option<Block<'data>> {
        let Section::Blocks(blocks, _) = self else { return None };
        work.spend(STEPS_OF_A_READ).ok()?;
        let size = size.min(blocks.size.checked_sub(place)?);
        let lease = blocks.budget.lease(size as u64)?;
        Some((blocks.read_at(place, size)?, lease))
    }

    /// The same section, of which only `bytes` are there, from `start` on.
    pub(super) fn part<'part>(&self, start: usize, bytes: &'part [u8]) -> Section<'part> {
        Section::Part { start, bytes, size: self.size(), endian: self.endian() }
    }
}

/// The blocks of a section, all of one size but the last. What was read stays for the next who asks, on any thread.
pub(super) struct Blocks<'data> {
    place: SectionPlace<'data>,
    budget: &'data Budget,
    size: usize,
    block: usize,
    read: Vec<OnceLock<Option<Box<[u8]>>>>,
    /// What the blocks take in memory, in bytes.
    held: AtomicU64,
}

/// Bytes that were read.
pub(super) type Block<'data> = (Vec<u8>, Lease<'data>);

impl<'data> Blocks<'data> {
    fn new(place: SectionPlace<'data>, budget: &'data Budget) -> Option<Blocks<'data>> {
        if place.size > LARGEST {
            return None;
        }
        let size = usize::try_from(place.size).ok()?;
        let block = size.div_ceil(MOST_BLOCKS).next_power_of_two().max(SMALLEST_BLOCK);
        let count = size.div_ceil(block);
        let table = (count * size_of::<OnceLock<Option<Box<[u8]>>>>()) as u64;
        budget.take(table)?;
        let read = (0..count).map(|_| OnceLock::new()).collect();
        Some(Blocks { place, budget, size, block, read, held: AtomicU64::new(table) })
    }

    fn bytes_at(&self, place: usize) -> Option<&[u8]> {
        let start = place / self.block * self.block;
        let read = || {
            let size = self.block.min(self.size - start);
            self.budget.take(size as u64)?;
            self.held.fetch_add(size as u64, Ordering::Relaxed);
            self.read_at(start, size).map(Vec::into_boxed_slice)
        };
        self.read.get(place / self.block)?.get_or_init(read).as_ref()?.get(place - start..)
    }

    fn read_at(&self, place: usize, size: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; size];
        self.place.file.read_exact_at(&mut bytes, self.place.offset + place as u64).ok()?;
        Some(bytes)
    }
}

impl Drop for Blocks<'_> {
    fn drop(&mut self) {
        self.budget.give_back(*self.held.get_mut());
    }
}
