//! Where counts are written: to stderr, to stdout, or to a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use oprof_report::render::Look;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::terminal;

/// Where counts are written.
#[derive(Debug)]
pub(crate) struct Output(Sink);

#[derive(Debug)]
enum Sink {
    Stderr,
    Stdout,
    File(File, PathBuf),
}

impl Output {
    /// To stderr, for `-` to stdout, or to a file, which keeps what it holds until [`Output::begin`].
    ///
    /// The file is made with mode 0600. One that is there is taken if it is a file of this user's own and of this name
    /// alone: through a link, symbolic or hard, somebody else could say what is overwritten.
    pub(crate) fn open(path: Option<&Path>) -> Result<Output> {
        let Some(path) = path else { return Ok(Output(Sink::Stderr)) };
        if path.as_os_str() == "-" {
            return Ok(Output::stdout());
        }
        let name = path.display();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(path, flags | OFlags::NOCTTY, Mode::RUSR | Mode::WUSR) {
            Ok(file) => File::from(file),
            Err(Errno::LOOP) => {
                bail!("{name}: is a symbolic link, which is not followed; choose another file with -o")
            }
            Err(Errno::ISDIR) => bail!("{name}: is a directory; choose a file with -o"),
            Err(Errno::NOENT) => bail!("{name}: no such directory; create it or choose another file with -o"),
            Err(error) => bail!("{name}: cannot be written: {}", io::Error::from(error)),
        };
        let metadata = file.metadata().map_err(|error| cannot_write(path, &error))?;
        if !metadata.is_file() {
            bail!("{name}: is a device, a pipe or a socket; choose a file with -o");
        }
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            bail!("{name}: belongs to user {}; choose another file with -o", metadata.uid());
        }
        if metadata.nlink() > 1 {
            bail!("{name}: is a file of other names too (hard links); choose another file with -o");
        }
        Ok(Output(Sink::File(file, path.to_owned())))
    }

    /// To standard output.
    pub(crate) fn stdout() -> Output {
        Output(Sink::Stdout)
    }

    /// Empties the file.
    pub(crate) fn begin(&self) -> Result<()> {
        match &self.0 {
            Sink::File(file, path) => file.set_len(0).map_err(|error| cannot_write(path, &error)),
            Sink::Stderr | Sink::Stdout => Ok(()),
        }
    }

    /// It is a file.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.0, Sink::File(..))
    }

    /// How tables look there.
    pub(super) fn look(&self) -> Look {
        let terminal = if self.is_file() { None } else { terminal::terminal(&io::stderr()) };
        Look {
            width: terminal.and_then(|terminal| terminal.width),
            colour: terminal.is_some_and(|terminal| terminal.colour),
        }
    }

    /// Writes something, at once. What a file does not take goes to stderr: counting may have taken hours.
    pub(crate) fn write(&mut self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let (file, path) = match &mut self.0 {
            Sink::Stderr => {
                let mut out = BufWriter::new(io::stderr().lock());
                let written = text(&mut out).and_then(|()| out.flush());
                drop(out.into_parts());
                // Nobody sees why, but the status tells; a reader that has gone is known by the error itself.
                return written.map_err(|error| match error.kind() {
                    io::ErrorKind::BrokenPipe => error.into(),
                    _ => anyhow!("standard error: cannot be written: {error}"),
                });
            }
            Sink::Stdout => {
                let mut out = BufWriter::new(io::stdout().lock());
                return Ok(text(&mut out).and_then(|()| out.flush())?);
            }
            Sink::File(file, path) => (file, path),
        };
        let mut bytes = Vec::new();
        text(&mut bytes)?;
        let Err(error) = file.write_all(&bytes) else { return Ok(()) };
        let cure = if error.kind() == io::ErrorKind::StorageFull { "; free some space there" } else { "" };
        let error = anyhow!("{}: cannot be written: {error}{cure}", path.display());
        match io::stderr().write_all(&bytes) {
            Ok(()) => Err(anyhow!("{error}; what it was to get is above")),
            Err(_) => Err(error),
        }
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("{}: cannot be written: {error}", path.display())
}
