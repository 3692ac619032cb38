//! So many samples a second.

use crate::figures::{CYCLES, HERTZ, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::recorded::record;

pub(crate) fn of_cycles() -> String {
    sampled("cycles:u", CYCLES, 997)
}

/// Not as often, since overflows of instructions are noticed at timer ticks.
pub(crate) fn of_instructions() -> String {
    sampled("instructions:u", 1.0, 97)
}

pub(crate) fn of_raw_events() -> String {
    let cycles = sampled("r11:u", CYCLES, 997);
    let instructions = sampled("r8:u", 1.0, 97);
    format!("{cycles}; {instructions}")
}

fn sampled(event: &str, each: f64, hertz: u64) -> String {
    let recorded = record(&format!("-e {event} -F {hertz}"), SHARES);
    recorded.assert_whole();
    let total = recorded.assert_total(0, INSTRUCTIONS * each, TOLERANCE);
    let seconds = INSTRUCTIONS * CYCLES / HERTZ;
    let rate = recorded.coverage(0).samples as f64 / seconds;
    let ratio = rate / hertz as f64;
    assert!(
        (0.8..1.25).contains(&ratio),
        "{rate:.0} samples a second in place of {hertz}: {}",
        recorded.stderr
    );
    format!("{event}: {total}, {rate:.0} samples a second for {hertz}, {}", recorded.assert_shares(0))
}
