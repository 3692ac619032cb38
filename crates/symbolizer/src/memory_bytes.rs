//! Bytes of an image in memory, such as one that was decompressed, under the limits of a file's.

use std::fs::File;
use std::ops::Range;

use object::read::ReadRef;

use crate::budget::Budget;
use crate::file_bytes::LONGEST_STRING;
use crate::image_data::ImageData;

/// An image in memory.
pub(crate) struct MemoryBytes<'bytes> {
    bytes: &'bytes [u8],
    budget: &'bytes Budget,
}

impl<'bytes> MemoryBytes<'bytes> {
    pub(crate) fn new(bytes: &'bytes [u8], budget: &'bytes Budget) -> MemoryBytes<'bytes> {
        MemoryBytes { bytes, budget }
    }
}

impl<'a> ReadRef<'a> for &'a MemoryBytes<'_> {
    fn len(self) -> Result<u64, ()> {
        Ok(self.bytes.len() as u64)
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.bytes.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.budget.search(1).ok_or(())?;
        let end = range.end.min(self.bytes.len() as u64).min(range.start.saturating_add(LONGEST_STRING));
        let left = end.checked_sub(range.start).ok_or(())?;
        let found = self.bytes.read_bytes_at_until(range.start..end, delimiter);
        let searched = found.map_or(left, |string| string.len() as u64);
        self.budget.search(searched).ok_or(())?;
        found
    }
}

impl<'a> ImageData<'a> for &'a MemoryBytes<'_> {
    fn budget(self) -> &'a Budget {
        self.budget
    }

    fn file(self) -> Option<&'a File> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_in_their_range_and_are_not_searched_without_end() {
        let mut bytes = vec![b'x'; 3 * LONGEST_STRING as usize];
        bytes[5] = 0;
        let budget = Budget::new();
        let memory = MemoryBytes::new(&bytes, &budget);
        assert_eq!((&memory).read_bytes_at_until(2..u64::MAX, 0), Ok(&b"xxx"[..]));
        assert_eq!((&memory).read_bytes_at_until(2..4, 0), Err(()));
        assert_eq!((&memory).read_bytes_at_until(u64::MAX..u64::MAX, 0), Err(()));
        assert_eq!((&memory).read_bytes_at_until(6..u64::MAX, 0), Err(()), "longer than a name can be");
        while budget.search(2).is_some() {}
        assert_eq!((&memory).read_bytes_at_until(2..u64::MAX, 0), Err(()), "enough was searched");
    }
}
