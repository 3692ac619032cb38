//! The whole system at 997 Hz while it is idle: what the recorder itself takes.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::measure;
use crate::quantity::{Time, ratio};
use crate::recorder::{Rate, Recorder};
use crate::turns::Turns;

const RATE: Rate = Rate::Frequency(997);
/// Seconds of the shorter run, which has all that starting and ending takes.
const SHORT: u64 = 2;

struct Turn {
    /// CPU time of the shorter run.
    short: Duration,
    /// CPU time of what the longer run lasts longer, for each second.
    each_second: Duration,
}

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let longer = if bench.smoke { 2 } else { 30 };
    let turns = Turns::of_recorders(bench, 5, |recorder| {
        let short = cpu(bench, recorder, SHORT)?;
        let long = cpu(bench, recorder, SHORT + longer)?;
        Ok(Turn { short, each_second: long.saturating_sub(short) / longer as u32 })
    })?;
    let ours = turns.oprof(|turn| turn.each_second).as_secs_f64();
    let mut line = format!(
        "oprof {:.3} % of a CPU, to start and end {}",
        100.0 * ours,
        Time(turns.oprof(|turn| turn.short))
    );
    line += &match &bench.perf {
        Ok(_) => {
            let perfs = turns.perf(|turn| turn.each_second).as_secs_f64();
            let short = Time(turns.perf(|turn| turn.short));
            format!("; perf {:.3} % ({}), {short}", 100.0 * perfs, ratio(ours, perfs))
        }
        Err(reason) => format!("; perf {reason}"),
    };
    Ok(line)
}

/// The CPU time of recorder and sleep(1), which takes next to none.
fn cpu(bench: &Bench, recorder: Recorder, seconds: u64) -> Result<Duration> {
    let mut command = recorder.record(bench, RATE, &["-a"], "idle");
    Ok(measure::run(command.arg("sleep").arg(seconds.to_string()))?.cpu)
}
