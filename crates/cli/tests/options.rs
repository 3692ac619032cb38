//! The options of `oprof record` do what they say.

mod harness;

use std::fs;
use std::path::Path;

use harness::{Coverage, Place, assert_one_line, share_of, skipped, symbols_of, users};

const BURN_A_FIFTH: &str = "BURNER(work) int main(void) { work(0.2); return 0; }";

/// The count of the event in the report's header.
fn count(place: &Place) -> u64 {
    let report = place.report("-l").with_status(0);
    let line = report.text().lines().find(|line| line.starts_with("Counted ")).expect("the event is told");
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count: {line}"))
}

/// `-c` is the number of events between two samples.
#[test]
fn a_count_is_the_distance_of_samples() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
        for (asked, expected) in [(2_000_000, 100.0), (500_000, 400.0)] {
            let finished = place.record(&format!("-e cpu-clock -c {asked}"), "./program").with_status(0);
            assert_eq!(count(&place), asked, "{user:?}");
            let samples = Coverage::read(&finished.stderr).samples as f64;
            assert!((0.3..1.6).contains(&(samples / expected)), "{user:?}: {samples} of {expected}");
        }
    }
}

/// `-F` is the number of samples per second of the event's time.
#[test]
fn a_frequency_is_the_number_of_samples_a_second() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
        let finished = place.record("-e cpu-clock -F 2000", "./program").with_status(0);
        let samples = Coverage::read(&finished.stderr).samples;
        assert!((120..650).contains(&samples), "{user:?}: {samples} of 400: {}", finished.stderr);
    }
}

/// An event that is asked for twice would be two columns of one name: it is refused before the command runs.
#[test]
fn an_event_given_twice_is_refused() {
    let place = Place::new();
    for options in ["-e cpu-clock -e cpu-clock", "-e cpu-clock,cpu-clock", "-e {cpu-clock,cpu-clock}"] {
        let finished = place.record(options, "touch ran").with_status(125);
        assert_one_line(&finished.stderr, &["\"cpu-clock\" is given twice", "leave one of them out"]);
        assert!(!place.path("ran").exists());
    }
    place.record("-e cpu-clock -e cpu-clock:u", "true").with_status(0);
}

/// Several events are asked for by repeating the option or by a list.
#[test]
fn several_events_are_named_by_repeating_or_listing() {
    let place = Place::new();
    for (options, names) in [
        ("-e cpu-clock -e page-faults", ["cpu-clock", "page-faults"]),
        ("-e cpu-clock,page-faults", ["cpu-clock", "page-faults"]),
        ("-e task-clock -e minor-faults", ["task-clock", "minor-faults"]),
    ] {
        let finished = place.record(options, "true").with_status(0);
        let lines: Vec<&str> =
            finished.stderr.lines().filter_map(|line| line.strip_prefix("oprof: coverage: ")).collect();
        for name in names {
            let told = lines.iter().filter(|line| line.contains(name)).count();
            assert_eq!(told, 1, "{options}, {name}: {}", finished.stderr);
        }
    }
}

/// A frequency above the kernel's limit is one line with the limit and its remedy, before the command runs.
#[test]
fn a_frequency_above_the_limit_is_one_line() {
    let limit = fs::read_to_string("/proc/sys/kernel/perf_event_max_sample_rate").unwrap_or_default();
    let Ok(limit) = limit.trim().parse::<u64>() else { return skipped("the kernel tells no limit") };
    for user in users() {
        let place = Place::of(user);
        let options = format!("-e cpu-clock -F {}", limit + 1);
        let finished = place.record(&options, "touch was-run").with_status(125);
        // The kernel lowers the limit where sampling was found to take too long.
        assert_one_line(&finished.stderr, &["cpu-clock", "limit", "-F"]);
        assert!(!place.path("was-run").exists());
    }
}

/// A clock cannot be read more often than its timer fires.
#[test]
fn a_count_below_the_minimum_is_one_line() {
    let place = Place::new();
    let finished = place.record("-e cpu-clock -c 100", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["cpu-clock", "100", "minimum"]);
    assert!(!place.path("was-run").exists());
}

