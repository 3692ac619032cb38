//! Keeps what the tables of large images say, so that the next run needs none of them.
//!
//! An image is known by its build id, where it has one, and all that decided its answers (see `key`). Its index holds which function each
//! address is in: of its own tables, of its debug file, of what is made of other tables. Lines and inlined calls are
//! not kept: they are read anew.
//!
//! An index is made after the names were given, for those images alone of which finding them took long. It is read
//! with pread(2), about a kilobyte for each address, rather than mapped: a thousand reads take less than a millisecond,
//! this crate stays free of unsafe code, and neither a damaged disk nor a file cut short ends it with SIGBUS.
//!
//! Several processes may read, write and clear at once: a file is written whole under another name and then renamed,
//! and one that is removed stays readable for those that have it open.

mod block;
mod build;
mod index;
mod key;
mod listing;
mod store;
mod varint;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oprof_profile::ImageAddress;

use crate::answers::Answers;
use crate::own_directory::{Forbidden, OwnDirectory, mark_used};
use index::{Damaged, Index};
pub(crate) use key::Key;
pub use listing::{CachedImage, Freed};
pub use store::Stored;

/// An image of which finding names took less than this is not worth an index.
const WORTH: Duration = Duration::from_millis(3);

/// Indexes of images, in a directory that belongs to this user alone.
#[derive(Debug)]
pub struct Cache {
    directory: OwnDirectory,
    most: u64,
    worth: Duration,
    missing: Mutex<Vec<Missing>>,
}

/// An image that has no index yet and is worth one.
#[derive(Debug)]
struct Missing {
    key: Key,
    file: File,
    path: Option<PathBuf>,
    /// How long its names took.
    cost: Duration,
}

/// What the cache answers.
pub(crate) struct Hit {
    pub(crate) answers: Answers,
    /// Whether a separate debug file has debugging information that the image has not.
    pub(crate) debugging: bool,
}

impl Cache {
    /// What indexes take at most where nothing else is said, in bytes.
    pub const USUAL_SIZE: u64 = 256 << 20;

    /// Opens the cache in a directory, an absolute path, which is made if it is not there. Its files take `most` bytes
    /// at most.
    ///
    /// # Errors
    ///
    /// Those of the system; [`io::ErrorKind::PermissionDenied`] where the directory is a symbolic link, belongs to
    /// another user or may be used by one, or where what it is in belongs to another user than this one and root.
    pub fn create(directory: &Path, most: u64) -> io::Result<Cache> {
        Ok(Cache::of(OwnDirectory::create(directory, Forbidden::Use)?, most))
    }

    /// Opens the cache in a directory that is there.
    ///
    /// # Errors
    ///
    /// Those of [`Cache::create`]; [`io::ErrorKind::NotFound`] where there is none.
    pub fn open(directory: &Path, most: u64) -> io::Result<Cache> {
        Ok(Cache::of(OwnDirectory::open(directory)?, most))
    }

    fn of(directory: OwnDirectory, most: u64) -> Cache {
        Cache { directory, most, worth: WORTH, missing: Mutex::default() }
    }

    /// Keeps an index of every image, however little its names cost.
    pub fn of_every_image(self) -> Cache {
        Cache { worth: Duration::ZERO, ..self }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The functions that hold `addresses`, which ascend, of the image of this key. `None` where there is no index of it;
    /// one that is damaged is removed.
    pub(crate) fn ask(&self, key: &Key, addresses: &[ImageAddress]) -> Option<Hit> {
        let name = key.file_name();
        let file = self.directory.file(name.as_ref())?;
        match ask(&file, key, addresses) {
            Ok(hit) => {
                mark_used(&file);
                Some(hit)
            }
            Err(Damaged) => {
                // What cannot be removed will be replaced.
                let _ = self.directory.remove(OsStr::from_bytes(name.as_bytes()));
                None
            }
        }
    }

    /// Notes that an image had no index and that its names took so long.
    pub(crate) fn miss(&self, key: Key, file: &File, path: Option<&Path>, cost: Duration) {
        if cost >= self.worth
            && let Ok(file) = file.try_clone()
        {
            let missing = Missing { key, file, path: path.map(Path::to_owned), cost };
            self.missing.lock().unwrap_or_else(PoisonError::into_inner).push(missing);
        }
    }
}

fn ask(file: &File, key: &Key, addresses: &[ImageAddress]) -> Result<Hit, Damaged> {
    let index = Index::parse(file)?;
    if index.head().key != key.bytes {
        return Err(Damaged);
    }
    Ok(Hit { answers: index.ask(addresses)?, debugging: index.head().debugging })
}

#[cfg(fuzzing)]
pub(crate) use index::seal;

/// What an index in memory answers.
#[cfg(fuzzing)]
pub(crate) fn ask_bytes(index: &[u8], addresses: &[ImageAddress]) -> Option<Answers> {
    Index::parse(index).ok()?.ask(addresses).ok()
}
