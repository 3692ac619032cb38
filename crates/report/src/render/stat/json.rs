//! Counts as JSON, an object on a line.
//!
//! Fields are only ever added; what has another meaning gets another `schema`. `docs/stat-json.md` beside the sources of
//! the program says what each means.

use std::io::{self, Write};

use oprof_profile::{CountedEvent, CountedInterval};
use serde::Serialize;
use serde_json::Number;

use crate::stat::{Ratio as StatRatio, Stat, StatProcess, StatRow};

const SCHEMA: &str = "oprof-stat/1";

#[derive(Serialize)]
struct Counts<'a> {
    schema: &'static str,
    target: &'a str,
    runs: usize,
    wall_time: Number,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_time_deviation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_time: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_time: Option<Number>,
    events: Vec<Event<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    processes: Option<Vec<Process<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_records: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct Interval<'a> {
    schema: &'static str,
    time: u64,
    wall_time: u64,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    count: Option<Number>,
    unit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    deviation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<u32>,
    raw: u64,
    time_enabled: u64,
    time_running: u64,
    ratios: Vec<Ratio<'a>>,
}

#[derive(Serialize)]
struct Ratio<'a> {
    value: f64,
    unit: &'a str,
    exact: bool,
}

#[derive(Serialize)]
struct Process<'a> {
    pid: u32,
    command: &'a str,
    wall_time: Option<u64>,
    counts: Option<Vec<u64>>,
}

/// Writes the counts of `target`; with `each_process` those of the processes too.
pub fn json(
    stat: &Stat,
    target: &str,
    notes: &[String],
    each_process: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let counts = Counts {
        schema: SCHEMA,
        target,
        runs: stat.runs,
        wall_time: number(stat.wall_time.mean),
        wall_time_deviation: stat.wall_time.deviation,
        user_time: stat.cpu_time.map(|(user, _)| number(user.mean)),
        system_time: stat.cpu_time.map(|(_, system)| number(system.mean)),
        events: stat.rows.iter().map(event).collect(),
        processes: each_process.then(|| stat.processes.iter().map(process).collect()),
        lost_records: each_process.then_some(stat.lost_records),
        notes,
    };
    line(&counts, out)
}

/// Writes the counts of a stretch of time.
pub fn interval_json(
    events: &[CountedEvent],
    interval: &CountedInterval,
    out: &mut impl Write,
) -> io::Result<()> {
    let stat = Stat::of_interval(events, interval);
    let (time, wall_time) = (interval.end, interval.duration);
    line(&Interval { schema: SCHEMA, time, wall_time, events: stat.rows.iter().map(event).collect() }, out)
}

fn line(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)
}

fn event(row: &StatRow) -> Event<'_> {
    let scale = if row.event.nanoseconds { 1.0 } else { row.event.scale };
    Event {
        name: &row.event.name,
        count: row.count.map(|count| number(count.mean * scale)),
        unit: if row.event.nanoseconds { "ns" } else { &row.event.unit },
        deviation: row.count.and_then(|count| count.deviation).map(|deviation| deviation * scale),
        group: row.event.group,
        raw: row.sum.value,
        time_enabled: row.sum.time_enabled,
        time_running: row.sum.time_running,
        ratios: row.ratios.iter().map(ratio).collect(),
    }
}

/// A whole number as such.
fn number(value: f64) -> Number {
    /// Up to here every whole number has its own floating-point number.
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    match value.fract() == 0.0 && (0.0..EXACT).contains(&value) {
        true => Number::from(value as u64),
        // No count is infinite.
        false => Number::from_f64(value).unwrap_or(Number::from(0)),
    }
}

fn ratio(ratio: &StatRatio) -> Ratio<'_> {
    Ratio { value: ratio.value, unit: &ratio.unit, exact: ratio.exact }
}

fn process(process: &StatProcess) -> Process<'_> {
    Process {
        pid: process.pid,
        command: &process.command,
        wall_time: process.wall_time,
        counts: (!process.counts.is_empty())
            .then(|| process.counts.iter().map(|count| count.value).collect()),
    }
}
