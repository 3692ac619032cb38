//! Coverage, said in a line: how far a recording's rows can be trusted.

use oprof_profile::{CommandEnd, Event, EventCoverage, Recording, Sampling, Scope, Target};

use crate::lifetime::Lifetimes;
use crate::number::{counted, grouped};
use crate::printable::printable;
use crate::time::time;

/// Below this share the samples say little of what was run: what is missing is worth a word on its cause.
const POOR: f64 = 0.9;

/// Samples whose periods add up to more of the total than this do so by the kernel's choice of the periods.
const MORE_THAN_ALL: f64 = 1.02;

/// A sample that is due and not taken is hardly noticed among fewer than this.
const MANY_SAMPLES: u64 = 50;

/// Below this, in nanoseconds on each CPU, the time that CPUs were busy is known too badly to take shares of it: the time
/// that they were idle is known to a hundredth of a second.
const MEASURABLE_BUSY_TIME: u64 = 200_000_000;

/// A timer that is to come more often than this, in nanoseconds, comes late by itself, without a host's doing.
const SHORT_PERIOD: u64 = 100_000;

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
    let chosen_periods = matches!(event.sampling, Sampling::Frequency(_));
    let read = event.sampling == Sampling::WithLeader;
    parts.push(match (covered, coverage.counted) {
        (Some(covered), Some(total)) if covered > MORE_THAN_ALL && read => format!(
            "{samples_text} {verb} for all of {name}'s exact total ({}) and what others did between two samples of \
             theirs, {:.1} %; --scope cgroup keeps these apart",
            quantity(total),
            covered * 100.0
        ),
        (Some(covered), Some(total)) if covered > MORE_THAN_ALL && chosen_periods => format!(
            "{samples_text} {verb} for all of {name}'s exact total ({}); the periods that the kernel chose for -F add up \
             to {:.1} % of it, fixed ones (-c) are exact",
            quantity(total),
            covered * 100.0
        ),
        (covered, Some(total)) if is_idle_left_out(event, recording) => {
            let busy = share_of_busy_time(total, recording) * 100.0;
            // Idle time is told in ticks, so that of little busy time there is no saying how much it was.
            match covered.filter(|_| total >= u64::from(recording.run.cpus) * MEASURABLE_BUSY_TIME) {
                Some(covered) => format!(
                    "{samples_text} {verb} for {:.1} % of the time that CPUs were busy ({}, {busy:.1} % of all)",
                    covered * 100.0,
                    quantity(total),
                ),
                None => format!("{samples_text}; CPUs were idle about {:.0} % of the time", 100.0 - busy),
            }
        }
        (Some(covered), Some(total)) if read => format!(
            "{} of {name}, read with the samples of its group's leader, are {:.1} % of its exact total ({})",
            quantity(coverage.weight.saturating_add(coverage.outside_weight)),
            covered * 100.0,
            quantity(total)
        ),
        (Some(covered), Some(total)) => format!(
            "{samples_text} {verb} for {}{:.1} % of {name}'s exact total ({})",
            if user_clock { "at least " } else { "" },
            covered * 100.0,
            quantity(total)
        ),
        (None, Some(_)) if coverage.time_enabled == 0 => {
            format!("{samples_text} of {name}: sampling was never switched on")
        }
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
    if matches!(recording.run.target, Target::Processes(_))
        && covered.is_some_and(|covered| covered > MORE_THAN_ALL)
    {
        parts.push(
            "what the kernel does at the end of a process is sampled, and not in that total".to_owned(),
        );
    }
    if let Some(cause) = late_timer(event, coverage, recording) {
        parts.push(format!("its timer came late and skipped samples: {cause}"));
    }
    // Here the total is not the command's, for which there are counters that do not sample, but the whole system's.
    if coverage.outside_samples > 0 {
        parts.push(format!("{} of them outside the command's processes", grouped(coverage.outside_samples)));
        if event.nanoseconds {
            parts.push("that total includes idle time, which is not always sampled".to_owned());
        } else if recording.coverage.throttled > 0 {
            parts.push("it was not counted while throttled".to_owned());
        }
    }
    if coverage.running() < MULTIPLEXED {
        let of_whole_time = match (coverage.counted, coverage.time_running) {
            (Some(_), 1..) => format!(", over all of it about {}", quantity(scaled(coverage))),
            _ => String::new(),
        };
        parts.push(format!(
            "{name} was counted {:.1} % of the time (multiplexed: the total is of that time{of_whole_time})",
            coverage.running() * 100.0
        ));
    }
    parts.join("; ")
}

/// What CPUs do is sampled by a clock, which takes no samples while they are idle.
fn is_idle_left_out(event: &Event, recording: &Recording) -> bool {
    event.nanoseconds && event.kernel && recording.coverage.idle_time > 0
}

fn share_of_busy_time(busy: u64, recording: &Recording) -> f64 {
    busy as f64 / busy.saturating_add(recording.coverage.idle_time).max(1) as f64
}

/// The total of an event as it would be over the whole time, if it happened as often while it was not counted.
fn scaled(coverage: &EventCoverage) -> u64 {
    (coverage.counted.unwrap_or(0) as f64 / coverage.running()).round() as u64
}

/// Why a clock has fewer samples than it should, where the timer that takes them was late.
///
/// The kernel's timer goes on from when it was served and not from when it was due
/// (`perf_swevent_hrtimer` in kernel/events/core.c), and nothing counts what it skips.
fn late_timer(event: &Event, coverage: &EventCoverage, recording: &Recording) -> Option<&'static str> {
    let Sampling::Count(period) = event.sampling else { return None };
    let all_code = event.user && event.kernel;
    let short_processes = recording.run.scope == Scope::Inherit && processes(recording).0 > 1;
    let losses = &recording.coverage;
    let lost = losses.lost_records > 0 || losses.lost_samples > 0 || losses.throttled > 0;
    let few = coverage.samples < MANY_SAMPLES || coverage.covered().is_none_or(|covered| covered >= POOR);
    if !event.nanoseconds || !all_code || short_processes || lost || few || coverage.outside_samples > 0 {
        return None;
    }
    Some(match period < SHORT_PERIOD {
        true => "a lower -F (or a higher -c) misses less",
        false => "on a virtual machine the host may have run something else",
    })
}

