//! Bytes of an image in memory, such as one that was decompressed, under the limits of a file's.

use std::cell::Cell;
use std::ops::Range;

use object::read::ReadRef;

use crate::file_bytes::{LONGEST_STRING, SEARCH_BUDGET};

/// An image in memory, and the bytes in which the end of a string may still be searched.
pub(crate) struct MemoryBytes<'bytes> {
    bytes: &'bytes [u8],
    search_left: Cell<u64>,
}

impl<'bytes> MemoryBytes<'bytes> {
    pub(crate) fn new(bytes: &'bytes [u8]) -> MemoryBytes<'bytes> {
        MemoryBytes { bytes, search_left: Cell::new(SEARCH_BUDGET) }
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
        let end = range.end.min(self.bytes.len() as u64).min(range.start.saturating_add(LONGEST_STRING));
        let left = end.checked_sub(range.start).ok_or(())?;
        let found = self.bytes.read_bytes_at_until(range.start..end, delimiter);
        let searched = found.map_or(left, |string| string.len() as u64);
        self.search_left.set(self.search_left.get().checked_sub(searched).ok_or(())?);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_in_their_range_and_are_not_searched_without_end() {
        let mut bytes = vec![b'x'; 3 * LONGEST_STRING as usize];
        bytes[5] = 0;
        let memory = MemoryBytes::new(&bytes);
        assert_eq!((&memory).read_bytes_at_until(2..u64::MAX, 0), Ok(&b"xxx"[..]));
        assert_eq!((&memory).read_bytes_at_until(2..4, 0), Err(()));
        assert_eq!((&memory).read_bytes_at_until(u64::MAX..u64::MAX, 0), Err(()));
        assert_eq!((&memory).read_bytes_at_until(6..u64::MAX, 0), Err(()), "longer than a name can be");
        assert_eq!(memory.search_left.get(), SEARCH_BUDGET - 3 - 2 - LONGEST_STRING);
        memory.search_left.set(2);
        assert_eq!((&memory).read_bytes_at_until(2..u64::MAX, 0), Err(()), "enough was searched");
    }
}
