//! The names of a recording that is being made, and who may use them.
//!
//! | name | what it is |
//! |---|---|
//! | `oprof.data` | the recording |
//! | `oprof.data.old` | the one before |
//! | `oprof.data.tmp` | the recording until its command runs |
//! | `oprof.data.new.tmp` | what is about to replace one of the first two |
//!
//! A recorder holds the lock of its file under whichever of the first and the third name it has just then. Who wants
//! to record makes the third, or finds it locked, and then looks whether the first is locked: since the one is renamed
//! to the other in a single step, a recorder cannot be missed between them. The fourth is only made by a recorder
//! that holds one of the two.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;

use super::Error;
use super::lock::{is_at, is_locked, lock};
use super::occupant::{Obstacle, Occupant, occupant, open};
use super::read::is_complete;

/// How often to look again where another recorder was just about to come or go.
const TRIES: u32 = 20;
/// How long to leave it until the next look.
const PAUSE: Duration = Duration::from_millis(5);

/// What becomes of the recording that has the name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predecessor {
    /// There is none.
    None,
    /// It becomes the older recording.
    Kept,
    /// It is not complete, as a kill leaves it, and the older recording is: that stays, and this one is replaced.
    Incomplete,
}

/// The names of a recording that is being made.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    owner: Option<Owner>,
}

