//! Two CPUs. Here instructions cannot be counted, and cycles follow the host's time: bounds are wide.

use std::thread;

use crate::recorded::{Recorded, record};

/// Part of the total that samples cover at the least.
const COVERED: f64 = 0.5;

fn on_both(recorded: &Recorded) -> String {
    let [first, second] = [0, 1].map(|cpu| recorded.samples_on(0, cpu));
    let all = first + second;
    assert_eq!(all, recorded.samples_on(0, 0) + recorded.samples_on(0, 1));
    assert!(first * 10 > all && second * 10 > all, "{first} samples on one CPU, {second} on the other");
    format!("{first} and {second} samples on the CPUs, {}", recorded.assert_shares(0))
}

pub(crate) fn both_are_sampled_in_system_scope() -> String {
    let recorded = record("--scope system -e cycles:u -c 1000003", "pair 300000");
    format!("{}, {}", recorded.assert_covered(0, COVERED), on_both(&recorded))
}

pub(crate) fn a_group_runs_on_both() -> String {
    let recorded = record("--scope cgroup -e cycles:u -c 1000003", "pair 300000");
    format!("{}, {}", recorded.assert_covered(0, COVERED), on_both(&recorded))
}

pub(crate) fn threads_inherit_on_both() -> String {
    assert_eq!(thread::available_parallelism().map_or(0, usize::from), 2, "the machine has two CPUs");
    let recorded = record("--scope inherit -e cycles:u -c 1000003", "threads 300000");
    format!("{}, {}", recorded.assert_covered(0, COVERED), on_both(&recorded))
}
