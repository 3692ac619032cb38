//! Finds the sample files of a session directory.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::sample_file::Damage;
use super::{Abi, Header, SamplePath, SessionError};

/// Where a session directory is in what oparchive made.
const IN_ARCHIVE: &str = "var/lib/oprofile";
/// Folders in folders are followed this far: a path of the system has fewer parts, twice.
const DEEPEST: usize = 256;
/// The largest sample file that is read, in bytes: room for more places than any program has.
const LARGEST: u64 = 1 << 30;

/// A directory that OProfile keeps sessions in.
#[derive(Clone, Debug)]
pub struct SessionDirectory {
    /// The directory that holds `samples`.
    pub path: PathBuf,
    /// What oparchive made around it: images are found below this, as if it were the root directory.
    pub archive: Option<PathBuf>,
    /// How its numbers are laid out.
    pub abi: Abi,
}

/// A sample file of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// Where it is.
    pub path: PathBuf,
    /// What its samples are of.
    pub of: SamplePath,
}

/// Something that was left out of a report, and why: a line for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// The sample files of one or several sessions of a directory.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The sample files, in the order of their paths (bytewise), session after session.
    pub files: Vec<SampleFile>,
    /// Code that JIT compilers told of: ELF files that OProfile made (`PID.jo`), in the order of their paths.
    pub jit_images: Vec<PathBuf>,
    /// The directories of the sessions.
    pub sessions: Vec<PathBuf>,
    /// Files and directories that could not be taken.
    pub problems: Vec<Problem>,
}

impl SessionDirectory {
    /// Opens a session directory, or what oparchive made, which holds one in `var/lib/oprofile`.
    ///
    /// # Errors
    /// Where there is no such directory, where it holds no samples, or where its file `abi` is wrong.
    pub fn open(path: &Path) -> Result<SessionDirectory, SessionError> {
        let within = path.join(IN_ARCHIVE);
        let (directory, archive) = match (path.join("samples").is_dir(), within.join("samples").is_dir()) {
            (true, _) => (path.to_owned(), None),
            (false, true) => (within, Some(path.to_owned())),
            (false, false) => {
                return Err(match path.metadata() {
                    Ok(metadata) if metadata.is_dir() => SessionError::NotASession(path.to_owned()),
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        SessionError::Read { path: path.to_owned(), source }
                    }
                    _ => SessionError::Missing(path.to_owned()),
                });
            }
        };
        let abi = Abi::read(&directory.join("abi"))?.unwrap_or(Abi::NATIVE);
        Ok(SessionDirectory { path: directory, archive, abi })
    }

    /// It is a session directory, or what oparchive made.
    pub fn is_one(path: &Path) -> bool {
        path.join("samples").is_dir() || path.join(IN_ARCHIVE).join("samples").is_dir()
    }

    /// The names of its sessions, sorted.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub fn sessions(&self) -> Result<Vec<String>, SessionError> {
        let samples = self.path.join("samples");
        let unreadable = |source| SessionError::Read { path: samples.clone(), source };
        let mut names = Vec::new();
        for entry in samples.read_dir().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Where the sample files of a session are: of one of this directory by its name, or of any by a path, which begins
    /// with `.` or `/`.
    pub fn session_path(&self, name: &str) -> PathBuf {
        match name.starts_with(['.', '/']) {
            true => PathBuf::from(name),
            false => self.path.join("samples").join(name),
        }
    }

    /// Lists the sample files of sessions. Symbolic links are not followed.
    ///
    /// # Errors
    /// Where there is no session of one of the names.
    pub fn list<S: AsRef<str>>(&self, sessions: &[S]) -> Result<Listing, SessionError> {
        let mut listing = Listing::default();
        for name in sessions.iter().map(AsRef::as_ref) {
            let session = self.session_path(name);
            if !session.is_dir() {
                let known = self.sessions()?;
                return Err(SessionError::NoSuchSession {
                    path: self.path.clone(),
                    name: name.to_owned(),
                    known,
                });
            }
            listing.add_session(&session);
            listing.sessions.push(session);
        }
        Ok(listing)
    }
}

