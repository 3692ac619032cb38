//! What every case needs: the programs to compare, a temporary directory, and how much to do.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::oprof;
use crate::perf::{self, NoPerf, Perf};
use crate::recorder::Recorder;
use crate::workload::chain;

pub(crate) struct Bench {
    /// Whether to do as little as shows that the cases work.
    pub(crate) smoke: bool,
    /// Why there may be nothing to compare with.
    pub(crate) perf: Result<Perf, NoPerf>,
    pub(crate) oprof: PathBuf,
    myself: PathBuf,
    directory: TempDir,
    /// How many rounds of the workloads' chain take one millisecond of CPU time here.
    rounds_per_ms: f64,
}

impl Bench {
    pub(crate) fn new(smoke: bool) -> Result<Self> {
        let myself = env::current_exe().context("cannot find this program's own path")?;
        let directory = tempfile::Builder::new().prefix("oprof-benches.").tempdir()?;
        Ok(Bench {
            smoke,
            perf: perf::usable(directory.path()),
            oprof: oprof::beside(&myself)?,
            myself,
            directory,
            rounds_per_ms: chain::rounds_per_ms(),
        })
    }

    /// oprof, and perf where it can record.
    pub(crate) fn recorders(&self) -> Vec<Recorder> {
        if self.perf.is_ok() { vec![Recorder::Oprof, Recorder::Perf] } else { vec![Recorder::Oprof] }
    }

    /// `full` times, or once in a smoke run.
    pub(crate) fn repetitions(&self, full: u32) -> u32 {
        if self.smoke { 1 } else { full }
    }

    /// The rounds of the workloads' chain that take so much CPU time.
    pub(crate) fn rounds(&self, milliseconds: f64) -> u64 {
        (milliseconds * self.rounds_per_ms) as u64
    }

    /// A path in the temporary directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The command that runs one of the workloads.
    pub(crate) fn workload(&self, name: &str) -> Command {
        let mut command = Command::new(&self.myself);
        command.args(["workload", name]);
        command
    }
}

/// One line on what is compared, and where.
impl fmt::Display for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if rustix::process::geteuid().is_root() { "root" } else { "not root" };
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        write!(f, "{}, {user}, {cpus} CPUs; perf: ", self.oprof.display())?;
        match &self.perf {
            Ok(perf) => write!(f, "{perf}"),
            Err(reason) => write!(f, "{reason}, so without it"),
        }
    }
}
