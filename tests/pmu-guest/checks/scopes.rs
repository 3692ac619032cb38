//! How a command is followed.

use crate::figures::{COUNT, COVERED, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::recorded::{Recorded, record};

pub(crate) fn cgroup() -> String {
    scope("cgroup")
}

pub(crate) fn inherit() -> String {
    scope("inherit")
}

pub(crate) fn system() -> String {
    scope("system")
}

/// A command and its child, which does the work.
fn scope(scope: &str) -> String {
    let recorded =
        record(&format!("--scope {scope} -e cycles:u -c {COUNT}"), &SHARES.replace("shares", "storm 1"));
    recorded.assert_whole();
    let total = recorded.assert_total(0, INSTRUCTIONS * CYCLES, TOLERANCE);
    let covered = recorded.assert_covered(0, COVERED);
    let samples = recorded.samples_in(0, "sixty");
    assert!(samples as f64 > 0.97 * INSTRUCTIONS * CYCLES / COUNT as f64, "{samples} samples in the work");
    format!("{total}, {covered}")
}

/// Processes shorter than a period: inherited events start their period anew in each and see none of them, those of
/// the group see all.
pub(crate) fn a_storm_of_short_processes() -> String {
    let storm = |scope: &str| record(&format!("--scope {scope} -e cycles:u -c 2000003"), "storm 200 30");
    let group = storm("cgroup");
    group.assert_whole();
    let covered = group.assert_covered(0, 0.95);
    let total = |recorded: &Recorded| recorded.coverage(0).counted.expect("the total is known");
    let processes = group.recording.processes.iter().filter(|process| process.comm == "workload").count();
    assert!(processes > 200, "{processes} processes were seen");
    let least = 200.0 * 30_000.0 * CYCLES;
    assert!(total(&group) as f64 > least, "{} were counted, which is less than the work", total(&group));

    let inherit = storm("inherit");
    let missed = inherit.coverage(0).covered().expect("the total is known");
    assert!(missed < 0.5, "{missed:.2} are covered in inherit scope: the processes are not short");
    assert!(inherit.stderr.contains("were missed: --scope cgroup"), "{}", inherit.stderr);
    let ratio = total(&inherit) as f64 / total(&group) as f64;
    assert!((ratio - 1.0).abs() < 0.05, "the totals of both scopes have the ratio {ratio:.3}");
    format!(
        "cgroup scope: {covered} of 200 processes; inherit scope covers {:.1} % and says so",
        100.0 * missed
    )
}
