//! Functions that burn 60, 30 and 10 % by construction, at 997 Hz: each share against its sampling error.

use anyhow::Result;

use crate::bench::Bench;
use crate::quantity::Share;
use crate::recorder::{self, Rate, Recorder};
use crate::workload::burn::SHARES;

const RECORDING: &str = "known-shares";

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let mut line = shares(bench, Recorder::Oprof)?;
    line += "; ";
    line += &match &bench.perf {
        Ok(_) => shares(bench, Recorder::Perf)?,
        Err(reason) => format!("perf {reason}"),
    };
    Ok(line)
}

fn shares(bench: &Bench, recorder: Recorder) -> Result<String> {
    let mut workload = bench.workload("burn");
    let milliseconds = if bench.smoke { 500 } else { 3_000 };
    workload.args(["1".to_owned(), milliseconds.to_string()]);
    recorder::run(bench, Some(recorder), Rate::Frequency(997), RECORDING, &workload)?;

    let table = recorder.table(bench, RECORDING)?;
    let samples = SHARES.map(|(symbol, _)| table.samples_in(symbol));
    let total = samples.iter().sum::<u64>();
    let shares: Vec<String> = SHARES
        .iter()
        .zip(samples)
        .map(|((_, expected), samples)| {
            let share = Share::of(samples, total as f64);
            let error = (expected * (1.0 - expected) / total as f64).sqrt();
            format!("{share} of {:.0} ({:+.1} sigma)", expected * 100.0, (share.0 - expected) / error)
        })
        .collect();
    let name = match recorder {
        Recorder::Oprof => "oprof",
        Recorder::Perf => "perf",
    };
    Ok(format!("{name} {}, {total} samples", shares.join(", ")))
}
