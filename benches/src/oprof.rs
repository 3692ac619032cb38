//! The program `oprof`: where it is and how it is called.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

/// Where its report has the samples.
pub(crate) const SAMPLES_COLUMN: usize = 0;

/// The oprof that was built into the same directory as this program.
pub(crate) fn beside(myself: &Path) -> Result<PathBuf> {
    let oprof = myself.with_file_name("oprof");
    if !oprof.exists() {
        bail!("there is no {}: build it with `cargo build --release`", oprof.display());
    }
    Ok(oprof)
}

/// `oprof record` of the default scope, up to and without the command.
pub(crate) fn record(oprof: &Path, options: &[String], recording: &Path) -> Command {
    let mut command = Command::new(oprof);
    command.args(["record", "-e", "cpu-clock"]).args(options).arg("-o").arg(recording).arg("--");
    // Not the user's: it goes with the recordings.
    command.env("XDG_CACHE_HOME", recording.with_file_name("cache"));
    command
}

/// `oprof report` by symbol.
pub(crate) fn report(oprof: &Path, recording: &Path) -> Command {
    let mut command = Command::new(oprof);
    command.args(["report", "-l", "--plain", "-n"]).arg(recording);
    command
}
