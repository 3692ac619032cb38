//! 5,000 processes of 0.2 ms, one after the other, at 997 Hz: how much longer they take under a recorder.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::measure::median;
use crate::quantity::Time;
use crate::recorder::{self, Rate, Recorder};

const RATE: Rate = Rate::Frequency(997);
const CHILD_MS: f64 = 0.2;

/// How the storm is recorded: not at all, by oprof in two scopes, by perf.
const WAYS: [(&str, Option<Recorder>, &[&str]); 4] = [
    ("bare", None, &[]),
    ("default scope", Some(Recorder::Oprof), &[]),
    ("inherit scope", Some(Recorder::Oprof), &["--scope", "inherit"]),
    ("perf", Some(Recorder::Perf), &[]),
];

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let children = if bench.smoke { 200 } else { 5_000 };
    let mut workload = bench.workload("storm");
    workload.args([children.to_string(), bench.rounds(CHILD_MS).to_string()]).arg(bench.path("burned"));

    let mut turns: [Vec<Duration>; WAYS.len()] = Default::default();
    for _ in 0..bench.repetitions(15) {
        for ((_, recorder, options), turns) in WAYS.iter().zip(&mut turns) {
            if *recorder == Some(Recorder::Perf) && bench.perf.is_err() {
                continue;
            }
            let run = recorder::run_with(bench, *recorder, RATE, options, "storm", &workload)?;
            turns.push(run.command.wall);
        }
    }
    let mut bare = Duration::ZERO;
    let mut parts = Vec::new();
    for ((name, ..), turns) in WAYS.iter().zip(turns).filter(|(_, turns)| !turns.is_empty()) {
        let wall = median(turns);
        if bare.is_zero() {
            bare = wall;
            parts.push(format!("{name} {}", Time(wall)));
        } else {
            let more = 100.0 * (wall.as_secs_f64() / bare.as_secs_f64() - 1.0);
            parts.push(format!("{name} {} ({more:+.1} %)", Time(wall)));
        }
    }
    Ok(parts.join(", "))
}
