//! The comparison of two recordings of a million places each.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::measure::{self, median};
use crate::quantity::{Bytes, Time};

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let [before, after] = ["before.data", "after.data"].map(|name| bench.path(name));
    // Another process makes them: what this one has held counts in the peak memory of each that it starts.
    measure::run(bench.workload("distinct").args([&before, &after]))?;
    let mut runs = Vec::new();
    for _ in 0..bench.repetitions(9) {
        let compared = measure::run(Command::new(&bench.oprof).arg("diff").args([&before, &after]))?;
        ensure!(compared.stdout.contains(" changed beyond chance"), "what changed is not told");
        runs.push(compared);
    }
    let size = std::fs::metadata(&before)?.len();
    Ok(format!(
        "2 recordings of 1,000,000 places ({} each): {}, CPU {}, peak memory {}",
        Bytes(size),
        Time(median(runs.iter().map(|run| run.wall))),
        Time(median(runs.iter().map(|run| run.cpu))),
        median(runs.iter().map(|run| run.peak_memory)),
    ))
}
