//! One run of a workload, bare or under a recorder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::measure::{self, Measured};
use crate::quantity::Bytes;
use crate::table::Table;
use crate::workload::timed::Usage;
use crate::{oprof, perf};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recorder {
    Oprof,
    Perf,
}

/// How often to sample the CPU clock.
#[derive(Clone, Copy)]
pub(crate) enum Rate {
    /// In samples per second of CPU time.
    Frequency(u32),
    /// In nanoseconds of CPU time from one sample to the next.
    Period(u32),
}

impl Rate {
    /// How many samples so much CPU time should give.
    pub(crate) fn expected_samples(self, cpu: Duration) -> f64 {
        match self {
            Rate::Frequency(hz) => cpu.as_secs_f64() * f64::from(hz),
            Rate::Period(ns) => cpu.as_secs_f64() * 1e9 / f64::from(ns),
        }
    }

    fn arguments(self) -> [String; 2] {
        match self {
            Rate::Frequency(hz) => ["-F".into(), hz.to_string()],
            Rate::Period(ns) => ["-c".into(), ns.to_string()],
        }
    }
}

/// A run that ended.
pub(crate) struct Run {
    /// Recorder and command together.
    pub(crate) whole: Measured,
    /// The command alone, with all it ran.
    pub(crate) command: Usage,
}

impl Run {
    /// The CPU time of the recorder alone.
    pub(crate) fn recorder_cpu(&self) -> Duration {
        self.whole.cpu.saturating_sub(self.command.cpu)
    }
}

/// Runs a workload to its end, under a recorder or bare. The recording gets this name, in the bench's directory.
pub(crate) fn run(
    bench: &Bench,
    recorder: Option<Recorder>,
    rate: Rate,
    name: &str,
    workload: &Command,
) -> Result<Run> {
    run_with(bench, recorder, rate, &[], name, workload)
}

/// The same with further options of the recorder's.
pub(crate) fn run_with(
    bench: &Bench,
    recorder: Option<Recorder>,
    rate: Rate,
    options: &[&str],
    name: &str,
    workload: &Command,
) -> Result<Run> {
    let usage = bench.path("usage");
    let mut timed = bench.workload("timed");
    timed.arg(&usage).arg(workload.get_program()).args(workload.get_args());
    let mut command = match recorder {
        None => timed,
        Some(recorder) => {
            let mut command = recorder.record(bench, rate, options, name);
            command.arg(timed.get_program()).args(timed.get_args());
            command
        }
    };
    let whole = measure::run(&mut command)?;
    Ok(Run { whole, command: Usage::read(&usage)? })
}

impl Recorder {
    /// Where the recording of this name is.
    pub(crate) fn recording(self, bench: &Bench, name: &str) -> PathBuf {
        bench.path(&match self {
            Recorder::Oprof => format!("{name}.oprof"),
            Recorder::Perf => format!("{name}.perf"),
        })
    }

    pub(crate) fn recording_size(self, bench: &Bench, name: &str) -> Result<Bytes> {
        Ok(Bytes(fs::metadata(self.recording(bench, name))?.len()))
    }

    /// The command that reports that recording by symbol.
    pub(crate) fn report(self, bench: &Bench, name: &str) -> Command {
        let recording = self.recording(bench, name);
        match self {
            Recorder::Oprof => oprof::report(&bench.oprof, &recording),
            Recorder::Perf => perf::report(&recording),
        }
    }

    /// What that recording says of each symbol.
    pub(crate) fn table(self, bench: &Bench, name: &str) -> Result<Table> {
        let report = measure::run(&mut self.report(bench, name))?.stdout;
        Ok(match self {
            Recorder::Oprof => Table::parse(&report, oprof::SAMPLES_COLUMN),
            Recorder::Perf => Table::parse(&report, perf::SAMPLES_COLUMN),
        })
    }

    /// The command that records, up to and without what to record.
    pub(crate) fn record(self, bench: &Bench, rate: Rate, options: &[&str], name: &str) -> Command {
        let recording = self.recording(bench, name);
        let options: Vec<String> =
            rate.arguments().into_iter().chain(options.iter().map(|&option| option.to_owned())).collect();
        match self {
            Recorder::Oprof => oprof::record(&bench.oprof, &options, &recording),
            // Where it cannot record nobody asks.
            Recorder::Perf => bench.perf.as_ref().copied().unwrap_or_default().record(&options, &recording),
        }
    }
}
