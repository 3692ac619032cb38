//! What cannot be sampled is refused in a line, and the command does not run.

use crate::harness::{Place, assert_one_line};

#[track_caller]
fn refused(options: &str, words: &[&str]) -> String {
    let place = Place::new();
    let finished = place.record_these(options, &["touch", "ran"]).with_status(125);
    assert_one_line(&finished.stderr, words);
    assert!(!place.path("ran").exists(), "the command has run");
    assert!(!place.path("oprof.data").exists(), "a recording is left");
    finished.stderr.trim_end().trim_start_matches("oprof: ").to_owned()
}

pub(crate) fn counts_below_the_minimum() -> String {
    let said = refused("-e cycles -c 99999", &["cycles", "99999", "minimum is 100000"]);
    refused("-e cycles:99999", &["cycles:99999", "minimum is 100000"]);
    refused("-e r11 -c 127", &["r11", "minimum is 128"]);
    let place = Place::new();
    place.record("-e cycles -c 100000", "true").with_status(0);
    said
}

/// The emulated PMU has no caches.
pub(crate) fn an_event_that_this_pmu_lacks() -> String {
    refused("-e branch-misses", &["'branch-misses'", "does not support it"]);
    // One that it has does not help the other.
    refused("-e cycles -e cache-misses", &["'cache-misses'", "does not support it", "oprof list"])
}

pub(crate) fn a_group_that_does_not_fit() -> String {
    let events = "{r11:u,r8:u,r11:k,r8:k,r11,r8,r0,r0:u}";
    refused(&format!("-e {events}"), &["group"])
}

/// No PMU of Arm's samples precisely.
pub(crate) fn a_level_that_this_pmu_lacks() -> String {
    let place = Place::new();
    let finished = place.record("-e cycles:uP -c 100000", "true").with_status(0);
    finished.stderr.lines().next().unwrap_or_default().to_owned()
}

/// Kernels before 6.13 cannot read what tasks inherit.
pub(crate) fn a_group_whose_leader_cannot_be_inherited() -> String {
    let place = Place::new();
    let finished = place.record("--scope inherit -e {cycles,instructions}:uS -c 100000", "true");
    if finished.code() == Some(0) {
        return "this kernel can".to_owned();
    }
    assert_one_line(&finished.stderr, &["before Linux 6.13", "--scope cgroup"]);
    finished.stderr.trim_end().trim_start_matches("oprof: ").to_owned()
}
