//! Counts of machines that have counters, made up.

use super::*;

fn event(name: &str, group: Option<u32>) -> CountedEvent {
    let nanoseconds = name.ends_with("-clock");
    let (scale, unit) = (1.0, String::new());
    CountedEvent { name: name.to_owned(), group, user: true, kernel: true, nanoseconds, scale, unit }
}

fn whole(value: u64) -> EventCount {
    EventCount { value, time_enabled: 1_000, time_running: 1_000 }
}

fn quarter(value: u64) -> EventCount {
    EventCount { value, time_enabled: 1_000, time_running: 250 }
}

fn run(counts: &[EventCount], wall_time: u64) -> CountedRun {
    CountedRun { counts: counts.to_vec(), wall_time, ..CountedRun::default() }
}

fn ratios(stat: &Stat, row: usize) -> Vec<String> {
    let write =
        |ratio: &Ratio| format!("{}{:.3} {}", if ratio.exact { "" } else { "~" }, ratio.value, ratio.unit);
    stat.rows[row].ratios.iter().map(write).collect()
}

#[test]
fn counts_are_set_in_relation_to_what_they_are_part_of() {
    let names = [
        "task-clock",
        "page-faults",
        "cycles",
        "instructions",
        "branches",
        "branch-misses",
        "cache-references",
        "cache-misses",
        "L1-dcache-loads",
        "L1-dcache-load-misses",
    ];
    let events: Vec<_> = names.iter().map(|name| event(name, None)).collect();
    let counts =
        [500_000_000, 50, 1_500_000_000, 3_000_000_000, 600_000_000, 6_000_000, 1_000, 100, 2_000, 30]
            .map(whole);
    let stat = Stat::of_runs(&events, &[run(&counts, 1_000_000_000)]);
    assert_eq!(ratios(&stat, 0), ["0.500 CPUs"]);
    assert_eq!(ratios(&stat, 1), ["100.000 per CPU second"]);
    assert_eq!(ratios(&stat, 2), ["3.000 GHz"]);
    assert_eq!(ratios(&stat, 3), ["2.000 per cycle"]);
    assert_eq!(ratios(&stat, 4), ["1200000000.000 per CPU second"]);
    assert_eq!(ratios(&stat, 5), ["1.000 % of branches", "2.000 per 1,000 instructions"]);
    assert_eq!(ratios(&stat, 7), ["10.000 % of cache-references", "0.000 per 1,000 instructions"]);
    assert_eq!(ratios(&stat, 9), ["1.500 % of L1-dcache-loads", "0.000 per 1,000 instructions"]);
    assert!(!stat.is_multiplexed());
}

#[test]
fn ratios_of_what_was_counted_in_turns_are_sound_within_a_group_alone() {
    let (grouped, single) = (event("cycles", Some(0)), event("cycles", None));
    let counts = [quarter(1_000), quarter(2_500)];
    let stat = Stat::of_runs(&[grouped, event("instructions", Some(0))], &[run(&counts, 1)]);
    assert_eq!(ratios(&stat, 1), ["2.500 per cycle"]);
    assert_eq!(stat.rows[0].count.map(|count| count.mean), Some(4_000.0));
    assert!(stat.is_multiplexed());
    let stat = Stat::of_runs(&[single, event("instructions", None)], &[run(&counts, 1)]);
    assert_eq!(ratios(&stat, 1), ["~2.500 per cycle"]);
    let stat = Stat::of_runs(&[event("cycles", Some(0)), event("instructions", Some(1))], &[run(&counts, 1)]);
    assert_eq!(ratios(&stat, 1), ["~2.500 per cycle"]);
}

#[test]
fn events_of_different_code_or_cores_are_not_mixed() {
    let mut user = event("instructions:u", None);
    user.kernel = false;
    let counts = [whole(1_000), whole(2_000)];
    let stat = Stat::of_runs(&[event("cycles", None), user.clone()], &[run(&counts, 1)]);
    assert_eq!(ratios(&stat, 1), [""; 0]);
    let mut cycles = event("cycles:u", None);
    cycles.kernel = false;
    let stat = Stat::of_runs(&[cycles, user], &[run(&counts, 1)]);
    assert_eq!(ratios(&stat, 1), ["2.000 per cycle"]);
    let cores = [event("cpu_atom/cycles/", None), event("cpu_core/instructions/", None)];
    assert_eq!(ratios(&Stat::of_runs(&cores, &[run(&counts, 1)]), 1), [""; 0]);
}

#[test]
fn what_was_not_counted_has_no_count_and_no_ratio() {
    let never = EventCount { value: 0, time_enabled: 1_000, time_running: 0 };
    let stat =
        Stat::of_runs(&[event("cycles", None), event("instructions", None)], &[run(&[never, whole(5)], 1)]);
    assert_eq!(stat.rows[0].count, None);
    assert_eq!((ratios(&stat, 0), ratios(&stat, 1)), (vec![], vec![]));
}

#[test]
fn several_runs_have_a_mean_and_a_deviation() {
    let events = [event("page-faults", None)];
    let runs = [run(&[whole(10)], 100), run(&[whole(20)], 300)];
    let stat = Stat::of_runs(&events, &runs);
    assert_eq!(stat.runs, 2);
    assert_eq!(stat.rows[0].count, Spread::of(&[10.0, 20.0]));
    assert_eq!(stat.wall_time, Spread::of(&[100.0, 300.0]).expect("two"));
}

#[test]
fn processes_are_sorted_and_what_they_lack_is_told() {
    let process = |pid: u32, totals: &[u64]| {
        let mut process = CountedProcess::default();
        (process.process.pid, process.process.event_totals) = (pid, totals.to_vec());
        process
    };
    let mut whole_run = run(&[whole(100), quarter(10)], 1);
    whole_run.processes = vec![process(1, &[20, 1]), process(2, &[]), process(3, &[70, 4])];
    let stat = Stat::of_runs(&[event("page-faults", None), event("cycles", None)], &[whole_run]);
    let order: Vec<_> = stat.processes.iter().map(|process| process.pid).collect();
    assert_eq!(order, [3, 1, 2]);
    assert_eq!(stat.processes[0].counts[0], ProcessCount { value: 70, exact: true, raw: 70 });
    assert_eq!(stat.processes[0].counts[1], ProcessCount { value: 16, exact: false, raw: 4 });
    assert_eq!(stat.rest(), Some((1, vec![10, 5])));
}
