//! Doubts: why a comparison may be less sure than it seems.

use std::collections::BTreeSet;

use oprof_profile::{Event, Recording, Sampling, Target};

use super::comparison::{Diff, Runs};
use super::exposure::RunOfEvent;
use super::settings::Normalise;
use crate::command_line::quoted;
use crate::number::{counted, grouped};
use crate::printable::printable;

/// Below this share of the event's total the samples say little of what was run.
const POOR: f64 = 0.9;

/// Lost samples of less than this share do not show.
const FEW_LOST: f64 = 0.01;

/// The change that is asked for when it is said how many samples would show one.
const SOUGHT: f64 = 0.05;

/// Standard errors between nothing and a change that is found four times in five at 95 %.
const FOUND_DISTANCE: f64 = 1.959964 + 0.841621;

/// Recordings of one thing differ in length by less than this factor.
const ALIKE: f64 = 1.5;

/// Why a comparison may be less sure than it seems, a sentence each.
pub(crate) fn doubts(diff: &Diff, runs: &Runs<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    doubts.extend(differing_events(runs));
    doubts.extend(differing_machines(runs));
    doubts.extend(differing_commands(runs));
    doubts.extend(differing_lengths(diff, runs));
    doubts.extend(incomplete(runs));
    if runs.all.len() == 2 {
        doubts.push(
            "one recording on each side: how much runs differ by themselves is not known, only how much samples do; \
             three on each side show it (A1 A2 A3 -- B1 B2 B3)"
                .to_owned(),
        );
    }
    doubts.extend(too_few_samples(diff, runs));
    doubts.extend(shares_of_a_changed_total(diff));
    doubts
}

/// What both sides say of one thing, where it differs: each once.
fn differing<'a>(runs: &'a Runs<'a>, what: impl Fn(&RunOfEvent<'a>) -> String) -> Option<[String; 2]> {
    let (before, after) = runs.all.split_at(runs.before);
    let said = |runs: &[RunOfEvent<'a>]| -> BTreeSet<String> { runs.iter().map(&what).collect() };
    let (before, after) = (said(before), said(after));
    let list = |said: BTreeSet<String>| said.into_iter().collect::<Vec<_>>().join(" and ");
    (before != after).then(|| [list(before), list(after)])
}

fn circumstances<'a>(run: &RunOfEvent<'a>) -> &'a Recording {
    &run.run.circumstances
}

fn differing_events(runs: &Runs<'_>) -> Option<String> {
    let [before, after] =
        differing(runs, |run| run.run.events().get(run.event).map_or(String::new(), how_sampled))?;
    Some(format!("the event was sampled differently: {before} before, {after} after"))
}

fn how_sampled(event: &Event) -> String {
    let mut text = match event.sampling {
        Sampling::Count(count) if event.nanoseconds => format!("every {}", crate::time::time(count)),
        Sampling::Count(count) => format!("every {} events", grouped(count)),
        Sampling::Frequency(hertz) => format!("{} times a second", grouped(hertz)),
        Sampling::WithLeader => "with the samples of its group".to_owned(),
    };
    if event.unit_mask != 0 {
        text.push_str(&format!(" with unit mask {:#x}", event.unit_mask));
    }
    match (event.user, event.kernel) {
        (true, false) => text.push_str(" in user mode"),
        (false, true) => text.push_str(" in the kernel"),
        _ => {}
    }
    text
}

fn differing_machines(runs: &Runs<'_>) -> Option<String> {
    let [before, after] = differing(runs, |run| {
        let run = &circumstances(run).run;
        let cpu = if run.cpu.is_empty() { &run.architecture } else { &run.cpu };
        let cpu = if cpu.is_empty() { "an unknown CPU" } else { cpu };
        format!("{} of {}", counted(u64::from(run.cpus), "CPU", "CPUs"), printable(cpu))
    })?;
    Some(format!("the machines differ: {before} before, {after} after"))
}

fn differing_commands(runs: &Runs<'_>) -> Option<String> {
    let [before, after] = differing(runs, |run| command(circumstances(run)))?;
    Some(format!("the commands differ: {before} before, {after} after"))
}

/// The command; the program by its last name alone, as builds are in directories of their own.
fn command(recording: &Recording) -> String {
    let mut words = recording.run.command.iter();
    let Some(program) = words.next() else {
        return crate::target::target(&recording.run.target).unwrap_or_else(|| "no command".to_owned());
    };
    let program = program.rsplit('/').next().unwrap_or(program);
    let words: Vec<String> = std::iter::once(program).chain(words.map(String::as_str)).map(quoted).collect();
    format!("`{}`", printable(&words.join(" ")))
}

