//! Two CPUs. The emulation lets them take turns in one time, which passes for both: how many cycles the work takes is
//! not known, and instructions are counted wrongly.

use std::thread;

use crate::figures::SHARES;
use crate::recorded::{Recorded, record};

/// Part of the total that samples cover at the least: an overflow is noticed when it is its CPU's turn.
const COVERED: f64 = 0.75;

/// Records work on both CPUs, with periods that are long for a turn.
fn sampled(scope: &str, work: &str) -> String {
    let work = SHARES.replace("shares", work);
    let recorded = record(&format!("--scope {scope} -e cycles:u -c 10000019"), &work);
    format!("{}, {}", recorded.assert_covered(0, COVERED), on_both(&recorded))
}

fn on_both(recorded: &Recorded) -> String {
    let [first, second] = [0, 1].map(|cpu| recorded.samples_on(0, cpu));
    let all = first + second;
    assert_eq!(all, recorded.coverage(0).samples, "samples on all CPUs");
    assert!(first * 10 > all && second * 10 > all, "{first} samples on one CPU, {second} on the other");
    format!("{first} and {second} samples on the CPUs, {}", recorded.assert_shares(0))
}

pub(crate) fn both_are_sampled_in_system_scope() -> String {
    sampled("system", "pair")
}

pub(crate) fn a_group_runs_on_both() -> String {
    sampled("cgroup", "pair")
}

pub(crate) fn threads_inherit_on_both() -> String {
    assert_eq!(thread::available_parallelism().map_or(0, usize::from), 2, "the machine has two CPUs");
    sampled("inherit", "threads")
}
