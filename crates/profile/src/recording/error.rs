//! What can go wrong with a recording file.

use std::io;
use std::path::{Path, PathBuf};

use super::frame::VERSION;
use super::{Damage, Obstacle};
use crate::RAISE_OPEN_FILES;

/// What can go wrong with a recording file; each message names the file and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    #[error("{}: no such recording; `oprof record COMMAND` makes one", .0.display())]
    Missing(PathBuf),
    /// The file cannot be opened or read.
    #[error("{}: cannot be read: {source}{}", path.display(), reading_remedy(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{}: not an oprof recording; name the file that `oprof record` wrote", .0.display())]
    NotARecording(PathBuf),
    /// The file was written by a newer oprof.
    #[error("{}: recording of format {version}; this oprof reads up to {VERSION}: use a newer one", path.display())]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The version it states.
        version: u32,
    },
    /// Nothing of the file can be used.
    #[error("{}: damaged before its first sample ({what}); record again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A part of the file is damaged, and no sample is outside of it.
    #[error("{}: damaged at byte {} ({}): no sample can be read; record again", path.display(), damage.offset, damage.what)]
    NothingLeft {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The file would unpack to more than any real recording.
    #[error("{}: unpacks to more than {limit_mb} MB, which no recording does: refused", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in MB.
        limit_mb: u64,
    },
    /// The file cannot be written.
    #[error("{}: cannot be written: {source}{}", path.display(), remedy(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory of the file is not there.
    #[error("{}: no such directory; create it or choose another file with -o", .0.display())]
    NoDirectory(PathBuf),
    /// The file was to be in the working directory, which is not there any more.
    #[error("{}: the working directory was removed; change to another or choose a file elsewhere with -o", .0.display())]
    NoWorkingDirectory(PathBuf),
    /// The directory of the file went away while the recording was made.
    #[error("{}: its directory was removed or renamed while recording; choose a file elsewhere with -o", .0.display())]
    Removed(PathBuf),
    /// Another recorder is at work on the file.
    #[error("{}: another oprof is recording into it; wait for its end or choose another file with -o", .0.display())]
    InUse(PathBuf),
    /// The name is taken by something that is not to be replaced, and which is left as it is.
    #[error("{}: {what}", path.display())]
    WouldReplace {
        /// The name.
        path: PathBuf,
        /// What has it.
        what: Obstacle,
    },
}

/// What the user can do about a failed write.
fn remedy(error: &io::Error) -> String {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space there, or choose another place with -o"
        }
        io::ErrorKind::FileTooLarge => "; the limit of this shell is in the way: ulimit -f unlimited",
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotFound
        | io::ErrorKind::InvalidFilename => "; choose another file with -o",
        _ => return too_many_files(error),
    };
    remedy.to_owned()
}

/// What the user can do about a failed read.
fn reading_remedy(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => {
            "; name a recording, or a directory that holds OProfile's `samples`".to_owned()
        }
        _ => too_many_files(error),
    }
}

/// What the user can do about too many open files.
fn too_many_files(error: &io::Error) -> String {
    match rustix::io::Errno::from_io_error(error) {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => {
            format!("; raise the limit in this shell: {RAISE_OPEN_FILES}")
        }
        _ => String::new(),
    }
}

impl Error {
    pub(super) fn write(path: &Path, source: io::Error) -> Error {
        Error::Write { path: path.to_owned(), source }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Error {
        match source.kind() {
            io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
            _ => Error::Read { path: path.to_owned(), source },
        }
    }
}
