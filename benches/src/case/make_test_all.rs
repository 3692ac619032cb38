//! `make test-all` of examples/demo: compilers, a shell, hundreds of short tests, and binaries deleted at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::quantity::{Share, Time, ratio};
use crate::recorder::{self, Rate};
use crate::turns::Turns;

const RATE: Rate = Rate::Frequency(997);
const RECORDING: &str = "make-test-all";
/// The hottest function of the demo.
const SYMBOL: &str = "gc_mark";

struct Turn {
    command: Duration,
    samples: u64,
    /// Of the samples that the command's CPU time should give.
    share: Share,
    /// The share of those samples that is in the hottest function.
    hottest: Share,
}

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let mut workload = Command::new("make");
    workload.args(["-s", "-C"]).arg(demo(bench)?).arg("test-all");

    let turns = Turns::with_bare(bench, 3, |recorder| {
        let run = recorder::run(bench, recorder, RATE, RECORDING, &workload)?;
        let (samples, hottest) = match recorder {
            Some(recorder) => {
                let table = recorder.table(bench, RECORDING)?;
                (table.total(), table.share_of(SYMBOL))
            }
            None => (0, Share(0.0)),
        };
        let share = Share::of(samples, RATE.expected_samples(run.command.cpu));
        Ok(Turn { command: run.command.wall, samples, share, hottest })
    })?;

    let command = turns.oprof(|turn| turn.command);
    let mut line = format!(
        "oprof {} samples ({} of expected), {SYMBOL} {} of them, command {} (bare {})",
        turns.oprof(|turn| turn.samples),
        turns.oprof(|turn| turn.share),
        turns.oprof(|turn| turn.hottest),
        Time(command),
        Time(turns.bare(|turn| turn.command)),
    );
    line += &match &bench.perf {
        Ok(_) => format!(
            "; perf {} samples ({}), {SYMBOL} {} of them, command {} ({})",
            turns.perf(|turn| turn.samples),
            turns.perf(|turn| turn.share),
            turns.perf(|turn| turn.hottest),
            Time(turns.perf(|turn| turn.command)),
            ratio(command.as_secs_f64(), turns.perf(|turn| turn.command).as_secs_f64()),
        ),
        Err(reason) => format!("; perf {reason}"),
    };
    Ok(line)
}

/// A copy of the demo, which leaves the source tree alone. For a smoke run, with each test once.
fn demo(bench: &Bench) -> Result<PathBuf> {
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/demo");
    let copy = bench.path("demo");
    for (from, to) in [(original.clone(), copy.clone()), (original.join("src"), copy.join("src"))] {
        fs::create_dir_all(&to)?;
        for entry in fs::read_dir(&from).with_context(|| format!("cannot read {}", from.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::copy(entry.path(), to.join(entry.file_name()))?;
            }
        }
    }
    if bench.smoke {
        let tests = copy.join("tests.txt");
        let each_once: String = fs::read_to_string(&tests)?.lines().map(once).collect();
        fs::write(tests, each_once)?;
    }
    Ok(copy)
}

/// A line of the demo's table of tests with its number of runs replaced by 1.
fn once(line: &str) -> String {
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [name, program, rounds, _] if !name.starts_with('#') => format!("{name} {program} {rounds} 1\n"),
        _ => format!("{line}\n"),
    }
}
