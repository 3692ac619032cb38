//! Finding an offset of an image among many.

use oprof_profile::{ImageOffset, SymbolId, Unresolved};

/// With no more than this many offsets a table would not be faster.
const FEW: usize = 32;

/// The sampled offsets of an image, with a table that leads close to each: most are found at the first look, where a
/// binary search among a million takes twenty.
pub(super) struct Offsets<'r> {
    offsets: &'r [(ImageOffset, Result<SymbolId, Unresolved>)],
    first: u64,
    shift: u32,
    /// For each stretch of `1 << shift` bytes the index of the first offset in it or after it; empty for few offsets.
    starts: Vec<u32>,
}

impl<'r> Offsets<'r> {
    /// Of offsets in ascending order.
    pub(super) fn new(offsets: &'r [(ImageOffset, Result<SymbolId, Unresolved>)]) -> Offsets<'r> {
        let first = offsets.first().map_or(0, |(offset, _)| offset.0);
        let range = offsets.last().map_or(0, |(offset, _)| offset.0 - first);
        if offsets.len() <= FEW || u32::try_from(offsets.len()).is_err() {
            return Offsets { offsets, first, shift: 0, starts: Vec::new() };
        }
        // As many stretches as there are offsets, and at most twice as many.
        let shift = (u64::BITS - (range / offsets.len() as u64).leading_zeros()).saturating_sub(1);
        let mut starts = Vec::with_capacity((range >> shift) as usize + 2);
        for ((offset, _), index) in offsets.iter().zip(0..) {
            let stretch = ((offset.0 - first) >> shift) as usize;
            starts.resize(starts.len().max(stretch + 1), index);
        }
        starts.push(offsets.len() as u32);
        Offsets { offsets, first, shift, starts }
    }

    /// The index of an offset; `None` where it is not among them.
    pub(super) fn index(&self, offset: ImageOffset) -> Option<usize> {
        let find = |range: &[(ImageOffset, _)]| range.binary_search_by_key(&offset, |entry| entry.0).ok();
        if self.starts.is_empty() {
            return find(self.offsets);
        }
        let stretch = usize::try_from(offset.0.checked_sub(self.first)? >> self.shift).ok()?;
        let (from, to) = (*self.starts.get(stretch)? as usize, *self.starts.get(stretch + 1)? as usize);
        Some(from + find(&self.offsets[from..to])?)
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
            let found = Offsets::new(&offsets);
            for (index, (offset, _)) in offsets.iter().enumerate() {
                assert_eq!(found.index(*offset), Some(index), "{number} {spread}");
                let next = ImageOffset(offset.0 + 1);
                let expected = offsets.get(index + 1).filter(|entry| entry.0 == next).map(|_| index + 1);
                assert_eq!(found.index(next), expected, "{number} {spread}");
            }
            for other in [0, u64::MAX] {
                assert_eq!(found.index(ImageOffset(other)), None);
            }
        }
    }
}
