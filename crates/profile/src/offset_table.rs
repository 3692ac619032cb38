//! Finding an offset among many.

use std::ops::Range;

use crate::ImageOffset;

/// Leads close to each of many ascending offsets: most are found at the first look, where a binary search among a million
/// takes twenty.
#[derive(Clone, Debug, Default)]
pub struct OffsetTable {
    first: u64,
    shift: u32,
    /// For each stretch of `1 << shift` bytes the index of the first offset in it or after it; at last how many there are.
    starts: Vec<u32>,
}

impl OffsetTable {
    /// Of ascending offsets; `None` where they are more than 32 bits can count.
    pub fn new(
        offsets: impl DoubleEndedIterator<Item = ImageOffset> + ExactSizeIterator + Clone,
    ) -> Option<Self> {
        let length = u32::try_from(offsets.len()).ok()?;
        let first = offsets.clone().next().map_or(0, |offset| offset.0);
        let range = offsets.clone().next_back().map_or(0, |offset| offset.0 - first);
        // As many stretches as there are offsets, and at most twice as many.
        let shift = (u64::BITS - (range / u64::from(length.max(1))).leading_zeros()).saturating_sub(1);
        let mut starts = Vec::with_capacity((range >> shift) as usize + 2);
        for (offset, index) in offsets.zip(0..) {
            let stretch = ((offset.0 - first) >> shift) as usize;
            starts.resize(starts.len().max(stretch + 1), index);
        }
        starts.push(length);
        Some(OffsetTable { first, shift, starts })
    }

    /// The indices among which that of `offset` is, should it be one of the offsets.
    #[inline]
    pub fn near(&self, offset: ImageOffset) -> Option<Range<usize>> {
        let stretch = usize::try_from(offset.0.checked_sub(self.first)? >> self.shift).ok()?;
        let (from, to) = (*self.starts.get(stretch)?, *self.starts.get(stretch.checked_add(1)?)?);
        Some(from as usize..to as usize)
    }
}
