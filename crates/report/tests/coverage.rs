//! The coverage line, over recordings of every kind.

mod recordings;

use oprof_profile::{Event, Process, ProcessId, Recording, Sampling, Scope};
use oprof_report::{coverage_line, coverage_lines};
use recordings::{Builder, counter, cpu_clock};

/// Three processes, one of them by way of an exec; two have samples. 99 of 100 ms are sampled.
fn recording() -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/a", "/bin/a", "main", 60);
    let fork = builder.app("/bin/a");
    let image = builder.image("/bin/b");
    let exec = Process { app: Some(image), before_exec: Some(fork), ..Process::default() };
    builder.process(exec);
    builder.symbol("/bin/c", "/bin/c", "main", 39);
    builder.process(Process::default());
    builder.recording.coverage.events[0].counted = Some(100_000_000);
    builder.recording
}

#[test]
fn a_good_recording_is_praised_in_one_line() {
    assert_eq!(
        coverage_line(&recording()),
        "coverage: 99 samples stand for 99.0 % of cpu-clock's exact total (100.00 ms); \
         3 processes, 1 without a sample; nothing lost, throttled or multiplexed"
    );
}

#[test]
fn an_unknown_total_is_said_to_be_unknown() {
    let mut recording = recording();
    recording.coverage.events[0].counted = None;
    let line = coverage_line(&recording);
    assert!(
        line.starts_with(
            "coverage: 99 samples stand for 99.00 ms of cpu-clock; its exact total is not known;"
        )
    );
}

#[test]
fn what_was_lost_is_said() {
    let mut recording = recording();
    recording.coverage.lost_records = 1;
    recording.coverage.lost_samples = 1234;
    recording.coverage.throttled = 2;
    let line = coverage_line(&recording);
    assert!(line.contains("; 1 record lost, 1,234 samples lost, throttled 2 times ("), "{line}");
    for cure in ["-F or -c", "kernel.perf_event_max_sample_rate", "kernel.perf_cpu_time_max_percent"] {
        assert!(line.contains(cure), "{line}");
    }
}

#[test]
fn multiplexing_is_said_of_the_event() {
    let mut recording = recording();
    recording.coverage.events[0].time_enabled = 1000;
    recording.coverage.events[0].time_running = 334;
    let line = coverage_line(&recording);
    assert!(
        line.contains(
            "; cpu-clock was counted 33.4 % of the time (multiplexed: the total is of that time, over all of it about \
             299.40 ms);"
        ),
        "{line}"
    );
    assert!(line.ends_with("; nothing lost or throttled"), "{line}");
    recording.coverage.events[0].time_running = 0;
    let line = coverage_line(&recording);
    assert!(
        line.contains("; cpu-clock was counted 0.0 % of the time (multiplexed: the total is of that time);"),
        "what was never counted cannot be scaled: {line}"
    );
}

#[test]
fn a_switch_of_tasks_is_no_multiplexing() {
    let mut recording = recording();
    recording.coverage.events[0].time_enabled = 1_000_000;
    recording.coverage.events[0].time_running = 999_900;
    assert!(coverage_line(&recording).ends_with("nothing lost, throttled or multiplexed"));
}

#[test]
fn samples_of_others_count_in_what_is_covered() {
    let mut recording = recording();
    recording.coverage.events[0].counted = Some(200_000_000);
    recording.coverage.events[0].outside_samples = 100;
    recording.coverage.events[0].outside_weight = 100_000_000;
    let line = coverage_line(&recording);
    assert!(line.starts_with("coverage: 199 samples stand for 99.5 % of "), "{line}");
    assert!(line.contains("; 100 of them outside the command's processes;"), "{line}");
    assert!(line.contains("; that total includes idle time, which is not always sampled;"), "{line}");
}

#[test]
fn periods_that_the_kernel_chose_are_not_more_than_all() {
    let mut builder =
        Builder::new([Event { sampling: Sampling::Frequency(997), ..counter("switches", "", 1) }]);
    builder.symbol("/bin/a", "/bin/a", "main", 157);
    builder.recording.coverage.events[0].counted = Some(100_000_000);
    let line = coverage_line(&builder.recording);
    assert!(
        line.starts_with(
            "coverage: 157 samples stand for all of switches's exact total (100,000,000); the periods"
        ),
        "{line}"
    );
    assert!(line.contains(" chose for -F add up to 157.0 % of it, fixed ones (-c) are exact;"), "{line}");
}

