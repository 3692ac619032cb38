//! The exact totals that a recording holds beside its samples.

mod harness;

use harness::{Place, User, skipped};
use oprof_profile::Recording;

/// Four threads and five children, all of which touch memory and let one another run.
const THREADS: &str = r#"
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void touch(int pages) {
    volatile char *memory = malloc(pages * 4096L);
    for (int page = 0; page < pages; page++) { memory[page * 4096L] = 1; if (page % 8 == 0) sched_yield(); }
}
static void *work(void *pages) { touch(*(int *)pages); return 0; }
int main(void) {
    static int pages[4] = {200, 300, 400, 500};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], 0, work, &pages[i]);
    for (int i = 0; i < 5; i++) if (fork() == 0) { touch(100); _exit(0); }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
    while (wait(0) > 0) {}
    return 0;
}
"#;

/// With one sample for each event, the samples of every process are its exact total, which the kernel counted apart
/// from them: in every scope, over forks and execs.
#[test]
fn where_every_event_is_sampled_each_process_has_as_many_samples_as_its_total() {
    let place = Place::new();
    for scope in scopes() {
        let command = ["sh", "-c", "for i in 1 2 3 4 5; do /bin/true; (:); done"];
        assert_exact(&place, &format!("--scope {scope}"), &command, 5);
        assert_exact(&place, &format!("--scope {scope} -e cpu-clock:u"), &command, 5);
    }
}

/// The kernel may exchange the counters of threads and processes as it switches between them: that must not move events
/// from one process to another.
#[test]
fn each_process_has_its_own_total_where_threads_and_forks_are_many() {
    let place = Place::new();
    let Some(program) = place.cc("threads", THREADS) else { return };
    let program = program.to_string_lossy();
    for scope in scopes() {
        for _ in 0..4 {
            let script = format!("{program}; {program}; :");
            assert_exact(&place, &format!("--scope {scope}"), &["sh", "-c", &script], 6);
        }
    }
}

/// The same where a profiler is recorded, whose own counters the command has among ours.
#[test]
fn a_profiler_that_is_recorded_does_not_mix_up_totals() {
    let place = Place::new();
    let Some(program) = place.cc("threads", THREADS) else { return };
    let script = format!("{0}; {0}; :", program.display());
    let oprof = env!("CARGO_BIN_EXE_oprof");
    let mut profilers = vec![vec![oprof, "record", "-q", "--scope", "inherit", "-o", "inner.data", "--"]];
    if std::process::Command::new("perf").arg("--version").output().is_ok_and(|perf| perf.status.success()) {
        profilers.push(vec!["perf", "record", "-q", "-B", "-N", "-e", "cpu-clock:u", "-o", "perf.data"]);
    } else {
        skipped("perf that is recorded: it is not installed");
    }
    for scope in scopes() {
        for profiler in &profilers {
            let command: Vec<&str> = profiler.iter().copied().chain(["sh", "-c", &script]).collect();
            for _ in 0..2 {
                assert_exact(&place, &format!("--scope {scope}"), &command, 6);
            }
        }
    }
}

/// While the recorder stands still its buffer runs over, and nothing comes behind that would tell so: what was lost is
/// told all the same, and is with the samples the whole total.
#[test]
fn what_is_lost_at_the_end_is_told() {
    let place = Place::new();
    let source = "int main(void) {
        volatile char *memory = malloc(4096 * 1000L);
        for (int page = 0; page < 1000; page++) memory[page * 4096L] = 1;
        return 0;
    }";
    let Some(program) = place.cc("touch", source) else { return };
    let script = format!("kill -STOP $PPID; {}; kill -CONT $PPID", program.display());
    for scope in scopes() {
        let options = format!("--scope {scope} -e page-faults:u -m 4K");
        let finished = place.record_these(&options, &["sh", "-c", &script]).with_status(0);
        let recording = Recording::open(&place.path("oprof.data")).expect("the recording can be read");
        let (event, lost) = (&recording.coverage.events[0], recording.coverage.lost_records);
        let total = event.counted.expect("the total is known");
        assert!(lost > 500 && finished.stderr.contains(" lost"), "{scope}: {}", finished.stderr);
        // Where events are inherited, records of processes are in the same buffer and can be lost, too. In system scope
        // others' samples are.
        let found = event.samples + lost;
        assert!(found >= total, "{scope}: {found} of {total}: {}", finished.stderr);
        assert!(scope != "cgroup" || found == total, "{scope}: {found} of {total}: {}", finished.stderr);
    }
}

/// The scopes that this user can have.
fn scopes() -> Vec<&'static str> {
    if User::Own.is_root() {
        return vec!["inherit", "cgroup", "system"];
    }
    skipped("cgroup and system scope: not root");
    vec!["inherit"]
}

/// Records every page fault, and finds as many in each process as its total says, wherever that is exact.
#[track_caller]
fn assert_exact(place: &Place, options: &str, command: &[&str], least: usize) {
    // Page faults in user code, since not every user may look into the kernel.
    place.record_these(&format!("-e page-faults:u -q {options}"), command).with_status(0);
    let report = place.report("--by process -n oprof.data").with_status(0);
    let rows: Vec<Vec<&str>> = report.text().lines().map(|line| line.split_whitespace().collect()).collect();
    // samples, share, where a clock is sampled too faults in a second, total, pid, ...; a total with a tilde is an estimate.
    let total = if options.contains("cpu-clock") { 3 } else { 2 };
    let is_exact = |row: &&Vec<&str>| row.len() > total + 2 && !row[total].starts_with('~');
    let exact: Vec<&Vec<&str>> = rows.iter().filter(is_exact).collect();
    assert!(exact.len() >= least, "{options}: too few exact totals:\n{}", report.text());
    for row in exact {
        let (samples, total): (u64, u64) = (number(row[0]), number(row[total]));
        assert_eq!(samples, total, "{options}:\n{}", report.text());
    }
}

/// A number with its groups of three digits.
fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}
