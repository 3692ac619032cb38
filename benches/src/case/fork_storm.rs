//! 1,000 children of 0.8 ms each, at 997 Hz: shorter than a sampling period, all of them.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::quantity::{Share, Time, ratio};
use crate::recorder::{self, Rate};
use crate::turns::Turns;
use crate::workload::storm;

const RATE: Rate = Rate::Frequency(997);
const CHILD_MS: f64 = 0.8;

struct Turn {
    /// The samples in the children's function, of those that its CPU time should give.
    share: Share,
    expected: f64,
    command: Duration,
    whole: Duration,
}

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let children = if bench.smoke { 100 } else { 1_000 };
    let burned = bench.path("burned");
    let mut workload = bench.workload("storm");
    workload.args([children.to_string(), bench.rounds(CHILD_MS).to_string()]).arg(&burned);

    let turns = Turns::with_bare(bench, 7, |recorder| {
        let run = recorder::run(bench, recorder, RATE, "fork-storm", &workload)?;
        let expected = RATE.expected_samples(storm::burned(&burned)?);
        let share = match recorder {
            Some(recorder) => {
                Share::of(recorder.table(bench, "fork-storm")?.samples_in(storm::SYMBOL), expected)
            }
            None => Share(0.0),
        };
        Ok(Turn { share, expected, command: run.command.wall, whole: run.whole.wall })
    })?;

    let command = turns.oprof(|turn| turn.command);
    let mut line = format!(
        "oprof {} of {:.0} expected samples, command {} (bare {}), with oprof's own start and end {}",
        turns.oprof(|turn| turn.share),
        turns.oprof(|turn| turn.expected),
        Time(command),
        Time(turns.bare(|turn| turn.command)),
        Time(turns.oprof(|turn| turn.whole)),
    );
    line += &match &bench.perf {
        Ok(_) => format!(
            "; perf {}, command {} ({}), in all {}",
            turns.perf(|turn| turn.share),
            Time(turns.perf(|turn| turn.command)),
            ratio(command.as_secs_f64(), turns.perf(|turn| turn.command).as_secs_f64()),
            Time(turns.perf(|turn| turn.whole)),
        ),
        Err(reason) => format!("; perf {reason}"),
    };
    Ok(line)
}
