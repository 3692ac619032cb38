//! Reads a table that the user gave, in whichever form it is.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::{EventTable, FIRST_LINE, TableError};
use crate::import;
use crate::unprintable::is_unprintable;

/// Largest file that is read, in bytes. The largest of the vendors' have some megabytes.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

impl EventTable {
    /// Reads a file in the project's own form, as JSON of Intel's perfmon or the kernel's pmu-events, or as JSON of Arm.
    ///
    /// There are several tables where the file tells the cores of a hybrid part apart: each has its
    /// [`pmu`](Self::pmu). There is never none.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be read, is no plain file, larger than 32 MiB, not UTF-8 or in none of the
    /// forms; with row and column for what is wrong within.
    pub fn load(path: &Path) -> Result<Vec<Self>, TableError> {
        let file = path.display().to_string();
        let wrong = |reason: String| TableError::of_file(&file, reason);
        let unreadable = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
        // Asked before it is opened, since to open is to wait for a writer (FIFO) or to start something (device).
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(wrong("not a plain file; give the table's file itself".to_owned()));
        }
        let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let mut bytes = Vec::new();
        opened.and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        Self::from_bytes(&file, &bytes)
    }

    /// Reads what a file holds; `file` is its name, for messages and for the CPU type where the file does not say.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Vec<Self>, TableError> {
        if bytes.len() as u64 > MOST_BYTES {
            let reason = format!("larger than {} MiB; give the events of one processor", MOST_BYTES >> 20);
            return Err(TableError::of_file(file, reason));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(file, bytes, error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with(['{', '[']) {
            return import::from_json(file, &stem(file), text);
        }
        if text.lines().next().is_none_or(|first| first.trim_end() != FIRST_LINE) {
            let reason = format!(
                "no event table: it is {FIRST_LINE:?} in the first line and rows after it, JSON of Intel's perfmon \
                 (or the kernel's pmu-events), or JSON of Arm"
            );
            return Err(TableError::of_file(file, reason));
        }
        let mut table = Self::parse_checked(file, text)?;
        if table.cpu == file {
            table.cpu = stem(file);
        }
        Ok(vec![table])
    }
}

/// The file's name without folder and extension, fit for a terminal.
fn stem(file: &str) -> String {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or(file);
    stem.chars().map(|c| if is_unprintable(c) { '?' } else { c }).collect()
}

fn not_utf8(file: &str, bytes: &[u8], at: usize) -> TableError {
    let row = 1 + bytes.iter().take(at).filter(|&&byte| byte == b'\n').count();
    let byte = bytes.get(at).copied().unwrap_or_default();
    let reason = format!("not UTF-8: byte {} of the file is {byte:#04x}; save it as UTF-8", at + 1);
    TableError::of_row(file, row, ("", reason))
}
