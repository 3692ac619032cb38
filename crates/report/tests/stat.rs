//! Counts as they are printed, of a machine that has hardware counters, made up.

use oprof_profile::{
    CountedEvent, CountedInterval, CountedProcess, CountedRun, EventCount, Process, Timestamp,
};
use oprof_report::Stat;
use oprof_report::render::Look;
use oprof_report::render::stat::{Csv, IntervalTable, interval_json, json, processes, table};

fn event(name: &str, group: Option<u32>) -> CountedEvent {
    CountedEvent {
        name: name.to_owned(),
        group,
        user: true,
        kernel: true,
        nanoseconds: name == "task-clock",
        scale: if name == "power/energy-pkg/" { 0.25 } else { 1.0 },
        unit: if name == "power/energy-pkg/" { "Joules" } else { "" }.to_owned(),
    }
}

fn events() -> Vec<CountedEvent> {
    let names = [
        "task-clock",
        "page-faults",
        "power/energy-pkg/",
        "cycles",
        "instructions",
        "branches",
        "branch-misses",
    ];
    let group = |index| (3..5).contains(&index).then_some(0);
    names.iter().enumerate().map(|(index, name)| event(name, group(index))).collect()
}

const SECOND: u64 = 1_000_000_000;

/// The first three were counted throughout; cycles and instructions, a group, for three quarters of the time.
fn run(factor: u64) -> CountedRun {
    let count = |value: u64, share: u64| EventCount {
        value: value * factor,
        time_enabled: 2 * SECOND,
        time_running: 2 * SECOND / 100 * share,
    };
    let never = EventCount { value: 0, time_enabled: 2 * SECOND, time_running: 0 };
    let counts = vec![
        count(2 * SECOND, 100),
        count(1_234, 100),
        count(10, 100),
        count(4_500_000_000, 75),
        count(9_000_000_000, 75),
        count(1_000_000, 50),
        never,
    ];
    CountedRun { counts, wall_time: SECOND * factor, ..CountedRun::default() }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

fn wide(width: u16) -> Look {
    Look { width: Some(width), colour: false }
}

#[test]
fn a_table_has_counts_shares_and_ratios() {
    let stat = Stat::of_runs(&events(), &[run(1)]);
    assert_eq!(
        text(|out| table(&stat, Look::default(), out)),
        &r#"
         count  counted  event              ratio
---------------------------------------------------------------------
       2.000 s  100.0 %  task-clock         2.000 CPUs
         1,234  100.0 %  page-faults        617.0 per CPU second
   2.50 Joules  100.0 %  power/energy-pkg/
 6,000,000,000   75.0 %  cycles             ~3.000 GHz
12,000,000,000   75.0 %  instructions       2.000 per cycle
     2,000,000   50.0 %  branches           ~1,000,000 per CPU second
   not counted    0.0 %  branch-misses
1.000 s wall time
"#[1..]
    );
}

#[test]
fn ratios_stand_below_the_names_where_lines_have_no_room() {
    let stat = Stat::of_runs(
        &events()[3..5],
        &[CountedRun { counts: run(1).counts[3..5].to_vec(), wall_time: SECOND, ..CountedRun::default() }],
    );
    assert_eq!(
        text(|out| table(&stat, wide(50), out)),
        &r#"
         count  counted  event
----------------------------------------
 6,000,000,000   75.0 %  cycles
12,000,000,000   75.0 %  instructions
                         2.000 per cycle
1.000 s wall time
"#[1..]
    );
}

#[test]
fn several_runs_have_a_mean_and_a_deviation() {
    let runs = [run(1), run(3)];
    let stat = Stat::of_runs(&events()[..2], &runs);
    assert_eq!(
        text(|out| table(&stat, Look::default(), out)),
        &r#"
   mean  deviation  event        ratio
-----------------------------------------------------
4.000 s    70.71 %  task-clock   2.000 CPUs
  2,468    70.71 %  page-faults  617.0 per CPU second
2 runs of 2.000 s wall time, deviation 70.71 %
"#[1..]
    );
}

#[test]
fn an_interval_is_a_line_for_each_event() {
    let interval =
        CountedInterval { end: 3 * SECOND / 2, duration: SECOND, counts: run(1).counts, places: Vec::new() };
    let events = events();
    let printed = text(|out| {
        let table = IntervalTable::new(&events);
        table.titles(out)?;
        table.write(&events, &interval, out)
    });
    assert_eq!(
        printed,
        &r#"
        time               count  event              ratio
----------------------------------------------------------
  1.500000 s             2.000 s  task-clock         2.000 CPUs
  1.500000 s               1,234  page-faults        617.0 per CPU second
  1.500000 s         2.50 Joules  power/energy-pkg/
  1.500000 s       6,000,000,000  cycles             counted 75.0 % of the time, ~3.000 GHz
  1.500000 s      12,000,000,000  instructions       counted 75.0 % of the time, 2.000 per cycle
  1.500000 s           2,000,000  branches           counted 50.0 % of the time, ~1,000,000 per CPU second
  1.500000 s         not counted  branch-misses      counted 0.0 % of the time
"#[1..]
    );
}

#[test]
fn fields_stand_in_the_order_of_perf_stat() {
    let stat = Stat::of_runs(&events(), &[run(1)]);
    assert_eq!(
        text(|out| Csv::new(",").stat(&stat, false, out)),
        &r#"
2000.000000,msec,task-clock,2000000000,100.00,2.000,CPUs
1234,,page-faults,2000000000,100.00,617.0,per CPU second
2.50,Joules,power/energy-pkg/,2000000000,100.00,,
6000000000,,cycles,1500000000,75.00,3.000,GHz
12000000000,,instructions,1500000000,75.00,2.000,per cycle
2000000,,branches,1000000000,50.00,1000000,per CPU second
<not counted>,,branch-misses,0,0.00,,
"#[1..]
    );
    let mut events = events();
    events.truncate(1);
    events.push(event("cpu/event=1,umask=2/", None));
    let stat = Stat::of_runs(&events, &[run(1), run(3)]);
    assert_eq!(
        text(|out| Csv::new(",").stat(&stat, false, out)),
        &r#"
4000.000000,msec,task-clock,70.71%,4000000000,100.00,2.000,CPUs
2468,,"cpu/event=1,umask=2/",70.71%,4000000000,100.00,617.0,per CPU second
"#[1..]
    );
    let interval =
        CountedInterval { end: 3 * SECOND / 2, duration: SECOND, counts: run(1).counts, places: Vec::new() };
    assert_eq!(
        text(|out| Csv::new(";").interval(&events[..1], &interval, out)),
        "1.500000000;2000.000000;msec;task-clock;2000000000;100.00;2.000;CPUs\n"
    );
}

#[test]
fn json_has_every_number_as_it_is() {
    let stat = Stat::of_runs(
        &events()[3..5],
        &[CountedRun { counts: run(1).counts[3..5].to_vec(), wall_time: SECOND, ..CountedRun::default() }],
    );
    let printed = text(|out| json(&stat, "make \"all\"", &["a note".to_owned()], false, out));
    let value: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(printed.lines().count(), 1, "one object, one line");
    assert_eq!(value["schema"], "oprof-stat/1");
    assert_eq!((&value["target"], &value["notes"][0]), (&"make \"all\"".into(), &"a note".into()));
    let cycles = &value["events"][0];
    assert_eq!((&cycles["count"], &cycles["raw"]), (&6_000_000_000_u64.into(), &4_500_000_000_u64.into()));
    assert_eq!(cycles["time_running"].as_u64(), Some(1_500_000_000));
    assert_eq!(value["events"][1]["ratios"][0]["exact"], true);
    assert!(value.get("processes").is_none() && cycles.get("deviation").is_none());
    let interval = CountedInterval { end: 5, duration: 2, counts: run(1).counts, places: Vec::new() };
    let printed = text(|out| interval_json(&events(), &interval, out));
    let value: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!((value["time"].as_u64(), value["wall_time"].as_u64()), (Some(5), Some(2)));
    assert!(value["events"][6]["count"].is_null(), "not counted is not nothing");
}

/// make, a compiler whose name holds what a terminal would act on, and a process of which nothing was told.
fn tree() -> Stat {
    tree_with(0)
}

fn tree_with(lost_records: u64) -> Stat {
    let process = |pid, command: &[&str], times: [u64; 2], totals: &[u64]| CountedProcess {
        process: Process {
            pid,
            arguments: command.iter().map(|argument| (*argument).to_owned()).collect(),
            comm: "short".to_owned(),
            ended: Some(Timestamp(times[1] * 1_000_000)),
            event_totals: totals.to_vec(),
            ..Process::default()
        },
        started: Timestamp(times[0] * 1_000_000),
    };
    let mut whole = run(1);
    whole.counts.truncate(4);
    whole.lost_records = lost_records;
    whole.processes = vec![
        process(10, &["make", "all"], [0, 900], &[SECOND / 2, 200, 0, 500_000_000]),
        process(11, &["cc1", "a b.c", "\x1b[31m"], [10, 500], &[3 * SECOND / 2, 1_000, 10, 4_000_000_000]),
        process(12, &[], [20, 21], &[]),
        process(13, &["true"], [30, 31], &[400_000, 4, 0, 0]),
    ];
    Stat::of_runs(&events()[..4], &[whole])
}

#[test]
fn processes_are_listed_with_their_counts() {
    assert_eq!(
        text(|out| processes(&tree(), 0.0, Look::default(), out)),
        &r#"
task-clock  page-faults  power/energy-pkg/          cycles  wall time  pid  command
-----------------------------------------------------------------------------------
1500.00 ms        1,000                 10  ~5,333,333,333  490.00 ms   11  cc1 'a b.c' '\x1b[31m'
 500.00 ms          200                  0    ~666,666,666  900.00 ms   10  make all
   0.40 ms            4                  0              ~0    1.00 ms   13  true
         -            -                  -               -    1.00 ms   12  [short]
1 process has no count of its own (-): 30 page-faults
"#[1..]
    );
}

#[test]
fn a_narrow_table_of_processes_names_what_it_leaves_out() {
    let printed = text(|out| processes(&tree(), 1.0, wide(60), out));
    assert_eq!(
        printed,
        &r#"
task-clock  wall time  pid  command
-----------------------------------
1500.00 ms  490.00 ms   11  cc1 'a b.c' '\x1b[31m'
 500.00 ms  900.00 ms   10  make all
2 processes below 1 % not shown
no room for page-faults, power/energy-pkg/, cycles; a wider terminal or a file (-o) has it
1 process has no count of its own (-): 30 page-faults
"#[1..]
    );
}

#[test]
fn lost_records_are_told() {
    let told = |lost| text(|out| processes(&tree_with(lost), 0.0, Look::default(), out));
    assert!(!told(0).contains("lost"));
    assert!(told(1).ends_with("1 record was lost: a process may be missing, or its command line\n"));
    assert!(told(1_200).ends_with("1,200 records were lost: processes may be missing, or command lines\n"));
}

#[test]
fn fields_of_processes_end_in_the_command_line() {
    let printed = text(|out| Csv::new(",").stat(&tree(), true, out));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 4 + 4 * 4);
    assert_eq!(lines[0], "all,2000.000000,msec,task-clock,2000000000,100.00,2.000,CPUs,1000000000,");
    assert_eq!(lines[4], "11,1500.000000,msec,task-clock,,100.00,,,490000000,cc1 'a b.c' '\\x1b[31m'");
    assert_eq!(lines[16], "12,<not counted>,,task-clock,,100.00,,,1000000,[short]");
}
