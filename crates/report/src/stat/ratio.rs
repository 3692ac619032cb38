//! What counts say together: instructions per cycle, misses in a hundred and in a thousand, CPUs kept busy.

use oprof_profile::CountedEvent;

use super::StatRow;
use crate::relation::{Related, Relation, relations};

/// What two counts say together, or a count and a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio in its unit.
    pub value: f64,
    /// `per cycle`, `% of branches`.
    pub unit: String,
    /// The two were counted over the same time; else both were scaled, each by its own share of the time.
    pub exact: bool,
}

/// For each row what it says together with others.
pub(super) fn ratios(rows: &[StatRow], wall_time: f64) -> Vec<Vec<Ratio>> {
    (0..rows.len()).map(|index| of_row(index, rows, wall_time)).collect()
}

fn of_row(index: usize, rows: &[StatRow], wall_time: f64) -> Vec<Ratio> {
    let row = &rows[index];
    let Some(count) = row.count.map(|count| count.mean) else { return Vec::new() };
    let mut ratios = Vec::new();
    if row.event.nanoseconds {
        if wall_time > 0.0 {
            ratios.push(Ratio {
                value: count / wall_time,
                unit: "CPUs".to_owned(),
                exact: row.sum.is_complete(),
            });
        }
        return ratios;
    }
    // An event of its own unit is no number of times that something happened.
    if !row.event.unit.is_empty() || row.event.scale != 1.0 {
        return ratios;
    }
    let events: Vec<Related<'_>> = rows.iter().map(|row| related(&row.event)).collect();
    for Relation { other, factor, unit } in relations(index, &events) {
        let other = &rows[other];
        if let Some(of) = other.count.map(|count| count.mean).filter(|of| *of > 0.0) {
            ratios.push(Ratio { value: count / of * factor, unit, exact: is_sound(row, other) });
        }
    }
    ratios
}

fn related(event: &CountedEvent) -> Related<'_> {
    let CountedEvent { name, user, kernel, nanoseconds, .. } = event;
    Related { name, user: *user, kernel: *kernel, nanoseconds: *nanoseconds }
}

/// Both were counted throughout, or in the same group, whose events are counted at the same time or not at all.
fn is_sound(a: &StatRow, b: &StatRow) -> bool {
    (a.sum.is_complete() && b.sum.is_complete())
        || (a.event.group.is_some() && a.event.group == b.event.group)
}