impl Listing {
    /// Adds the sample files below a session's directory.
    fn add_session(&mut self, session: &Path) {
        // Each with its path below the session's directory, which is what is parsed and sorted by.
        let mut found: Vec<(Vec<u8>, PathBuf)> = Vec::new();
        let mut folders: Vec<(Vec<u8>, PathBuf, usize)> = vec![(Vec::new(), session.to_owned(), 0)];
        while let Some((below, folder, depth)) = folders.pop() {
            let entries = match folder.read_dir() {
                Ok(entries) => entries,
                Err(error) => {
                    self.problem(&folder, format!("cannot be read: {error}"));
                    continue;
                }
            };
            for entry in entries {
                let (name, kind) = match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                    Ok(entry) => entry,
                    Err(error) => {
                        self.problem(&folder, format!("cannot be read: {error}"));
                        break;
                    }
                };
                if depth == 0 && !is_of_samples(&name) {
                    continue;
                }
                let path = folder.join(&name);
                let mut below = below.clone();
                if depth > 0 {
                    below.push(b'/');
                }
                below.extend_from_slice(name.as_bytes());
                if kind.is_dir() && depth < DEEPEST {
                    folders.push((below, path, depth + 1));
                } else if kind.is_file() {
                    found.push((below, path));
                } else {
                    let what = if kind.is_dir() { "too many folders in folders" } else { "not a plain file" };
                    self.problem(&path, what.to_owned());
                }
            }
        }
        found.sort_unstable();
        for (below, path) in found {
            if below.ends_with(b".jo") {
                self.jit_images.push(path);
                continue;
            }
            match SamplePath::parse(&String::from_utf8_lossy(&below)) {
                Ok(of) => self.files.push(SampleFile { path, of }),
                Err(wrong) => self.problem(&path, wrong.to_string()),
            }
        }
    }

    fn problem(&mut self, path: &Path, what: String) {
        self.problems.push(Problem { path: path.to_owned(), what });
    }
}

/// A session's directory holds `{root}` and `{kern}`, and beside them statistics and logs.
fn is_of_samples(name: &OsStr) -> bool {
    name == "{root}" || name == "{kern}"
}

impl SampleFile {
    /// Reads the header alone.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn header(&self, abi: &Abi) -> Result<Header, Problem> {
        let mut bytes = Vec::new();
        let length = (abi.header_size + abi.description_size) as u64;
        let read = open(&self.path).and_then(|file| file.take(length).read_to_end(&mut bytes));
        read.map_err(|error| self.unreadable(&error))?;
        Header::parse(&bytes, abi).map_err(|damage| self.damaged(damage))
    }

    /// Reads all its bytes into `bytes`, in place of what is there.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(&self, bytes: &mut Vec<u8>) -> Result<(), Problem> {
        read_sample_file(&self.path, bytes)
    }

    fn unreadable(&self, error: &io::Error) -> Problem {
        self.problem(format!("cannot be read: {error}"))
    }

    /// The file is damaged: the line for that.
    pub fn damaged(&self, damage: Damage) -> Problem {
        self.problem(damage.to_string())
    }

    fn problem(&self, what: String) -> Problem {
        Problem { path: self.path.clone(), what }
    }
}

/// Reads all bytes of a sample file into `bytes`, in place of what is there.
///
/// # Errors
/// Where it cannot be read, or is too large.
pub fn read_sample_file(path: &Path, bytes: &mut Vec<u8>) -> Result<(), Problem> {
    let problem = |what: String| Problem { path: path.to_owned(), what };
    let unreadable = |error: io::Error| problem(format!("cannot be read: {error}"));
    bytes.clear();
    let file = open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > LARGEST {
        return Err(problem(format!("has {} MB, which no sample file has", length >> 20)));
    }
    file.take(LARGEST).read_to_end(bytes).map_err(unreadable)?;
    Ok(())
}

/// A symbolic link that took a file's place is not followed, nor is a FIFO waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a plain file")),
    }
}