/// Whose a recording is to be, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Output {
    /// For the recording of this name.
    pub(super) fn new(path: &Path, owner: Option<Owner>) -> Output {
        Output { path: path.to_owned(), owner }
    }

    /// The name of the recording.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// `oprof.data.old` for `oprof.data`.
    fn older(&self) -> PathBuf {
        self.with_suffix(".old")
    }

    /// The name of the recording until its command runs.
    pub(super) fn prepared(&self) -> PathBuf {
        self.with_suffix(".tmp")
    }

    /// The name of a file that is about to replace another.
    fn successor(&self) -> PathBuf {
        self.with_suffix(".new.tmp")
    }

    fn with_suffix(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(suffix);
        PathBuf::from(name)
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
            Some(parent) => parent,
            None => &self.path,
        }
    }

    /// Creates the file under its first name, locked, and removes what recorders that are gone left behind.
    ///
    /// # Errors
    /// Where something stands in the way, another recorder above all.
    pub(super) fn claim(&self) -> Result<(File, Predecessor), Error> {
        if !self.directory().is_dir() {
            return Err(Error::NoDirectory(self.directory().to_owned()));
        }
        if self.path.is_relative() && std::env::current_dir().is_err() {
            return Err(Error::NoWorkingDirectory(self.path.clone()));
        }
        occupant(&self.path)?;
        occupant(&self.older())?;
        let prepared = self.prepared();
        let file = self.create_prepared(&prepared)?;
        let alone = self.check_unlocked().and_then(|()| self.predecessor());
        match alone {
            Ok(predecessor) => {
                self.remove_successor();
                Ok((file, predecessor))
            }
            Err(error) => {
                remove(&prepared);
                Err(error)
            }
        }
    }

    fn create_prepared(&self, prepared: &Path) -> Result<File, Error> {
        for _ in 0..TRIES {
            match create(prepared, self.owner) {
                // Until it is locked, another recorder can take it for one that was left behind.
                Ok(file) => {
                    let locked = self.locked(lock(&file)).inspect_err(|_| remove(prepared))?;
                    if locked && is_at(&file, prepared) {
                        return Ok(file);
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.sweep(prepared)?,
                Err(error) => return Err(Error::write(&self.path, error)),
            }
        }
        Err(Error::InUse(self.path.clone()))
    }

    /// Removes a file that a recorder left behind. Who has the lock of a file, and no other, removes or renames it.
    fn sweep(&self, name: &Path) -> Result<(), Error> {
        if occupant(name)? == Occupant::Nothing {
            return Ok(());
        }
        // NFS gives an exclusive lock to those alone who can write (flock(2)).
        let file = match open(name, OFlags::RDWR) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::write(name, error)),
        };
        if !self.locked(lock(&file))? {
            return Err(Error::InUse(self.path.clone()));
        }
        if is_at(&file, name) {
            fs::remove_file(name).map_err(|error| Error::write(name, error))?;
        }
        Ok(())
    }

    /// No recorder writes to the file that has the name now.
    fn check_unlocked(&self) -> Result<(), Error> {
        for _ in 0..TRIES {
            let file = match open(&self.path, OFlags::RDONLY) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(Error::read(&self.path, error)),
            };
            if self.locked(is_locked(&file))? {
                break;
            }
            // A recorder may just have replaced its file.
            if is_at(&file, &self.path) {
                return Ok(());
            }
        }
        Err(Error::InUse(self.path.clone()))
    }

    fn locked(&self, answer: io::Result<bool>) -> Result<bool, Error> {
        answer.map_err(|error| Error::write(&self.path, error))
    }

    fn predecessor(&self) -> Result<Predecessor, Error> {
        Ok(match occupant(&self.path)? {
            Occupant::Nothing | Occupant::Empty => Predecessor::None,
            Occupant::Recording if is_kept(&self.path) => Predecessor::Kept,
            Occupant::Recording => match occupant(&self.older())? {
                Occupant::Recording if is_kept(&self.older()) => Predecessor::Incomplete,
                _ => Predecessor::Kept,
            },
        })
    }

    /// Gives the file its proper name. There is no moment at which nothing has that name, if something had it.
    pub(super) fn publish(&self, predecessor: Predecessor) -> Result<(), Error> {
        // Once more, right before it counts: the command may have been started long after the file was made.
        if occupant(&self.path)? == Occupant::Recording && predecessor != Predecessor::Incomplete {
            self.keep().map_err(|error| self.refused(error))?;
        }
        fs::rename(self.prepared(), &self.path).map_err(|error| self.refused(error))
    }

    /// Gives the recording that is there the older one's name, too.
    fn keep(&self) -> io::Result<()> {
        let successor = self.successor();
        self.remove_successor();
        if fs::hard_link(&self.path, &successor).is_err() {
            // A file system without links, or a file of somebody else's: then a kill right here leaves the older
            // name alone.
            return fs::rename(&self.path, self.older());
        }
        let renamed = fs::rename(&successor, self.older());
        // Where the two are one file already, as a kill can leave them, rename(2) does nothing.
        remove(&successor);
        renamed
    }

    /// Creates a file, locked, which is to take the place of another.
    pub(super) fn create_successor(&self) -> Result<File, Error> {
        let successor = self.successor();
        self.remove_successor();
        let created = create(&successor, self.owner)
            .and_then(|file| lock(&file).map(|_| file).inspect_err(|_| remove(&successor)));
        created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                occupant(&successor).err().unwrap_or_else(|| Error::write(&successor, error))
            }
            _ => self.refused(error),
        })
    }

    /// Lets the file of [`Output::create_successor`] take the place of `current`, which has the name `place`.
    pub(super) fn succeed(&self, current: &File, place: &Path) -> Result<(), Error> {
        self.check_own(current, place)?;
        fs::rename(self.successor(), place).map_err(|error| self.refused(error))
    }

    /// The name belongs to `current`, or to nothing.
    pub(super) fn check_own(&self, current: &File, place: &Path) -> Result<(), Error> {
        if occupant(place)? == Occupant::Nothing || is_at(current, place) {
            return Ok(());
        }
        Err(Error::WouldReplace { path: place.to_owned(), what: Obstacle::Successor })
    }

    /// Removes a file of that name where it is one of a recorder's.
    pub(super) fn remove_successor(&self) {
        let successor = self.successor();
        if matches!(occupant(&successor), Ok(Occupant::Empty | Occupant::Recording)) {
            remove(&successor);
        }
    }

    /// Why a file could not be made or renamed that could be before.
    fn refused(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => Error::Removed(self.path.clone()),
            _ => Error::write(&self.path, error),
        }
    }
}

/// A recording that is not to be lost: it is complete, or that cannot be told.
fn is_kept(path: &Path) -> bool {
    open(path, OFlags::RDONLY).and_then(is_complete).unwrap_or(true)
}

/// Removes a file of our own; where it cannot be removed, the next recorder tries again.
pub(super) fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Creates a file of mode 0600. Exclusive creation follows no symbolic link and opens nothing that exists (open(2),
/// O_EXCL).
fn create(path: &Path, owner: Option<Owner>) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    if let Some(Owner { uid, gid }) = owner {
        std::os::unix::fs::fchown(&file, Some(uid), Some(gid)).inspect_err(|_| remove(path))?;
    }
    Ok(file)
}
