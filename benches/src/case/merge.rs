//! A thousand recordings of about 1 MB each, put together.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::measure::{self, median};
use crate::quantity::{Bytes, Time};

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let count: u64 = if bench.smoke { 5 } else { 1000 };
    let directory = bench.path("recordings");
    fs::create_dir(&directory)?;
    // Another process makes them: what this one has held counts in the peak memory of each that it starts.
    measure::run(bench.workload("recordings").arg(&directory).arg(count.to_string()))?;
    let mut files: Vec<_> = fs::read_dir(&directory)?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let size = files.iter().map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len())).sum::<u64>();

    let output = bench.path("merged.data");
    let mut runs = Vec::new();
    for _ in 0..bench.repetitions(3) {
        let merged =
            measure::run(Command::new(&bench.oprof).arg("merge").args(&files).arg("-o").arg(&output))?;
        ensure!(merged.stderr.contains(" recordings with "), "what was merged is not told");
        runs.push(merged);
    }
    let line = format!(
        "{count} recordings of {}: {}, CPU {}, peak memory {}; together {}",
        Bytes(size / count),
        Time(median(runs.iter().map(|run| run.wall))),
        Time(median(runs.iter().map(|run| run.cpu))),
        median(runs.iter().map(|run| run.peak_memory)),
        Bytes(fs::metadata(&output)?.len()),
    );
    fs::remove_dir_all(&directory)?;
    Ok(line)
}
