//! What has the name that a recording is to get.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;

use super::{Error, frame};

/// What has the name that a recording is to get, and may be replaced by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// Nothing.
    Nothing,
    /// A file without content, or the first bytes of a recording alone.
    Empty,
    /// A recording.
    Recording,
}

/// What has the name that a recording is to get, and is left as it is; the text follows the name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// A symbolic link, which could lead anywhere.
    SymbolicLink,
    /// A directory.
    Directory,
    /// A device, a pipe or a socket.
    NotAFile,
    /// A file of the user of this number, which cannot be read, so that nobody knows what it is.
    OfAnotherUser(u32),
    /// What the shell's users call standard output.
    StandardOutput,
    /// A file that is something else.
    NotARecording,
    /// A file that has taken the place of the recording while that was made.
    Successor,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cannot_be_read = "cannot be read; remove it or choose another file with -o";
        f.write_str(match self {
            Obstacle::SymbolicLink => {
                "is a symbolic link, which a recording neither follows nor replaces; remove it or choose another \
                 file with -o"
            }
            Obstacle::StandardOutput => {
                "a recording cannot be written to standard output; name a file with -o (./- for one of this name)"
            }
            Obstacle::Directory => "is a directory; choose a file with -o",
            Obstacle::NotAFile => "is a device, a pipe or a socket; choose a file with -o",
            // As `sudo oprof record` leaves it behind.
            Obstacle::OfAnotherUser(0) => return write!(f, "belongs to root and {cannot_be_read}"),
            Obstacle::OfAnotherUser(user) => return write!(f, "belongs to user {user} and {cannot_be_read}"),
            Obstacle::NotARecording => {
                "exists and is not an oprof recording, left as it is; choose another file with -o"
            }
            Obstacle::Successor => {
                "another file has taken its place while recording, left as it is; choose another file with -o"
            }
        })
    }
}

/// What has this name; an error where that is not to be replaced. Links are not followed.
pub(super) fn occupant(path: &Path) -> Result<Occupant, Error> {
    let stands_in_the_way = |what| Err(Error::WouldReplace { path: path.to_owned(), what });
    if path.as_os_str() == "-" {
        return stands_in_the_way(Obstacle::StandardOutput);
    }
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Occupant::Nothing),
        Err(error) => return Err(Error::write(path, error)),
    };
    match () {
        () if metadata.is_symlink() => return stands_in_the_way(Obstacle::SymbolicLink),
        () if metadata.is_dir() => return stands_in_the_way(Obstacle::Directory),
        () if !metadata.is_file() => return stands_in_the_way(Obstacle::NotAFile),
        () => {}
    }
    let mut start = Vec::new();
    let read = open(path, OFlags::RDONLY)
        .and_then(|file| file.take(frame::MAGIC.len() as u64).read_to_end(&mut start));
    match read {
        Ok(_) if start == frame::MAGIC => Ok(Occupant::Recording),
        Ok(_) if frame::MAGIC.starts_with(&start) => Ok(Occupant::Empty),
        Ok(_) => stands_in_the_way(Obstacle::NotARecording),
        Err(error)
            if error.kind() == io::ErrorKind::PermissionDenied && metadata.uid() != geteuid().as_raw() =>
        {
            stands_in_the_way(Obstacle::OfAnotherUser(metadata.uid()))
        }
        Err(error) => Err(Error::read(path, error)),
    }
}

/// Opens what has this name. In a directory that others can write to, another thing can have come there since
/// [`occupant`] looked: a link is not followed, a pipe not waited for.
pub(super) fn open(path: &Path, access: OFlags) -> io::Result<File> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}
