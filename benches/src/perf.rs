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

/// How perf can record here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Perf {
    /// It can collect the build ids of what it saw. perf 6.1 falls over one that is longer than 20 bytes.
    collects_build_ids: bool,
}

impl fmt::Display for Perf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.collects_build_ids {
            true => write!(f, "usable"),
            false => write!(f, "usable without build ids (-B -N), which spares it reading every image"),
        }
    }
}

/// Tries to record something.
pub(crate) fn usable(directory: &Path) -> Result<Perf, NoPerf> {
    if Command::new("perf").arg("--version").output().is_err() {
        return Err(NoPerf::NotInstalled);
    }
    let trial = |collects_build_ids| {
        let perf = Perf { collects_build_ids };
        let mut trial = perf.record(&["-F".into(), "997".into()], &directory.join("trial"));
        measure::run(trial.arg("true")).map(|_| perf)
    };
    trial(true).or_else(|error| trial(false).map_err(|_| NoPerf::CannotRecord(format!("{error:#}"))))
}

impl Perf {
    /// `perf record`, up to and without the command.
    pub(crate) fn record(self, options: &[String], recording: &Path) -> Command {
        let mut command = Command::new("perf");
        command.args(["record", "-e", "cpu-clock"]).args(options);
        if !self.collects_build_ids {
            command.args(["-B", "-N"]);
        }
        command.arg("-o").arg(recording).arg("--");
        command
    }
}

/// `perf report` by symbol, with the number of samples.
pub(crate) fn report(recording: &Path) -> Command {
    let mut command = Command::new("perf");
    command.args(["report", "--stdio", "-n", "--sort", "sym", "-i"]).arg(recording);
    command
}
