//! The lock that a recorder holds on its file, which keeps a second one away from it.
//!
//! It is flock(2)'s: the kernel gives it up when the recorder ends, however that happens, and it hinders nobody who
//! only reads.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::retry_on_intr;

/// Takes the lock of a file of one's own; false where somebody else has it.
pub(super) fn lock(file: &File) -> io::Result<bool> {
    taken(retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive)))
}

/// Somebody has the lock of this file.
pub(super) fn is_locked(file: &File) -> io::Result<bool> {
    Ok(!taken(retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockShared)))?)
}

fn taken(answer: rustix::io::Result<()>) -> io::Result<bool> {
    use rustix::io::Errno;
    match answer {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        // A file system without locks: what it cannot keep apart is no reason not to record.
        Err(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The path names this very file, and not another that has taken its place.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}
