//! The directory of a session: where the daemon keeps its recordings, and where it is talked to.
//!
//! | name | what it is |
//! |---|---|
//! | `samples/current/0001.data` ... | recordings of the session that goes on; the daemon starts another one with each of its lives |
//! | `samples/NAME/` | a session that was saved |
//! | `settings` | what is to be recorded |
//! | `daemon.lock` | locked by the one daemon; holds its process id |
//! | `control` | the socket on which it is told what to do |
//! | `daemon.log` | what it said last |

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use rustix::fs::{FlockOperation, flock};

use crate::own_file;
use crate::user_directory::user_directory;

/// The session that goes on.
const CURRENT: &str = "current";
/// Where sessions of the system are.
const OF_ROOT: &str = "/var/lib/oprof";
/// Names of sessions are not longer, in bytes.
const LONGEST_NAME: usize = 100;

/// A session directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionDirectory(PathBuf);

impl SessionDirectory {
    /// The one that was asked for, or this user's.
    pub(crate) fn new(asked: Option<&Path>) -> Result<SessionDirectory> {
        if let Some(path) = asked {
            let absolute = std::path::absolute(path)
                .map_err(|error| anyhow!("{}: not a path: {error}", path.display()))?;
            return Ok(SessionDirectory(absolute));
        }
        if rustix::process::geteuid().is_root() {
            return Ok(SessionDirectory(PathBuf::from(OF_ROOT)));
        }
        let state = user_directory("XDG_STATE_HOME", ".local/state");
        let state = state
            .ok_or_else(|| anyhow!("there is no home directory; name a directory with --session-dir"))?;
        Ok(SessionDirectory(state.join("oprof")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, for its owner alone, where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made, or is somebody else's.
    pub(crate) fn create(&self) -> Result<()> {
        let name = self.0.display();
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(self.samples(CURRENT)).map_err(|error| anyhow!("{name}: cannot be made: {error}"))?;
        self.check()
    }

    /// It is there, and nobody else can have written to it.
    ///
    /// # Errors
    /// Where that is not so.
    pub(crate) fn check(&self) -> Result<()> {
        let name = self.0.display();
        let metadata = match fs::symlink_metadata(&self.0) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("{name}: there is no session; `opcontrol --init` makes one")
            }
            Err(error) => return Err(anyhow!("{name}: {error}")),
        };
        let own = rustix::process::geteuid().as_raw();
        match () {
            () if !metadata.is_dir() => bail!("{name}: is not a directory; name another with --session-dir"),
            () if metadata.uid() != own && own != 0 => {
                bail!("{name}: belongs to user {}; name another with --session-dir", metadata.uid())
            }
            () if metadata.mode() & 0o022 != 0 => {
                bail!("{name}: others can write to it; chmod go-w {name}")
            }
            () => Ok(()),
        }
    }

    fn samples(&self, session: &str) -> PathBuf {
        self.0.join("samples").join(session)
    }

    /// The recordings of a session, the current one for `None`, oldest first.
    ///
    /// # Errors
    /// Where there is no such session, or its name is none.
    pub(crate) fn recordings(&self, session: Option<&str>) -> Result<Vec<PathBuf>> {
        let session = session.unwrap_or(CURRENT);
        check_name(session)?;
        let directory = self.samples(session);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
                "there is no session '{session}' in {}; those that there are: {}",
                self.0.display(),
                self.sessions().join(", ")
            ),
            Err(error) => return Err(anyhow!("{}: {error}", directory.display())),
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|extension| extension == "data")).collect();
        paths.sort();
        Ok(paths)
    }

    fn sessions(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join("samples")).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        if names.is_empty() { vec!["none".to_owned()] } else { names }
    }

    /// The path of a recording that follows those of the current session.
    pub(crate) fn next_recording(&self) -> Result<PathBuf> {
        let last = self
            .recordings(None)?
            .iter()
            .rev()
            .find_map(|path| path.file_stem()?.to_str()?.parse::<u32>().ok());
        let number = last.unwrap_or(0) + 1;
        Ok(self.samples(CURRENT).join(format!("{number:04}.data")))
    }

    /// Removes the recordings of the current session.
    pub(crate) fn reset(&self) -> Result<()> {
        let directory = self.samples(CURRENT);
        for entry in
            fs::read_dir(&directory).map_err(|error| anyhow!("{}: {error}", directory.display()))?.flatten()
        {
            let path = entry.path();
            fs::remove_file(&path).map_err(|error| anyhow!("{}: not removed: {error}", path.display()))?;
        }
        Ok(())
    }

    /// Gives the current session a name, and begins another.
    pub(crate) fn save(&self, name: &str) -> Result<()> {
        self.check_saving(name)?;
        let (current, saved) = (self.samples(CURRENT), self.samples(name));
        fs::rename(&current, &saved).map_err(|error| anyhow!("{}: not saved: {error}", saved.display()))?;
        DirBuilder::new()
            .mode(0o700)
            .create(&current)
            .map_err(|error| anyhow!("{}: not made: {error}", current.display()))
    }

    /// The current session can be given that name.
    ///
    /// # Errors
    /// Where another session has it, or there is nothing to give it to.
    pub(crate) fn check_saving(&self, name: &str) -> Result<()> {
        check_name(name)?;
        if name == CURRENT || self.samples(name).exists() {
            bail!("there is a session '{name}' already; choose another name");
        }
        if self.recordings(None)?.is_empty() {
            bail!("there is nothing to save: the session has no samples");
        }
        Ok(())
    }

    /// Where settings are kept.
    pub(crate) fn settings(&self) -> PathBuf {
        self.0.join("settings")
    }

    /// What the daemon says goes there.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("daemon.log")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("daemon.lock")
    }

    /// Makes this process the daemon, for as long as the value lives.
    ///
    /// # Errors
    /// Where another one is.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.lock_file();
        let mut file = own_file::open_options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| anyhow!("{}: cannot be opened: {error}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            match self.daemon() {
                Some(pid) => bail!("{}: a daemon is running already, pid {pid}", self.0.display()),
                None => bail!("{}: a daemon is running already", self.0.display()),
            }
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(|error| anyhow!("daemon.lock cannot be written: {error}"))?;
        Ok(file)
    }

    /// The process id of the daemon that is running, if one is.
    pub(crate) fn daemon(&self) -> Option<u32> {
        let file = own_file::open_options().read(true).open(self.lock_file()).ok()?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            // Whoever wrote its number there is gone.
            return None;
        }
        io::read_to_string(io::Read::take(file, 20)).ok()?.trim().parse().ok()
    }
}