fn of_recording(recording: &Recording) -> String {
    let mut parts = Vec::new();
    let (processes, idle) = processes(recording);
    if processes > 0 {
        // A session of OProfile's may tell programs apart, and not their processes.
        let count = match recording.separates_processes() {
            true => counted(processes, "process", "processes"),
            false => counted(processes, "program", "programs"),
        };
        parts.push(match idle {
            0 => format!("{count}, each with a sample"),
            idle => format!("{count}, {} without a sample", grouped(idle)),
        });
    }
    let paused = recording.coverage.paused_time;
    if paused > 0 {
        let whole = u64::try_from(recording.duration.as_nanos()).unwrap_or(u64::MAX);
        let sampled = time(whole.saturating_sub(paused));
        parts.push(format!("samples were taken in {sampled} of {}", time(whole)));
    }
    parts.push(losses(recording));
    let left_out = recording.coverage.files_left_out;
    if left_out > 0 {
        parts.push(format!("{} left out", counted(left_out, "sample file", "sample files")));
    }
    let left = recording.coverage.left_running;
    if left > 0 {
        parts.push(format!(
            "{} {}",
            counted(left, "process", "processes"),
            match recording.end {
                Some(CommandEnd::StillRunning) => "went on when recording ended",
                _ => "left the scope or outlived the command",
            }
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
        losses.push(format!(
            "throttled {} (sample less often with -F or -c, or as root raise kernel.perf_event_max_sample_rate and \
             kernel.perf_cpu_time_max_percent)",
            counted(coverage.throttled, "time", "times")
        ));
    }
    let mut events = coverage.events.iter().zip(&recording.events);
    let nothing = match events.any(|(coverage, event)| late_timer(event, coverage, recording).is_some()) {
        true => "nothing else",
        false => "nothing",
    };
    match (losses.is_empty(), multiplexed) {
        (true, false) => format!("{nothing} lost, throttled or multiplexed"),
        (true, true) => format!("{nothing} lost or throttled"),
        _ => losses.join(", "),
    }
}

/// How many processes there were, from fork to exit, and how many of them have no sample.
fn processes(recording: &Recording) -> (u64, u64) {
    let lifetimes = Lifetimes::new(&recording.processes);
    let mut idle = vec![true; lifetimes.len()];
    for (key, count) in recording.counts.iter() {
        if let Some(lifetime) = lifetimes.of(key.process) {
            idle[lifetime.0 as usize] &= count.samples == 0;
        }
    }
    (lifetimes.all_processes(), lifetimes.count(&idle))
}
