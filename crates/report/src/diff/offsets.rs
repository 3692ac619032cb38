//! Finding an offset of an image among many.

use oprof_profile::{ImageOffset, OffsetTable, SymbolId, Unresolved};

/// With no more than this many offsets a table would not be faster.
const FEW: usize = 32;

/// So far ahead of the last one an offset is looked for.
const NEAR: usize = 4;

/// The sampled offsets of an image, with a table that leads close to each.
pub(super) struct Offsets<'r> {
    offsets: &'r [(ImageOffset, Result<SymbolId, Unresolved>)],
    /// Behind the one that was found last: samples that ascend are found there.
    next: usize,
    /// Made when it is first of use.
    table: Option<OffsetTable>,
}

impl<'r> Offsets<'r> {
    /// Of offsets in ascending order.
    pub(super) fn new(offsets: &'r [(ImageOffset, Result<SymbolId, Unresolved>)]) -> Offsets<'r> {
        Offsets { offsets, next: 0, table: None }
    }

    /// The index of an offset; `None` where it is not among them.
    pub(super) fn index(&mut self, offset: ImageOffset) -> Option<usize> {
        let ahead = self.offsets.get(self.next..)?;
        let found = match ahead.iter().take(NEAR).position(|entry| entry.0 >= offset) {
            Some(distance) if ahead[distance].0 == offset => self.next + distance,
            _ => self.find(offset)?,
        };
        // The same offset may come again.
        self.next = found;
        Some(found)
    }

    fn find(&mut self, offset: ImageOffset) -> Option<usize> {
        let find = |range: &[(ImageOffset, _)]| range.binary_search_by_key(&offset, |entry| entry.0).ok();
        if self.offsets.len() <= FEW {
            return find(self.offsets);
        }
        if self.table.is_none() {
            self.table = OffsetTable::new(self.offsets.iter().map(|entry| entry.0));
        }
        let Some(table) = &self.table else { return find(self.offsets) };
        let near = table.near(offset)?;
        Some(near.start + find(&self.offsets[near])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_offset_is_found_and_no_other() {
        let mut state = 7_u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 20
        };
        for (number, spread) in [(0, 1), (1, 1), (32, 9), (33, 1), (1000, 1), (1000, 64), (5000, 1 << 30)] {
            let mut offset = random();
            let mut offsets = Vec::new();
            for index in 0..number {
                offsets.push((ImageOffset(offset), Ok(SymbolId(index))));
                offset += 1 + random() % spread + if index % 500 == 0 { 1 << 40 } else { 0 };
            }
            let mut found = Offsets::new(&offsets);
            for (index, (offset, _)) in offsets.iter().enumerate() {
                assert_eq!(found.index(*offset), Some(index), "{number} {spread}");
                let next = ImageOffset(offset.0 + 1);
                let expected = offsets.get(index + 1).filter(|entry| entry.0 == next).map(|_| index + 1);
                assert_eq!(found.index(next), expected, "{number} {spread}");
            }
            for (index, (offset, _)) in offsets.iter().enumerate().rev() {
                assert_eq!(found.index(*offset), Some(index), "{number} {spread}");
            }
            for other in [0, u64::MAX] {
                assert_eq!(found.index(ImageOffset(other)), None);
            }
        }
    }
}