#[test]
fn samples_that_a_late_timer_skipped_are_not_nothing() {
    let mut recording = recording();
    recording.run.scope = Scope::Cgroup;
    recording.events[0].sampling = Sampling::Count(1_000_000);
    recording.coverage.events[0].counted = Some(120_000_000);
    let line = coverage_line(&recording);
    assert!(line.contains("; its timer came late and skipped samples: on a virtual machine"), "{line}");
    assert!(line.ends_with("; nothing else lost, throttled or multiplexed"), "{line}");
    recording.events[0].sampling = Sampling::Count(10_101);
    let line = coverage_line(&recording);
    assert!(line.contains("skipped samples: a lower -F (or a higher -c) misses less;"), "{line}");
    recording.coverage.lost_records = 1;
    assert!(!coverage_line(&recording).contains("timer"), "there is a better reason");
}

#[test]
fn more_than_all_of_processes_has_a_reason() {
    let mut recording = recording();
    recording.run.target = oprof_profile::Target::Processes(vec![1]);
    assert!(!coverage_line(&recording).contains("end of a process"));
    recording.coverage.events[0].counted = Some(90_000_000);
    let line = coverage_line(&recording);
    assert!(
        line.contains("; what the kernel does at the end of a process is sampled, and not in that total;"),
        "{line}"
    );
}

#[test]
fn of_a_system_it_is_said_how_busy_it_was() {
    let mut recording = recording();
    recording.run.scope = Scope::System;
    (recording.run.cpus, recording.coverage.idle_time) = (2, 301_000_000);
    let line = coverage_line(&recording);
    assert!(line.starts_with("coverage: 99 samples; CPUs were idle about 75 % of the time;"), "{line}");
    recording.run.cpus = 0;
    let line = coverage_line(&recording);
    assert!(
        line.starts_with(
            "coverage: 99 samples stand for 99.0 % of the time that CPUs were busy (100.00 ms, 24.9 % of all);"
        ),
        "{line}"
    );
}

#[test]
fn an_end_before_its_time_is_said() {
    let mut recording = recording();
    recording.end = None;
    recording.coverage.left_running = 2;
    let line = coverage_line(&recording);
    assert!(
        line.ends_with(
            "; 2 processes left the scope or outlived the command; \
             recording was cut off: it ends at its last flush"
        ),
        "{line}"
    );
}

#[test]
fn poor_coverage_of_inherited_events_names_the_cure() {
    let mut recording = recording();
    recording.run.scope = Scope::Inherit;
    assert!(!coverage_line(&recording).contains("--scope"));
    recording.coverage.events[0].counted = Some(1_400_000_000);
    let line = coverage_line(&recording);
    assert!(line.contains("stand for 7.1 % of"), "{line}");
    assert!(line.contains("were missed: --scope cgroup (as root) samples them"), "{line}");
    recording.run.scope = Scope::Cgroup;
    assert!(!coverage_line(&recording).contains("--scope"));
}

#[test]
fn a_clock_sampled_in_user_mode_covers_at_least_its_share() {
    let mut recording = recording();
    recording.events[0].kernel = false;
    let line = coverage_line(&recording);
    assert!(
        line.contains("at least 99.0 %") && line.contains("includes kernel time, which was not sampled"),
        "{line}"
    );
}

#[test]
fn each_of_several_events_has_a_line() {
    let mut builder = Builder::new([cpu_clock(), counter("page-faults", "", 1)]);
    builder.symbol("/bin/a", "/bin/a", "main", 1);
    builder.recording.coverage.events[1].counted = Some(0);
    let lines = coverage_lines(&builder.recording);
    assert_eq!(lines[1], "coverage: 0 samples of page-faults: sampling was never switched on");
    let never_happened = &mut builder.recording.coverage.events[1];
    (never_happened.time_enabled, never_happened.time_running) = (1000, 1000);
    let expected = [
        "coverage: 1 sample stands for 1.00 ms of cpu-clock; its exact total is not known",
        "coverage: 0 samples; page-faults was counted and never happened",
        "coverage: 1 process, each with a sample; nothing lost, throttled or multiplexed",
    ];
    assert_eq!(coverage_lines(&builder.recording), expected);
}

#[test]
fn a_process_is_counted_once_however_often_it_executes() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/a", "/bin/a", "main", 1);
    for before in 0..50 {
        builder.process(Process { before_exec: Some(ProcessId(before)), ..Process::default() });
    }
    assert!(coverage_line(&builder.recording).contains("; 1 process, each with a sample;"));
}
