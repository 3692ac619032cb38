//! A file that is written whole or not at all, and in whose place nothing else is lost.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use oprof_profile::open_regular;

use crate::own_file;

/// A file that is being written, under a temporary name until it is complete.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    temporary: PathBuf,
    /// What is written to.
    pub(crate) file: File,
    is_complete: bool,
}

impl NewFile {
    /// Makes it, of mode 0600, beside `path`. A file that has the name already is replaced in the end if its first bytes are
    /// `magic`, that is, if it is one of the same sort, `what`; everything else is left as it is.
    ///
    /// # Errors
    /// Where something stands in the way, or nothing can be written there.
    pub(crate) fn create(path: &Path, magic: &[u8], what: &str) -> Result<NewFile> {
        check(path, magic, what)?;
        let mut temporary = OsString::from(path);
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let mut options = own_file::open_options();
        let file = options.write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                anyhow!("{}: no such directory; create it or choose another file with -o", path.display())
            }
            io::ErrorKind::AlreadyExists => {
                anyhow!("{}: is in the way of the new file; remove it", temporary.display())
            }
            _ => cannot_write(path, &error),
        })?;
        Ok(NewFile { path: path.to_owned(), temporary, file, is_complete: false })
    }

    /// Puts it in its place.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.file
            .sync_data()
            .and_then(|()| fs::rename(&self.temporary, &self.path))
            .map_err(|error| self.cannot_write(&error))?;
        self.is_complete = true;
        Ok(())
    }

    /// Writing it has failed.
    pub(crate) fn cannot_write(&self, error: &io::Error) -> anyhow::Error {
        cannot_write(&self.path, error)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_complete {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// The name is nobody's, or that of a file which may be replaced.
fn check(path: &Path, magic: &[u8], what: &str) -> Result<()> {
    let name = path.display();
    if path.as_os_str() == "-" {
        bail!("-: cannot be written to standard output; name a file with -o (./- for one of this name)");
    }
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot_write(path, &error)),
    };
    match () {
        () if metadata.is_symlink() => {
            bail!("{name}: is a symbolic link, which is not followed; choose another file with -o")
        }
        () if metadata.is_dir() => bail!("{name}: is a directory; choose a file with -o"),
        () if !metadata.is_file() => {
            bail!("{name}: is a device, a pipe or a socket; choose a file with -o")
        }
        () => {}
    }
    match starts_with(path, magic) {
        Some(true) => Ok(()),
        _ => bail!("{name}: exists and is not {what}, left as it is; choose another file with -o"),
    }
}

/// The file begins with these bytes, or is empty; `None` where it cannot be read.
pub(crate) fn starts_with(path: &Path, magic: &[u8]) -> Option<bool> {
    let mut start = Vec::new();
    open_regular(path)?.take(magic.len() as u64).read_to_end(&mut start).ok()?;
    Some(start.is_empty() || start == magic)
}

fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    let cure = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space there, or write to another place"
        }
        io::ErrorKind::FileTooLarge => "; the limit of this shell is in the way: ulimit -f unlimited",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose another file with -o"
        }
        _ => "",
    };
    anyhow!("{}: cannot be written: {error}{cure}", path.display())
}
