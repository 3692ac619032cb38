//! A directory for files that nobody but this user may have written.
//!
//! What is read from a cache ends up in reports, those of root among them, so nothing in it may come from anybody
//! else. sudo(8) keeps HOME on some systems: the directory of another user is neither read nor written.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

/// What the names of files begin with that are not complete.
const UNFINISHED: &str = ".unfinished-";

/// After this time a file that is not complete has been left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Tells the unfinished files of this process apart.
static FILES: AtomicU64 = AtomicU64::new(0);

/// What others must not be allowed to do in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// Anything: it is of mode 0700.
    Use = 0o077,
    /// To write; other programs make it with the usual mode 0755.
    Write = 0o022,
}

/// A directory that belongs to the effective user, held open.
#[derive(Debug)]
pub(crate) struct OwnDirectory {
    directory: OwnedFd,
    path: PathBuf,
}

/// A file that has no name yet; it goes with the value.
#[derive(Debug)]
pub(crate) struct Unfinished<'directory> {
    directory: &'directory OwnDirectory,
    name: Option<String>,
    pub(crate) file: File,
}

impl Unfinished<'_> {
    /// Gives the file its name, at which it replaces another.
    ///
    /// # Errors
    ///
    /// Those of rename(2).
    pub(crate) fn finish(mut self, name: &OsStr) -> io::Result<()> {
        let directory = &self.directory.directory;
        if let Some(unfinished) = &self.name {
            rustix::fs::renameat(directory, unfinished, directory, name)?;
            self.name = None;
        }
        Ok(())
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _ = rustix::fs::unlinkat(&self.directory.directory, name, AtFlags::empty());
        }
    }
}

/// A file of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    /// What it takes on the disk, in bytes.
    pub(crate) size: u64,
    /// When it was used last.
    pub(crate) used: SystemTime,
}

impl OwnDirectory {
    /// Opens the directory, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// Those of the system; [`io::ErrorKind::PermissionDenied`] where it is a link, or belongs to another user or may
    /// be used by one, or where what it is in belongs to another user than this one and root.
    pub(crate) fn create(path: &Path, forbidden: Forbidden) -> io::Result<OwnDirectory> {
        if let (Some(parent), true) = (path.parent(), path.is_absolute()) {
            make(parent)?;
        }
        OwnDirectory::open_or(path, forbidden, |parent, name| {
            match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Opens the directory.
    ///
    /// # Errors
    ///
    /// Those of [`OwnDirectory::create`], and [`io::ErrorKind::NotFound`].
    pub(crate) fn open(path: &Path) -> io::Result<OwnDirectory> {
        OwnDirectory::open_or(path, Forbidden::Use, |_, _| Ok(()))
    }

    fn open_or(
        path: &Path,
        forbidden: Forbidden,
        make: impl Fn(&OwnedFd, &OsStr) -> io::Result<()>,
    ) -> io::Result<OwnDirectory> {
        let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()));
        let (true, Some(parent), Some(name)) = (path.is_absolute(), path.parent(), path.file_name()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not an absolute path"));
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = rustix::fs::open(parent, flags, Mode::empty())?;
        let user = rustix::process::geteuid().as_raw();
        if ![user, 0].contains(&rustix::fs::fstat(&parent)?.st_uid) {
            return refuse("what it is in belongs to another user");
        }
        make(&parent, name)?;
        let directory = rustix::fs::openat(&parent, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        let status = rustix::fs::fstat(&directory)?;
        if status.st_uid != user {
            return refuse("it belongs to another user");
        }
        if status.st_mode & forbidden as u32 != 0 {
            return refuse("others may use it (`chmod 700` helps)");
        }
        Ok(OwnDirectory { directory, path: path.to_owned() })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file for reading. `None` where there is none, or it is no regular file of mode 0600 or 0400 of this
    /// user's.
    pub(crate) fn file(&self, name: &OsStr) -> Option<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.directory, name, flags, Mode::empty()).ok()?;
        is_own(&rustix::fs::fstat(&file).ok()?).then(|| File::from(file))
    }

    /// Writes a file, at once or not at all: whoever reads it meanwhile has the old one or the new one, whole.
    ///
    /// # Errors
    ///
    /// Those of the system; nothing is left behind then.
    pub(crate) fn write(&self, name: &OsStr, parts: &[&[u8]]) -> io::Result<()> {
        let mut unfinished = self.begin()?;
        parts.iter().try_for_each(|part| unfinished.file.write_all(part))?;
        unfinished.finish(name)
    }

    /// Begins a file that gets its name when it is complete.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn begin(&self) -> io::Result<Unfinished<'_>> {
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{UNFINISHED}{}-{number}", process::id());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // Left behind by an earlier process of the same id.
        let _ = rustix::fs::unlinkat(&self.directory, &name, AtFlags::empty());
        let file = rustix::fs::openat(&self.directory, &name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Unfinished { directory: self, name: Some(name), file: File::from(file) })
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    ///
    /// Those of unlink(2).
    pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The files that are complete, in no order. Those that were left behind before are removed.
    ///
    /// # Errors
    ///
    /// Those of reading a directory.
    pub(crate) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            let Some((status, used)) = self.status(entry.file_name()) else { continue };
            let name = entry.file_name().to_bytes();
            if !name.starts_with(UNFINISHED.as_bytes()) {
                let size = (status.st_blocks as u64).saturating_mul(512).max(status.st_size as u64);
                entries.push(Entry { name: name.to_vec(), size, used });
            } else if used.elapsed().is_ok_and(|age| age > LEFT_BEHIND) {
                let _ = self.remove(OsStr::from_bytes(name));
            }
        }
        Ok(entries)
    }

