//! Rows made of whole processes: what the kernel counted in them, and processes that have no row.

use oprof_profile::{ProcessId, Recording};
use rustc_hash::FxHashSet;

use crate::grouping::By;
use crate::place::{Place, Places};
use crate::rows::{Row, Rows};
use crate::total::{EntryTotals, Total};

/// Neither a sample nor a total speaks for the row.
pub(crate) fn is_idle(row: &Row) -> bool {
    !row.is_sampled() && !row.has_total()
}

/// Adds what each process entry is known to have cost, with a row for those without samples too.
pub(crate) fn add_totals(rows: &mut Rows, by: By, places: &Places<'_>, totals: &EntryTotals, entries: usize) {
    for entry in 0..entries {
        let id = ProcessId(entry as u32);
        let row = rows.at(places.of_process(by, id));
        if row.totals.is_empty() {
            row.totals = vec![Total::ZERO; row.counts.len()];
        }
        for (sum, total) in row.totals.iter_mut().zip(totals.of(entry)) {
            sum.add(*total);
        }
        let lifetime = places.lifetimes.of(id).filter(|_| places.lifetimes.is_last(id));
        row.processes += lifetime.map_or(0, |lifetime| places.lifetimes.processes(lifetime));
    }
}

/// The sum of the totals of `rows`, for each class.
pub(crate) fn sum_totals(rows: &[Row], classes: usize) -> Vec<Total> {
    let mut sums = vec![Total::ZERO; classes];
    for row in rows {
        for (sum, total) in sums.iter_mut().zip(&row.totals) {
            sum.add(*total);
        }
    }
    sums
}

/// How many processes have only rows that are left out as `idle`.
pub(crate) fn idle_processes(recording: &Recording, by: By, places: &Places<'_>, idle: &[Place]) -> u64 {
    if idle.is_empty() {
        return 0;
    }
    let idle: FxHashSet<Place> = idle.iter().copied().collect();
    let mut is_idle = vec![true; places.lifetimes.len()];
    for entry in (0..recording.processes.len() as u32).map(ProcessId) {
        if let Some(lifetime) = places.lifetimes.of(entry) {
            is_idle[lifetime.0 as usize] &= idle.contains(&places.of_process(by, entry));
        }
    }
    places.lifetimes.count(&is_idle)
}
