//! A sample each time an event has happened so often.

use crate::figures::{COUNT, COVERED, COVERED_BY_INSTRUCTIONS, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::harness::{Place, symbols_of};
use crate::recorded::{record, record_in};
use crate::workload;

pub(crate) fn of_cycles() -> String {
    sampled("cycles:u", CYCLES, COVERED)
}

pub(crate) fn of_instructions() -> String {
    sampled("instructions:u", 1.0, COVERED_BY_INSTRUCTIONS)
}

/// The numbers that the Arm architecture gives to cycles and instructions retired.
pub(crate) fn of_raw_events() -> String {
    let cycles = sampled("r11:u", CYCLES, COVERED);
    let instructions = sampled("r8:u", 1.0, COVERED_BY_INSTRUCTIONS);
    format!("{cycles}; {instructions}")
}

/// What `oprof report -l` prints is what was recorded.
pub(crate) fn in_the_table() -> String {
    let place = Place::new();
    let recorded = record_in(&place, &format!("-e cycles:u -c {COUNT}"), SHARES);
    let rows = symbols_of(&place, "oprof.data");
    let mut figures = Vec::new();
    for (name, share) in workload::SHARES {
        let row = rows.iter().find(|row| row.name.ends_with(&format!("::{name}")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row: {rows:#?}"));
        assert_eq!(row.samples, recorded.samples_in(0, name), "{name}");
        assert!((row.percent / 100.0 - share).abs() < 0.04, "{row:?}");
        figures.push(format!("{} {:.4} {}", row.samples, row.percent, row.name));
    }
    figures.join(", ")
}

fn sampled(event: &str, each: f64, least: f64) -> String {
    let recorded = record(&format!("-e {event} -c {COUNT}"), SHARES);
    recorded.assert_whole();
    let total = recorded.assert_total(0, INSTRUCTIONS * each, TOLERANCE);
    let covered = recorded.assert_covered(0, least);
    format!("{event}: {total}, {covered}, {}", recorded.assert_shares(0))
}
