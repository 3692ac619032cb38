//! A disk that is full when a test wants it to be.

use std::fs;
use std::path::PathBuf;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::place::Place;
use super::skipped;

/// How many bytes fit onto it.
const SIZE: usize = 2 << 20;

/// A small file system of a test's own; it is gone with the value.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    directory: PathBuf,
}

impl SmallDisk {
    /// Mounts one at a directory of that name, where this user may.
    pub(crate) fn mount(place: &Place, name: &str) -> Option<SmallDisk> {
        let directory = place.path(name);
        fs::create_dir(&directory).expect("a directory");
        match mount("none", &directory, "tmpfs", MountFlags::empty(), Some(c"size=2m,mode=755")) {
            Ok(()) => Some(SmallDisk { directory }),
            Err(error) => {
                skipped(&format!("a file system cannot be mounted: {error}"));
                None
            }
        }
    }

    /// Takes all space but this much.
    pub(crate) fn fill_but(&self, bytes: usize) {
        let path = self.directory.join("filler");
        let _ = fs::write(&path, vec![1; SIZE]);
        let filler = fs::OpenOptions::new().write(true).open(path).expect("the filler");
        let length = filler.metadata().expect("metadata").len();
        filler.set_len(length - bytes as u64).expect("some space is left");
    }

    /// Gives back what was taken.
    pub(crate) fn empty(&self) {
        fs::remove_file(self.directory.join("filler")).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.directory, UnmountFlags::DETACH);
    }
}
