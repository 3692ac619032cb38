//! A sample each time an event has happened so often.

use crate::figures::{COUNT, COVERED, COVERED_BY_INSTRUCTIONS, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::recorded::record;

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

fn sampled(event: &str, each: f64, least: f64) -> String {
    let recorded = record(&format!("-e {event} -c {COUNT}"), SHARES);
    recorded.assert_whole();
    let total = recorded.assert_total(0, INSTRUCTIONS * each, TOLERANCE);
    let covered = recorded.assert_covered(0, least);
    format!("{event}: {total}, {covered}, {}", recorded.assert_shares(0))
}
