//! What a comparison says in a few lines.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::DiffLook;
use super::quantity::{Unit, chance, each, growth, percent, words};
use crate::command_line::quoted;
use crate::diff::{Diff, DiffChange, DiffSide, Regression};
use crate::number::{counted, grouped};
use crate::printable::printable;

/// So many recordings of a side are named.
const MOST_NAMED: usize = 4;

/// The lines above the rows: the sides, the total, and how many rows changed.
pub(super) fn lines(diff: &Diff, look: &DiffLook) -> Vec<(&'static str, String)> {
    let [before, after] = &diff.sides;
    let mut lines = vec![("before", side(before)), ("after", side(after))];
    lines.extend(moved_modules(diff).map(|text| ("moved", text)));
    lines.extend([("total", total(diff)), ("rows", rows(diff, look))]);
    lines
}

/// Programs and libraries that are at another path after.
fn moved_modules(diff: &Diff) -> Option<String> {
    let mut moves = BTreeSet::new();
    // Of many rows there are few modules.
    let mut seen = FxHashSet::default();
    for row in &diff.rows {
        let Some(from) = &row.moved_from else { continue };
        for (from, to) in [(&from.image, &row.identity.image), (&from.app, &row.identity.app)] {
            if let (Some(from), Some(to)) = (from, to)
                && seen.insert((Arc::as_ptr(from), Arc::as_ptr(to)))
                && from.is_likely(to)
                && from.name != to.name
            {
                moves.insert((from.name.as_str(), to.name.as_str()));
            }
        }
    }
    let more = moves.len().saturating_sub(MOST_NAMED);
    let named = moves.into_iter().take(MOST_NAMED);
    let named = named.map(|(from, to)| format!("{} -> {}", printable(from), printable(to)));
    let mut text = named.collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(", {more} more"));
    }
    (!text.is_empty()).then_some(text)
}

fn side(side: &DiffSide) -> String {
    let named = side.recordings.iter().take(MOST_NAMED).map(|name| printable(name).into_owned());
    let mut names = named.collect::<Vec<_>>().join(", ");
    if side.recordings.len() > MOST_NAMED {
        names.push_str(&format!(", {} more", side.recordings.len() - MOST_NAMED));
    }
    let command: Vec<String> = side.command.iter().map(|word| quoted(word)).collect();
    let command = match command.as_slice() {
        [] => String::new(),
        words => format!(" of `{}`", printable(&words.join(" "))),
    };
    let samples = counted(side.samples, "sample", "samples");
    let time = if side.seconds > 0.0 { format!(" in {:.1} s", side.seconds) } else { String::new() };
    format!("{names}{command}: {samples}{time}")
}

fn total(diff: &Diff) -> String {
    let total = &diff.total;
    let unit = Unit::of(diff.event.nanoseconds, total.before.max(total.after));
    format!(
        "{} {} -> {} {}: {}",
        printable(&diff.event.name),
        unit.with_name(total.before),
        unit.with_name(total.after),
        each(diff),
        judged(diff, total)
    )
}

/// The relative change with its interval and what it is worth.
fn judged(diff: &Diff, change: &DiffChange) -> String {
    let verdict = match (change.significant, change.change() > 0.0) {
        (true, true) => "grew",
        (true, false) => "shrank",
        (false, _) => "no more than chance",
    };
    if change.before <= 0.0 {
        return format!("{}, {verdict}, chance {}", growth(change), chance(change.chance));
    }
    let [low, high] = [change.interval.0, change.interval.1].map(|end| percent(end / change.before));
    format!(
        "{verdict}, {} ({} %: {low} to {high}), chance {}",
        percent(change.change() / change.before),
        confidence(diff),
        chance(change.chance)
    )
}

/// The confidence in percent, with as many digits as it has.
pub(super) fn confidence(diff: &Diff) -> String {
    let percent = format!("{:.3}", (1.0 - diff.settings.level) * 100.0);
    percent.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn rows(diff: &Diff, look: &DiffLook) -> String {
    let significant = diff.significant().count() as u64;
    let all = diff.rows.len() as u64;
    let (one, many) = diff.settings.by.words();
    let largest = diff.rows.iter().map(|row| row.change.before.max(row.change.after)).fold(0.0, f64::max);
    let unit = words(diff, Unit::of_rows(diff, largest));
    let changed = match significant {
        0 => format!("none of {} changed beyond chance", counted(all, one, many)),
        some => format!("{} of {} changed beyond chance", grouped(some), counted(all, one, many)),
    };
    let below = match diff.below_threshold {
        0 => String::new(),
        below => format!(" ({} below {} % left out)", grouped(below), diff.settings.threshold),
    };
    let shown = if significant > 0 || look.all && all > 0 { format!("; {unit}") } else { String::new() };
    format!("{changed}{below}{shown}")
}

/// Says what grew by more than is allowed.
pub fn regression_line(diff: &Diff, regression: &Regression) -> String {
    let limit = diff.settings.fail_above.unwrap_or(0.0);
    let unit = Unit::of(diff.event.nanoseconds, regression.before.max(regression.after));
    let name = match (&regression.row, regression.name.as_str()) {
        (None, name) => name.to_owned(),
        (Some(identity), "") => identity.title().to_owned(),
        (Some(identity), name) => match &identity.image {
            Some(image) => format!("{name} ({})", image.short_name),
            None => name.to_owned(),
        },
    };
    let (name, after) = (printable(&name), unit.with_name(regression.after));
    let (each, chance) = (each(diff), chance(regression.chance));
    if regression.before <= 0.0 {
        return format!("regression: {name} is new: {after} {each}, chance {chance}");
    }
    let before = unit.with_name(regression.before);
    let growth = percent(regression.after / regression.before - 1.0);
    format!(
        "regression: {name} grew from {before} to {after} {each}: {growth}, more than {limit} %, chance {chance}"
    )
}
