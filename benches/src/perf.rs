//! The program `perf`: whether it can record here and how it is called.

use std::fmt;
use std::path::Path;
use std::process::Command;

use crate::measure;

/// Where its report has the samples: behind their percentage.
pub(crate) const SAMPLES_COLUMN: usize = 1;

/// Why there is nothing to compare with.
pub(crate) enum NoPerf {
    NotInstalled,
    /// With what it says itself.
    CannotRecord(String),
}

impl fmt::Display for NoPerf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoPerf::NotInstalled => write!(f, "not installed"),
            NoPerf::CannotRecord(error) => write!(f, "installed, but cannot record ({error})"),
        }
    }
}

/// Tries to record something.
pub(crate) fn usable(directory: &Path) -> Result<(), NoPerf> {
    if Command::new("perf").arg("--version").output().is_err() {
        return Err(NoPerf::NotInstalled);
    }
    let mut trial = record(&["-F".into(), "997".into()], &directory.join("trial"));
    match measure::run(trial.arg("true")) {
        Ok(_) => Ok(()),
        Err(error) => Err(NoPerf::CannotRecord(format!("{error:#}"))),
    }
}

/// `perf record`, up to and without the command.
pub(crate) fn record(options: &[String], recording: &Path) -> Command {
    let mut command = Command::new("perf");
    command.args(["record", "-e", "cpu-clock"]).args(options).arg("-o").arg(recording).arg("--");
    command
}

/// `perf report` by symbol, with the number of samples.
pub(crate) fn report(recording: &Path) -> Command {
    let mut command = Command::new("perf");
    command.args(["report", "--stdio", "-n", "--sort", "sym", "-i"]).arg(recording);
    command
}
