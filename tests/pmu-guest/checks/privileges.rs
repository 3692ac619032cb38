//! Whose code is sampled, and who may.

use crate::figures::{COUNT, COVERED, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::harness::{Place, User, assert_one_line};
use crate::recorded::{Recorded, record, record_in};
use crate::setting::Setting;

/// A program that is in the kernel as often as in code of its own.
const CALLS: &str = "calls 500";
/// What it executes of its own, in instructions.
const OWN: f64 = 500.0 * 100_000.0;

fn cycles(modifier: &str) -> Recorded {
    let recorded = record(&format!("-e cycles{modifier} -c {COUNT}"), CALLS);
    recorded.assert_whole();
    recorded
}

pub(crate) fn user_code_alone() -> String {
    let recorded = cycles(":u");
    let total = recorded.assert_total(0, OWN * CYCLES, 2.0 * TOLERANCE);
    let covered = recorded.assert_covered(0, COVERED);
    assert_eq!(recorded.samples_in_kernel(0), 0, "samples of the kernel's code");
    format!("{total}, {covered}, none of them in the kernel")
}

/// The total of user and kernel code is that of both, counted apart.
pub(crate) fn kernel_code_alone() -> String {
    let [user, kernel, both] = [":u", ":k", ""].map(cycles);
    let counted = |recorded: &Recorded| recorded.coverage(0).counted.expect("the total is known") as f64;
    let sum = (counted(&user) + counted(&kernel)) / counted(&both);
    assert!((sum - 1.0).abs() < 0.03, "user and kernel code have {sum:.3} of the whole");
    let share = kernel.samples_in_kernel(0) as f64 / kernel.coverage(0).samples as f64;
    // What overflows while the kernel holds interrupts back is noticed where it returns to.
    assert!(share > 0.95, "{share:.3} of the kernel's samples are in its code");
    let covered = kernel.assert_covered(0, 0.9);
    format!(
        "{covered}, {:.1} % of them in the kernel; user and kernel are {:.2} % of the whole",
        100.0 * share,
        100.0 * sum
    )
}

/// Without any privilege: one's own user code, in inherit scope; and nothing where not even that is permitted, as Debian
/// has it.
pub(crate) fn an_ordinary_user() -> String {
    let place = Place::of(User::Nobody);
    let forbidden = Setting::new("perf_event_paranoid", 3);
    let refused = place.record_these("-e cycles:u", &["touch", "ran"]).with_status(125);
    assert_one_line(&refused.stderr, &["'cycles:u'", "perf_event_paranoid is 3"]);
    assert!(!place.path("ran").exists(), "the command has run");
    drop(forbidden);

    let _permitted = Setting::new("perf_event_paranoid", 2);
    let recorded = record_in(&place, &format!("-e cycles:u -c {COUNT}"), SHARES);
    recorded.assert_whole();
    let total = recorded.assert_total(0, INSTRUCTIONS * CYCLES, TOLERANCE);
    format!("{total}, {}, {}", recorded.assert_covered(0, COVERED), recorded.assert_shares(0))
}