/// What ended by itself is compared run by run, and what was looked at for a while is not.
fn differing_lengths(diff: &Diff, runs: &Runs<'_>) -> Option<String> {
    let has_command = |run: &RunOfEvent<'_>| circumstances(run).run.target == Target::Command;
    let [before, after] =
        runs.sides().map(|side| side.iter().map(RunOfEvent::seconds).sum::<f64>() / side.len().max(1) as f64);
    let ratio = before.max(after) / before.min(after);
    let by_run = diff.settings.normalise != Normalise::Time;
    (by_run && ratio > ALIKE && !runs.all.iter().any(has_command)).then(|| {
        format!(
            "recordings of {before:.1} s before and {after:.1} s after, of no command: --normalise time compares events \
             in each second"
        )
    })
}

/// What stays as it is has another share of what changes.
fn shares_of_a_changed_total(diff: &Diff) -> Option<String> {
    let has_command = diff.sides.iter().all(|side| !side.command.is_empty());
    let (changes, rest) = match diff.total.change() > 0.0 {
        true => ("grew", "smaller"),
        false => ("shrank", "larger"),
    };
    (diff.is_of_shares() && diff.total.significant && has_command && diff.significant().next().is_some()).then(|| {
        format!(
            "the total {changes}, so that shares of what stayed as it was are {rest}: --normalise run compares what each \
             costs"
        )
    })
}

fn incomplete(runs: &Runs<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    for run in &runs.all {
        let recording = circumstances(run);
        let coverage = &recording.coverage;
        let mut said = Vec::new();
        if let Some(damage) = recording.damage {
            said.push(format!(
                "damaged at byte {} ({}): samples are missing",
                grouped(damage.offset),
                damage.what
            ));
        } else if recording.is_cut_off() {
            said.push("cut off: it ends at its last flush".to_owned());
        }
        if let Some(event) = coverage.events.get(run.event) {
            let covered = event.covered().filter(|covered| *covered < POOR);
            // What CPUs do not do is not sampled.
            if let Some(covered) = covered.filter(|_| coverage.idle_time == 0) {
                said.push(format!("its samples stand for {:.0} % of what happened", covered * 100.0));
            }
        }
        if coverage.lost_samples as f64 > FEW_LOST * run.sum.samples as f64 {
            said.push(counted(coverage.lost_samples, "sample", "samples") + " lost");
        }
        if coverage.throttled > 0 {
            said.push(format!("throttled {}", counted(coverage.throttled, "time", "times")));
        }
        if !said.is_empty() {
            doubts.push(format!("{}: {}", printable(&run.run.name), said.join("; ")));
        }
    }
    doubts
}

/// How many samples would show a change of the hottest row, where those that there are do not.
fn too_few_samples(diff: &Diff, runs: &Runs<'_>) -> Option<String> {
    let sides = diff.sides.each_ref().map(|side| side.samples);
    let hottest = diff
        .rows
        .iter()
        .filter(|row| row.samples_before > 0 && row.samples_after > 0)
        .max_by(|a, b| (a.samples_before + a.samples_after).cmp(&(b.samples_before + b.samples_after)))?;
    if hottest.change.significant {
        return None;
    }
    let share = hottest.samples_before as f64 / sides[0].max(1) as f64;
    let needed = 2.0 * (1.0 - share) / share * (FOUND_DISTANCE / SOUGHT).powi(2);
    let least = sides[0].min(sides[1]) as f64;
    let name = match hottest.name() {
        "" => hottest.identity.title(),
        name => name,
    };
    (share > 0.0 && needed > least && !runs.all.is_empty()).then(|| {
        format!(
            "few samples: to see a change of {:.0} % in {} you need about {} on each side, and there are {} and {}; record \
             for longer, more often (-F) or more runs",
            SOUGHT * 100.0,
            printable(name),
            rounded(needed),
            grouped(sides[0]),
            grouped(sides[1]),
        )
    })
}

/// A number to two digits.
fn rounded(number: f64) -> String {
    let scale = 10_f64.powf(number.max(1.0).log10().floor() - 1.0).max(1.0);
    grouped(((number / scale).round() * scale) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_two_digits() {
        assert_eq!([6.0, 14.2, 6272.0, 131_719.0].map(rounded), ["6", "14", "6,300", "130,000"]);
    }
}
