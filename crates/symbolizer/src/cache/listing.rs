//! Tells what is in the cache, and empties it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::SystemTime;

use super::Cache;
use super::index::Index;
use super::key::{NO_BUILD_ID, SUFFIX};

/// An index in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedImage {
    /// The image's build id in hexadecimal digits; empty where it has none.
    pub build_id: String,
    /// Where the image was when the index was made; empty where that is not known.
    pub path: PathBuf,
    /// The functions that the index knows.
    pub functions: u64,
    /// What the index takes on the disk, in bytes.
    pub size: u64,
    /// When it was used last.
    pub used: SystemTime,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// The indexes.
    pub indexes: usize,
    /// What they took on the disk, in bytes.
    pub bytes: u64,
}

impl Cache {
    /// The indexes that can be used, the one that was used last first.
    ///
    /// # Errors
    ///
    /// Those of reading a directory.
    pub fn images(&self) -> io::Result<Vec<CachedImage>> {
        let mut images = Vec::new();
        for entry in self.directory.entries()? {
            let Some(build_id) = build_id(&entry.name) else { continue };
            let Some(file) = self.directory.file(OsStr::from_bytes(&entry.name)) else { continue };
            let Some((path, functions)) = read(&file) else { continue };
            images.push(CachedImage { build_id, path, functions, size: entry.size, used: entry.used });
        }
        images.sort_by(|left, right| right.used.cmp(&left.used).then_with(|| left.path.cmp(&right.path)));
        Ok(images)
    }

    /// Removes all indexes, those that cannot be used included.
    ///
    /// # Errors
    ///
    /// Those of reading a directory and of removing a file.
    pub fn clear(&self) -> io::Result<Freed> {
        let mut freed = Freed::default();
        for entry in self.directory.entries()? {
            if entry.name.ends_with(SUFFIX.as_bytes()) {
                self.directory.remove(OsStr::from_bytes(&entry.name))?;
                freed.indexes += 1;
                freed.bytes += entry.size;
            }
        }
        Ok(freed)
    }
}

/// The build id in the name of an index.
fn build_id(name: &[u8]) -> Option<String> {
    let name = str::from_utf8(name).ok()?.strip_suffix(SUFFIX)?;
    let id = name.split_once('-')?.0;
    Some(if id == NO_BUILD_ID { String::new() } else { id.to_owned() })
}

fn read(file: &File) -> Option<(PathBuf, u64)> {
    let index = Index::parse(file).ok()?;
    let head = index.head();
    Some((OsStr::from_bytes(head.path).into(), head.functions))
}