    /// The status of a regular file of the directory, and when it was used last.
    fn status(&self, name: &CStr) -> Option<(Stat, SystemTime)> {
        let status = rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let seconds = Duration::from_secs(u64::try_from(status.st_mtime).unwrap_or(0));
        let used = SystemTime::UNIX_EPOCH.checked_add(seconds)?;
        (FileType::from_raw_mode(status.st_mode) == FileType::RegularFile).then_some((status, used))
    }
}

/// Notes that a file is used now: its time of modification says so, as that of access may be off (mount(8), noatime).
pub(crate) fn mark_used(file: &File) {
    let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
    // What cannot be noted is thought to be older than it is.
    let _ = rustix::fs::futimens(file, &times);
}

/// Whether a file is a regular one that only this user can have written.
fn is_own(status: &Stat) -> bool {
    FileType::from_raw_mode(status.st_mode) == FileType::RegularFile
        && status.st_uid == rustix::process::geteuid().as_raw()
        && status.st_mode & 0o077 == 0
}

/// Makes a directory and those above it, for this user alone, as the XDG Base Directory Specification has it.
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    const NAME: &str = "file";

    fn refused(path: &Path) -> bool {
        OwnDirectory::create(path, Forbidden::Use).is_err() && OwnDirectory::open(path).is_err()
    }

    #[test]
    fn directories_that_others_could_have_written_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("above/own");
        let own = OwnDirectory::create(&path, Forbidden::Use).unwrap();
        assert_eq!(own.path(), path);
        for path in [&path, &folder.path().join("above")] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        symlink(&path, folder.path().join("link")).unwrap();
        assert!(refused(&folder.path().join("link")));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o750)).unwrap();
        assert!(refused(&path));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        assert!(OwnDirectory::open(&path).is_ok());
        assert!(OwnDirectory::open(Path::new("above/own")).is_err());
        if !rustix::process::geteuid().is_root() {
            return eprintln!("skipped: only root can give a directory away");
        }
        chown(&path, Some(65534), None).unwrap();
        assert!(refused(&path), "of another user");
        chown(&path, Some(0), None).unwrap();
        chown(path.parent().unwrap(), Some(65534), None).unwrap();
        assert!(refused(&path), "in another user's");
        chown(path.parent().unwrap(), Some(0), None).unwrap();
        own.write(NAME.as_ref(), &[b"x"]).unwrap();
        assert!(own.file(NAME.as_ref()).is_some());
        chown(path.join(NAME), Some(65534), None).unwrap();
        assert!(own.file(NAME.as_ref()).is_none(), "a file of another user");
    }

    #[test]
    fn files_are_whole_and_of_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnDirectory::create(&folder.path().join("own"), Forbidden::Use).unwrap();
        let path = own.path().join(NAME);
        own.write(NAME.as_ref(), &[b"ab", b"c"]).unwrap();
        own.write(NAME.as_ref(), &[b"de", b"f"]).unwrap();
        assert_eq!(io::read_to_string(own.file(NAME.as_ref()).unwrap()).unwrap(), "def");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let names = |own: &OwnDirectory| own.entries().unwrap().into_iter().map(|entry| entry.name);
        assert_eq!(names(&own).collect::<Vec<_>>(), [NAME.as_bytes()]);

        fs::set_permissions(&path, PermissionsExt::from_mode(0o620)).unwrap();
        assert!(own.file(NAME.as_ref()).is_none());
        own.remove(NAME.as_ref()).unwrap();
        own.remove(NAME.as_ref()).unwrap();
        symlink("/etc/passwd", &path).unwrap();
        assert!(own.file(NAME.as_ref()).is_none());
        assert_eq!(names(&own).count(), 0);
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnDirectory::create(&folder.path().join("own"), Forbidden::Use).unwrap();
        fs::create_dir(own.path().join(NAME)).unwrap();
        assert!(own.write(NAME.as_ref(), &[b"x"]).is_err(), "a folder is not replaced");
        assert_eq!(fs::read_dir(own.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_left_behind_is_removed_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let own = OwnDirectory::create(&folder.path().join("own"), Forbidden::Use).unwrap();
        let [old, new] = ["1", "2"].map(|name| own.path().join(format!("{UNFINISHED}{name}")));
        for path in [&old, &new] {
            fs::write(path, "x").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * LEFT_BEHIND;
        File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(own.entries().unwrap(), []);
        assert!(!old.exists() && new.exists());
    }
}