/// A session's name is a name of a directory, and nothing that leads elsewhere or hides.
fn check_name(name: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-+@".contains(c);
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_allowed);
    if !is_name || name.starts_with(['.', '-']) {
        bail!(
            "'{}' is no name for a session: use letters, digits and . _ - + @, and begin with a letter or digit",
            oprof_report::printable(name)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> (tempfile::TempDir, SessionDirectory) {
        let directory = tempfile::tempdir().expect("a directory");
        let session = SessionDirectory::new(Some(&directory.path().join("a/session"))).expect("a path");
        (directory, session)
    }

    #[test]
    fn recordings_follow_one_another_and_are_saved_under_a_name() {
        let (_directory, session) = session();
        assert!(session.check().expect_err("not there").to_string().contains("opcontrol --init"));
        session.create().expect("made");
        assert_eq!(session.path().metadata().expect("there").mode() & 0o777, 0o700);
        assert!(session.save("empty").is_err());
        for expected in ["0001.data", "0002.data"] {
            let path = session.next_recording().expect("a path");
            assert!(path.ends_with(expected));
            fs::write(path, "").expect("written");
        }
        session.save("one").expect("saved");
        assert!(session.save("one").is_err());
        assert_eq!(session.recordings(None).expect("none").len(), 0);
        assert_eq!(session.recordings(Some("one")).expect("two").len(), 2);
        let error = session.recordings(Some("two")).expect_err("not there").to_string();
        assert!(error.ends_with("current, one"), "{error}");
        for wrong in ["", "..", ".hidden", "a/b", "-x", "a b", "\u{1b}", "current"] {
            assert!(session.save(wrong).is_err(), "{wrong}");
        }
        fs::write(session.next_recording().expect("a path"), "").expect("written");
        session.reset().expect("removed");
        assert_eq!(session.recordings(None).expect("none").len(), 0);
    }

    #[test]
    fn there_is_one_daemon() {
        let (_directory, session) = session();
        session.create().expect("made");
        assert_eq!(session.daemon(), None);
        let lock = session.lock().expect("the first");
        assert_eq!(session.daemon(), Some(std::process::id()));
        assert!(session.lock().expect_err("the second").to_string().contains("running already"));
        drop(lock);
        assert_eq!(session.daemon(), None);
        assert!(session.lock().is_ok());
    }
}
