//! Turns an open file into bytes that cannot change or vanish under their reader.
//!
//! Files are read with pread(2), not mapped: a program that is rebuilt while it is profiled may be truncated in
//! place, and touching a mapped page behind the new end raises SIGBUS. A read merely comes back short.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use object::read::{ReadCache, ReadCacheOps, ReadRef};

use crate::budget::{Budget, Lease};
use crate::image_data::ImageData;

/// The step in which strings are read, in bytes. The names that are asked for lie scattered over a string table.
const STRING_BLOCK: u64 = 16 << 10;

/// The longest string that is read, in bytes. Names of C++ templates of more than 100 KB have been seen.
pub(crate) const LONGEST_STRING: u64 = 1 << 20;

/// What has been read of a file so far, kept until the file's symbols are resolved.
pub(crate) struct FileBytes<'file> {
    file: &'file File,
    budget: &'file Budget,
    cache: ReadCache<FileReader<'file>>,
    /// The ranges (offset, size) that are in the cache.
    read: RefCell<HashSet<(u64, u64)>>,
    /// The bytes that the cache holds.
    held: RefCell<Option<Lease<'file>>>,
}

impl<'file> FileBytes<'file> {
    /// The bytes of `file`, as many as `budget` allows.
    pub(crate) fn new(file: &'file File, budget: &'file Budget) -> FileBytes<'file> {
        let reader = FileReader { file, position: 0 };
        let (read, held) = (RefCell::default(), RefCell::new(budget.lease(0)));
        FileBytes { file, budget, cache: ReadCache::new(reader), read, held }
    }

    /// Takes a range from the budget, unless it is in the cache.
    fn pay(&self, offset: u64, size: u64) -> Result<(), ()> {
        let mut read = self.read.borrow_mut();
        if read.contains(&(offset, size)) {
            return Ok(());
        }
        self.held.borrow_mut().as_mut().and_then(|held| held.add(size)).ok_or(())?;
        read.insert((offset, size));
        Ok(())
    }
}

impl<'a> ReadRef<'a> for &'a FileBytes<'_> {
    fn len(self) -> Result<u64, ()> {
        (&self.cache).len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'a [u8], ()> {
        self.pay(offset, size)?;
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'a [u8], ()> {
        self.budget.search(1).ok_or(())?;
        let end = range.end.min(self.len()?).min(range.start.saturating_add(LONGEST_STRING));
        let mut start = range.start / STRING_BLOCK * STRING_BLOCK;
        let mut size = STRING_BLOCK;
        // First the block that the string starts in, which most strings also end in; then the string by itself.
        loop {
            let step = size.min(end.checked_sub(start).ok_or(())?);
            let bytes = self.read_bytes_at(start, step)?;
            let skip = usize::try_from(range.start - start).map_err(|_| ())?;
            let bytes = bytes.get(skip..).ok_or(())?;
            let string = bytes.read_bytes_at_until(0..bytes.len() as u64, delimiter);
            self.budget.search(string.unwrap_or(bytes).len() as u64).ok_or(())?;
            if string.is_ok() {
                return string;
            }
            if start + step == end {
                return Err(());
            }
            // A little further, as nearly all strings are short: whoever reads them all has one on each block's edge.
            size = if start < range.start { bytes.len() as u64 + STRING_BLOCK / 16 } else { size * 8 };
            start = range.start;
        }
    }
}

impl<'a> ImageData<'a> for &'a FileBytes<'_> {
    fn budget(self) -> &'a Budget {
        self.budget
    }

    fn file(self) -> Option<&'a File> {
        Some(self.file)
    }
}

/// Reads at a position of its own: the file's one is shared with every duplicate of the descriptor.
struct FileReader<'file> {
    file: &'file File,
    position: u64,
}

impl ReadCacheOps for FileReader<'_> {
    fn len(&mut self) -> Result<u64, ()> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(|_| ())
    }

    fn seek(&mut self, position: u64) -> Result<u64, ()> {
        self.position = position;
        Ok(position)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ()> {
        let length = self.file.read_at(buffer, self.position).map_err(|_| ())?;
        self.position += length as u64;
        Ok(length)
    }

    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ()> {
        self.file.read_exact_at(buffer, self.position).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn strings_are_found_within_a_block_across_blocks_and_over_many() {
        let block = STRING_BLOCK as usize;
        let mut bytes = vec![b'x'; 20 * block];
        for end in [10, block + 5, 19 * block] {
            bytes[end] = 0;
        }
        let file = file(&bytes);
        let budget = Budget::new();
        let bytes = FileBytes::new(&file, &budget);
        let length = |start: usize| (&bytes).read_bytes_at_until(start as u64..u64::MAX, 0).map(<[u8]>::len);
        assert_eq!(length(4), Ok(6));
        assert_eq!(length(10), Ok(0));
        assert_eq!(length(block - 3), Ok(8));
        assert_eq!(length(block + 6), Ok(18 * block - 6));
        assert_eq!(length(19 * block + 1), Err(()), "no end before the end of the file");
        assert_eq!(length(40 * block), Err(()));
    }

    #[test]
    fn a_string_does_not_reach_past_the_end_of_its_table() {
        let file = file(b"abcdef\0");
        assert_eq!((&FileBytes::new(&file, &Budget::new())).read_bytes_at_until(2..5, 0), Err(()));
    }

    #[test]
    fn the_budget_is_spent_once_per_range() {
        let file = file(&[7; 300]);
        let budget = Budget::of_bytes(250);
        let bytes = FileBytes::new(&file, &budget);
        assert_eq!((&bytes).read_bytes_at(0, 200), Ok(&[7; 200][..]));
        assert_eq!((&bytes).read_bytes_at(0, 200), Ok(&[7; 200][..]));
        assert_eq!((&bytes).read_bytes_at(1, 200), Err(()));
        assert_eq!((&bytes).read_bytes_at(250, 50), Ok(&[7; 50][..]));
    }

    #[test]
    fn a_file_that_was_truncated_reads_as_an_error() {
        let file = file(&[7; 300]);
        let budget = Budget::new();
        let bytes = FileBytes::new(&file, &budget);
        assert_eq!((&bytes).len(), Ok(300));
        file.set_len(100).unwrap();
        assert_eq!((&bytes).read_bytes_at(0, 200), Err(()));
    }
}