/// An event that this machine does not have is one line with the cause, and the command is not run.
#[test]
fn an_event_that_cannot_be_opened_is_one_line() {
    let place = Place::new();
    let finished = place.record("-e cycles", "true");
    if finished.code() == Some(0) {
        return skipped("this machine has hardware counters");
    }
    let finished = place.record("-e cycles", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["cycles", "oprof list"]);
    assert!(!place.path("was-run").exists());
}

/// Buffers of any size work, the smallest and what is not a power of two included.
#[test]
fn buffers_of_any_size_work() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
        for size in ["1", "4K", "64K", "100K", "65536"] {
            let finished = place.record(&format!("-e cpu-clock:u -m {size}"), "./program").with_status(0);
            let share = share_of(&symbols_of(&place, "oprof.data"), |row| row.name == "work");
            assert!(share > 50.0, "{user:?}, -m {size}: {share:.1} %: {}", finished.stderr);
        }
    }
}

/// A buffer that is too small for what happens loses samples, and says so.
#[test]
fn lost_samples_are_told() {
    let place = Place::new();
    let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
    let finished = place.record("-e cpu-clock -c 20000 -m 4K", "./program").with_status(0);
    let coverage = Coverage::read(&finished.stderr);
    let covered = coverage.covered.unwrap_or(100.0);
    let told = coverage.line.contains("lost") && !coverage.line.contains("nothing lost");
    let throttled = coverage.line.contains("throttled ");
    assert!(covered > 90.0 || told || throttled, "{}", coverage.line);
}

/// Each scope that is permitted sees the command's functions; one that is not is one line with the remedy.
#[test]
fn every_scope_samples_the_command() {
    for user in users() {
        let place = Place::of(user);
        let Some(_) = place.cc("program", BURN_A_FIFTH) else { return };
        for scope in ["auto", "cgroup", "system", "inherit"] {
            let finished = place.record(&format!("-v --scope {scope}"), "./program");
            if finished.code() == Some(125) {
                assert!(!user.is_root() || scope == "cgroup", "{user:?}: {}", finished.stderr);
                assert!(matches!(scope, "cgroup" | "system"), "{user:?}, {scope}: {}", finished.stderr);
                skipped(&format!("{user:?}, scope {scope}: {}", finished.stderr.trim()));
                continue;
            }
            let finished = finished.with_status(0);
            assert!(
                scope == "auto" || finished.stderr.contains(&format!("scope {scope}")),
                "{}",
                finished.stderr
            );
            let symbols = symbols_of(&place, "oprof.data");
            assert!(share_of(&symbols, |row| row.name == "work") > 50.0, "{user:?}, {scope}: {symbols:#?}");
            let coverage = Coverage::read(&finished.stderr);
            assert_eq!(coverage.processes, 1, "{user:?}, {scope}: {}", coverage.line);
            assert!(
                !coverage.line.contains("(multiplexed"),
                "{user:?}, {scope}: it was not: {}",
                coverage.line
            );
        }
    }
}

/// A tracepoint gives a sample each time it is passed.
#[test]
fn a_tracepoint_is_sampled_each_time() {
    let mounted = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]
        .into_iter()
        .find(|path| Path::new(path).join("events/sched/sched_process_exec").is_dir());
    if mounted.is_none() {
        return skipped("tracefs is not mounted");
    }
    let place = Place::new();
    let finished =
        place.record_these("-e sched:sched_process_exec", &["sh", "-c", "/bin/true; /bin/true; /bin/true"]);
    if finished.code() == Some(125) {
        return skipped(finished.stderr.trim());
    }
    let samples = Coverage::read(&finished.stderr).samples;
    assert!((3..=4).contains(&samples), "{samples} execs: {}", finished.stderr);
}

/// A tracepoint that cannot be had is one line with the cause.
#[test]
fn a_tracepoint_that_cannot_be_had_is_one_line() {
    let place = Place::of(harness::User::unprivileged());
    let finished = place.record("-e no_such:tracepoint", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["no_such:tracepoint"]);
    assert!(!place.path("was-run").exists());
}
