//! Makes the indexes that were missing, and keeps them within their size.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;
use rayon::prelude::*;

use super::build::Plan;
use super::index::Head;
use super::key::{Key, SUFFIX};
use super::{Cache, Missing};
use crate::budget::Budget;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::resolve::Symbolizer;

/// How many times as long as finding names making an index is expected to take.
const TIMES: u32 = 12;

impl Missing {
    /// How long making its index is expected to take. What slows this machine down slowed down finding the names, too.
    fn expected(&self) -> Duration {
        self.cost * TIMES
    }
}

/// What became of the indexes that were missing.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stored {
    /// The indexes that were written.
    pub written: usize,
    /// The images that are left for another time: they were changed a moment ago, or there was no time.
    pub left: usize,
    /// Why indexes could not be written.
    pub error: Option<io::Error>,
}

impl Symbolizer {
    /// Makes indexes for the images that had none when they were asked for and took long, the costliest first, as many as
    /// can be made within about `limit`. One that takes three times that is given up. Then the indexes that
    /// were not used for longest are removed, as many as are too much.
    pub fn store_indexes(&self, limit: Duration) -> Stored {
        let mut stored = Stored::default();
        let Some(cache) = &self.cache else { return stored };
        let mut missing = std::mem::take(&mut *cache.missing.lock().unwrap_or_else(PoisonError::into_inner));
        missing.sort_by_key(|missing| std::cmp::Reverse(missing.cost));
        missing.dedup_by(|left, right| left.key == right.key);
        let asked = missing.len();
        let mut left = limit;
        missing.retain(|missing| {
            let fits = missing.key.is_settled() && missing.expected() <= left;
            if fits {
                left -= missing.expected();
            }
            fits
        });
        stored.left = asked - missing.len();
        let store = |missing: &Missing| -> io::Result<bool> {
            let deadline = Instant::now() + limit * 3;
            let Some([head, blocks]) = self.index(missing, cache.most, deadline) else { return Ok(false) };
            cache.directory.write(missing.key.file_name().as_ref(), &[&head, &blocks])?;
            Ok(true)
        };
        // Each for itself, as the first ones take longest.
        let results: Vec<io::Result<bool>> = missing.par_iter().with_max_len(1).map(store).collect();
        for result in results {
            match result {
                Ok(true) => stored.written += 1,
                Ok(false) => stored.left += 1,
                Err(error) => stored.error = Some(error),
            }
        }
        if stored.written > 0
            && let Err(error) = cache.shrink()
        {
            stored.error = Some(error);
        }
        stored
    }

    /// The index of an image; `None` where it cannot be made now.
    fn index(&self, missing: &Missing, most: u64, deadline: Instant) -> Option<[Vec<u8>; 2]> {
        let budget = Budget::new();
        let bytes = FileBytes::new(&missing.file, &budget);
        match FileKind::parse(&bytes).ok()? {
            FileKind::Elf32 => self.index_class::<FileHeader32<Endianness>>(missing, &bytes, most, deadline),
            FileKind::Elf64 => self.index_class::<FileHeader64<Endianness>>(missing, &bytes, most, deadline),
            _ => None,
        }
    }

    fn index_class<H: Class>(
        &self,
        missing: &Missing,
        bytes: &FileBytes<'_>,
        most: u64,
        deadline: Instant,
    ) -> Option<[Vec<u8>; 2]> {
        let image = Elf::<H, _>::parse(bytes).ok()?;
        let path = missing.path.as_deref();
        let undebugged = !image.has_debugging();
        let index = self.with_sources(&image, path, |sources, debug| {
            let debugging = undebugged && debug.is_some_and(|debug| debug.elf.has_debugging());
            let path = path.map_or(&b""[..], |path| path.as_os_str().as_bytes());
            let head = Head { key: &missing.key.bytes, path, functions: 0, any_symbols: false, debugging };
            Plan { head, most, deadline }.build(sources)
        })?;
        // What was read is what the key tells of, if it tells the same now.
        let same = |file: &File, path: Option<&Path>| Key::of(&image, file, path, &self.directories);
        (same(&missing.file, path).as_ref() == Some(&missing.key)).then_some(index)
    }
}

impl Cache {
    /// Removes the indexes that were not used for longest, until the rest is small enough.
    fn shrink(&self) -> io::Result<()> {
        let mut entries = self.directory.entries()?;
        entries.retain(|entry| entry.name.ends_with(SUFFIX.as_bytes()));
        entries.sort_by_key(|entry| entry.used);
        let mut size: u64 = entries.iter().map(|entry| entry.size).sum();
        for entry in entries {
            if size <= self.most {
                break;
            }
            self.directory.remove(OsStr::from_bytes(&entry.name))?;
            size -= entry.size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
