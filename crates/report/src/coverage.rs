//! Coverage, said in a line: how far a recording's rows can be trusted.

use oprof_profile::{Event, EventCoverage, Recording, Scope};

use crate::lifetime::Lifetimes;
use crate::number::{counted, grouped};
use crate::printable::printable;
use crate::time::time;

/// Below this share the samples say little of what was run: what is missing is worth a word on its cause.
const POOR: f64 = 0.9;

/// A counter that counted less of the time than this shared its hardware with others; a little less than all is
/// only the time that switching takes.
const MULTIPLEXED: f64 = 0.999;

/// Says how far a recording can be trusted: one line, and one more for each event beyond the first.
pub fn coverage_line(recording: &Recording) -> String {
    coverage_lines(recording).join("\n")
}

/// As [`coverage_line`], line by line.
pub fn coverage_lines(recording: &Recording) -> Vec<String> {
    let nothing = EventCoverage::default();
    let mut events: Vec<String> = recording
        .events
        .iter()
        .enumerate()
        .map(|(index, event)| {
            let coverage = recording.coverage.events.get(index).unwrap_or(&nothing);
            of_event(event, coverage, recording)
        })
        .collect();
    let common = of_recording(recording);
    match events.as_mut_slice() {
        [event] => {
            event.push_str("; ");
            event.push_str(&common);
        }
        _ => events.push(common),
    }
    events.into_iter().map(|line| format!("coverage: {line}")).collect()
}

fn of_event(event: &Event, coverage: &EventCoverage, recording: &Recording) -> String {
    let scope = recording.run.scope;
    let name = printable(&event.name);
    let quantity = |value| if event.nanoseconds { time(value) } else { grouped(value) };
    let samples = coverage.samples.saturating_add(coverage.outside_samples);
    let user_clock = event.nanoseconds && event.user && !event.kernel;
    let mut parts = Vec::new();
    let samples_text = counted(samples, "sample", "samples");
    let verb = if samples == 1 { "stands" } else { "stand" };
    let covered = coverage.covered();
    parts.push(match (covered, coverage.counted) {
        (Some(covered), Some(total)) => format!(
            "{samples_text} {verb} for {}{:.1} % of {name}'s exact total ({})",
            if user_clock { "at least " } else { "" },
            covered * 100.0,
            quantity(total)
        ),
        (None, Some(_)) => format!("{samples_text}; {name} was counted and never happened"),
        (_, None) => format!(
            "{samples_text} {verb} for {} of {name}; its exact total is not known",
            quantity(coverage.weight.saturating_add(coverage.outside_weight))
        ),
    });
    if user_clock && covered.is_some() {
        parts.push("that total includes kernel time, which was not sampled".to_owned());
    }
    if scope == Scope::Inherit && processes(recording).0 > 1 && covered.is_some_and(|covered| covered < POOR)
    {
        let missed = if user_clock { "may have been missed" } else { "were missed" };
        parts.push(format!(
            "processes shorter than the time between two samples {missed}: --scope cgroup (as root) samples them"
        ));
    }
    // Elsewhere counters that do not sample give the total; the kernel stops only those that do.
    if recording.coverage.throttled > 0 && scope == Scope::System && !event.nanoseconds {
        parts.push("it was not counted while throttled".to_owned());
    }
    if coverage.outside_samples > 0 {
        parts.push(format!("{} of them outside the command's processes", grouped(coverage.outside_samples)));
    }
    if coverage.running() < MULTIPLEXED {
        parts.push(format!(
            "{name} was counted {:.1} % of the time (multiplexed; the total is of that time)",
            coverage.running() * 100.0
        ));
    }
    parts.join("; ")
}

fn of_recording(recording: &Recording) -> String {
    let mut parts = Vec::new();
    let (processes, idle) = processes(recording);
    if processes > 0 {
        let count = counted(processes, "process", "processes");
        parts.push(match idle {
            0 => format!("{count}, each with a sample"),
            idle => format!("{count}, {} without a sample", grouped(idle)),
        });
    }
    parts.push(losses(recording));
    let left = recording.coverage.left_running;
    if left > 0 {
        parts.push(format!(
            "{} left the scope or outlived the command",
            counted(left, "process", "processes")
        ));
    }
    if recording.is_cut_off() {
        parts.push("recording was cut off: it ends at its last flush".to_owned());
    }
    parts.join("; ")
}

fn losses(recording: &Recording) -> String {
    let coverage = &recording.coverage;
    let multiplexed = coverage.events.iter().any(|event| event.running() < MULTIPLEXED);
    let mut losses = Vec::new();
    if coverage.lost_records > 0 {
        losses.push(format!("{} lost", counted(coverage.lost_records, "record", "records")));
    }
    if coverage.lost_samples > 0 {
        losses.push(format!("{} lost", counted(coverage.lost_samples, "sample", "samples")));
    }
    if coverage.throttled > 0 {
        losses.push(format!("throttled {}", counted(coverage.throttled, "time", "times")));
    }
    match (losses.is_empty(), multiplexed) {
        (true, false) => "nothing lost, throttled or multiplexed".to_owned(),
        (true, true) => "nothing lost or throttled".to_owned(),
        _ => losses.join(", "),
    }
}

/// How many processes there were, from fork to exit, and how many of them have no sample.
fn processes(recording: &Recording) -> (u64, u64) {
    let lifetimes = Lifetimes::new(&recording.processes);
    let mut sampled = vec![false; lifetimes.len()];
    for (key, count) in recording.counts.iter() {
        if let Some(lifetime) = lifetimes.of(key.process) {
            sampled[lifetime.0 as usize] |= count.samples > 0;
        }
    }
    (sampled.len() as u64, sampled.iter().filter(|sampled| !**sampled).count() as u64)
}
