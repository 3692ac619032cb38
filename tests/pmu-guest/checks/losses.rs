//! Samples that are missing are told.

use crate::figures::{COUNT, CYCLES, INSTRUCTIONS, SHARES};
use crate::recorded::{Recorded, record, record_script};
use crate::setting::Setting;

/// The kernel holds back an event that comes more often than its limit allows.
pub(crate) fn throttling() -> String {
    let limit = Setting::new("perf_event_max_sample_rate", 1000);
    let recorded = record("-e cycles:u -c 100000", SHARES);
    drop(limit);
    let throttled = recorded.recording.coverage.throttled;
    assert!(throttled > 100, "throttled {throttled} times: {}", recorded.stderr);
    assert!(recorded.stderr.contains("throttled ") && recorded.stderr.contains("max_sample_rate"));
    // Meanwhile the sampling counter stands still; the total goes on.
    let total = recorded.assert_total(0, INSTRUCTIONS * CYCLES, 0.01);
    let covered = recorded.coverage(0).covered().expect("the total is known");
    assert!(covered < 0.9, "{covered:.2} are covered, though the event was held back");
    format!("{throttled} times; {total}, of which samples cover {:.1} %", 100.0 * covered)
}

/// While the recorder stands still the buffer holds a hundred samples or so, and the rest is lost: what arrives and what
/// is told to be lost are together what the total makes expect.
pub(crate) fn a_buffer_that_is_too_small() -> String {
    let goes_on = stopped_during(SHARES, "; $0 workload shares 1000");
    let ends = stopped_during(SHARES, "");
    format!("{}; {} where nothing follows", all_told(&goes_on), all_told(&ends))
}

/// Records work during which the recorder is stopped, and what comes after it.
fn stopped_during(work: &str, after: &str) -> Recorded {
    let script = format!("kill -STOP $PPID; $0 workload {work}; kill -CONT $PPID{after}");
    let options = format!("--scope cgroup -e cycles:u -c {COUNT} -m 4K");
    record_script(&options, &script)
}

#[track_caller]
fn all_told(recorded: &Recorded) -> String {
    let coverage = &recorded.recording.coverage;
    let (samples, lost) = (recorded.coverage(0).samples, coverage.lost_records + coverage.lost_samples);
    assert!(lost > 1000, "{lost} lost: {}", recorded.stderr);
    assert!(recorded.stderr.contains(" lost"), "{}", recorded.stderr);
    let expected = recorded.coverage(0).counted.expect("the total is known") as f64 / COUNT as f64;
    let told = (lost + samples) as f64 / expected;
    assert!((0.98..1.02).contains(&told), "{samples} samples and {lost} lost of {expected:.0}");
    format!("{samples} samples and {lost} lost are {:.1} % of those expected", 100.0 * told)
}
