//! What goes wrong around a recording: kills at any moment, too few descriptors, CPUs that refuse, processes that come and
//! go too fast.

mod harness;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::{
    Coverage, Finished, Place, Started, assert_no_panic, assert_one_line, finish, samples_of, skipped, until,
    users,
};
use oprof_profile::Recording;
use rustix::process::Signal;

/// `oprof record` in a shell that has set a limit first.
fn limited(place: &Place, limit: &str, command: &[&str]) -> Finished {
    let mut shell = place.command("sh");
    let script = format!("ulimit {limit}; exec \"$@\"");
    let oprof = place.oprof(["record", "-o", "limited.data", "-e", "cpu-clock:u", "--"]);
    shell.args(["-c", &script, "sh"]).arg(oprof.get_program()).args(oprof.get_args()).args(command);
    finish(&mut shell)
}

/// Each run, at a moment of its own: what was written a second ago is there.
#[test]
fn a_recorder_killed_at_any_moment_loses_a_second_at_most() {
    const RUNS: u64 = 20;
    /// A busy machine flushes late.
    const LATE: f64 = 1.5;
    for user in users() {
        let place = Place::of(user);
        if place.cc("work", "BURNER(work) int main(void) { work(60); return 0; }").is_none() {
            return;
        }
        // From well before the first flush to well behind the third; not in step with flushes.
        let run = |number: u64| {
            let recording = format!("killed-{number}.data");
            let options = ["record", "-q", "-e", "cpu-clock:u", "-F", "1000", "-o", &recording, "./work"];
            let mut oprof = Started::new(place.oprof(options).stderr(std::process::Stdio::piped()));
            until("the recording is there", || place.path(&recording).exists().then_some(()));
            let start = Instant::now();
            thread::sleep(Duration::from_millis(317 + number * 137));
            oprof.signal(Signal::KILL);
            let ran = start.elapsed().as_secs_f64();
            let status = oprof.finish_alone();
            assert_eq!(status.code(), None, "a signal ended it");
            let found = Recording::open(&place.path(&recording)).expect("readable");
            assert!(found.is_cut_off(), "run {number}: {:?}", found.damage);
            let recorded = found.duration.as_secs_f64();
            assert!(recorded > ran - 1.0 - LATE, "run {number}: {recorded:.2} s of {ran:.2} s");
            let samples: u64 = found.counts.iter().map(|(_, count)| count.samples).sum();
            // Two at a time on two CPUs: half of the time at the very least, unless others take it.
            assert!(samples as f64 <= 1_100.0 * (ran + LATE), "run {number}: {samples} in {ran:.2} s");
            assert!(recorded < 1.0 || samples > 0, "run {number}: none in {recorded:.2} s");
        };
        thread::scope(|scope| {
            for part in 0..4 {
                scope.spawn(move || (0..RUNS).filter(|number| number % 4 == part).for_each(run));
            }
        });
    }
}

/// However few descriptors there are, the recording works or the command does not run.
#[test]
fn with_any_number_of_descriptors_it_works_or_says_why_not() {
    for user in users() {
        let place = Place::of(user);
        let mut worked = 0;
        for number in (3..40).chain([64, 256]) {
            let ran = place.path("ran");
            let _ = std::fs::remove_file(&ran);
            let finished = limited(&place, &format!("-n {number}"), &["touch", "ran"]);
            assert_no_panic(&finished.stderr);
            match finished.code() {
                Some(0) => {
                    assert!(ran.exists(), "with {number}: {}", finished.stderr);
                    assert!(Recording::open(&place.path("limited.data")).is_ok(), "with {number}");
                    worked += 1;
                }
                // With three the loader of programs has none for itself.
                _ if number < 5 => assert!(!ran.exists(), "with {number}: {}", finished.stderr),
                code => {
                    assert_eq!(code, Some(125), "with {number}: {}", finished.stderr);
                    assert_one_line(&finished.stderr, &[]);
                    assert!(!ran.exists(), "with {number}: {}", finished.stderr);
                    assert!(finished.stderr.contains("open files"), "with {number}: {}", finished.stderr);
                }
            }
        }
        assert!(worked > 0, "256 are enough");
    }
}

/// With fewer open files than it takes nothing runs; with few the recording does without what it can do without, and says so.
#[test]
fn a_low_limit_of_open_files_costs_the_exact_totals_first() {
    let place = Place::new();
    let mut met = Vec::new();
    for limit in (8..80).step_by(4) {
        let script = format!("ulimit -n {limit}; exec \"$@\"");
        let oprof = place.oprof(["record", "-e", "cpu-clock:u", "--", "touch", "ran"]);
        let mut shell = place.command("sh");
        shell.args(["-c", &script, "sh"]).arg(oprof.get_program()).args(oprof.get_args());
        let finished = finish(&mut shell);
        let ran = std::fs::remove_file(place.path("ran")).is_ok();
        let said = finished.stderr.contains("no exact totals because of the limit of open files");
        met.push(match finished.code() {
            Some(125) => {
                assert_one_line(&finished.stderr, &["open files", "--nofile="]);
                assert!(!ran, "{}", finished.stderr);
                "refused"
            }
            Some(0) if said => "without totals",
            code => {
                assert_eq!((code, ran), (Some(0), true), "{limit}: {}", finished.stderr);
                "whole"
            }
        });
    }
    met.dedup();
    assert_eq!(met, ["refused", "without totals", "whole"]);
}

/// The second CPU refuses its counters, as one does that is taken away at the wrong moment: it is told, and the command
/// does not run unprofiled.
#[test]
fn a_cpu_that_refuses_is_told() {
    if Command::new("strace").arg("--version").output().is_err() {
        return skipped("no strace");
    }
    let place = Place::new();
    let perf_calls = |arguments: &[&str]| {
        let mut strace = place.command("strace");
        let oprof = place.oprof(["record", "-e", "cpu-clock:u", "--", "touch", "ran"]);
        strace.args(["-f", "-o", "trace", "-e", "trace=perf_event_open"]).args(arguments);
        finish(strace.arg(oprof.get_program()).args(oprof.get_args()))
    };
    perf_calls(&[]).with_status(0);
    let trace = String::from_utf8(place.bytes("trace")).expect("text");
    // The first call for the second CPU: `perf_event_open(ATTRIBUTES, PID, CPU, GROUP, FLAGS)`.
    let of_second =
        |line: &&str| line.split("}, ").nth(1).is_some_and(|rest| rest.split(", ").nth(1) == Some("1"));
    let calls = trace.lines().filter(|line| line.contains("perf_event_open("));
    let Some(first) = calls.clone().position(|line| of_second(&line)) else {
        return skipped("one CPU alone");
    };
    for (error, words) in [
        ("EPERM", ["forbidden", "CAP_PERFMON"]),
        ("ENODEV", ["does not support", "oprof list"]),
        ("EMFILE", ["open files", "limit"]),
    ] {
        std::fs::remove_file(place.path("ran")).expect("the run before it made one");
        let inject = format!("inject=perf_event_open:error={error}:when={}+", first + 1);
        let finished = perf_calls(&["-e", &inject]);
        assert_no_panic(&finished.stderr);
        match finished.code() {
            Some(125) => {
                assert_one_line(&finished.stderr, &words);
                assert!(!place.path("ran").exists(), "{error}: {}", finished.stderr);
                std::fs::write(place.path("ran"), "").expect("written");
            }
            // What is narrower may do, where the wider was refused.
            code => assert_eq!(code, Some(0), "{error}: {}", finished.stderr),
        }
    }
}

/// Targets that end while they are attached to.
#[test]
fn a_process_that_ends_while_it_is_attached_to_is_told() {
    for user in users() {
        let place = Place::of(user);
        for milliseconds in 0..12 {
            let target = Started::new(place.command("sleep").arg(format!("0.0{milliseconds:02}")));
            let pid = target.id().to_string();
            let oprof = ["record", "-e", "cpu-clock:u", "-p", &pid, "-o", "attached.data"];
            let finished = finish(&mut place.oprof(oprof));
            assert_no_panic(&finished.stderr);
            match finished.code() {
                Some(0) => assert!(Recording::open(&place.path("attached.data")).is_ok()),
                code => {
                    assert_eq!(code, Some(125), "{}", finished.stderr);
                    assert_one_line(&finished.stderr, &["process", &pid, "ps -eL"]);
                }
            }
        }
    }
}

/// A script of nothing but short programs, as fast as they go.
#[test]
fn programs_executed_as_fast_as_possible_are_all_there() {
    const STORM: &str = r#"
        #include <sys/wait.h>
        #include <time.h>
        int main(int n, char **v) {
            if (n > 2) { for (volatile int i = 0; i < 20000; i++) {} return 0; }
            for (int i = 0; i < atoi(v[1]); i++) {
                if (fork() == 0) { execl(v[0], v[0], "x", "y", (char *)0); _exit(1); }
                int status; wait(&status);
                if (status) return 1;
            }
            return 0;
        }"#;
    for user in users() {
        let place = Place::of(user);
        if place.cc_with("storm", STORM, &["-static"]).is_none() {
            return;
        }
        for scope in if user.is_root() { &["cgroup", "system", "inherit"][..] } else { &["inherit"] } {
            let options = format!("--scope {scope} -e cpu-clock:u -F 4000");
            let finished = place.record(&options, "./storm 3000").with_status(0);
            assert_no_panic(&finished.stderr);
            let coverage = Coverage::read(&finished.stderr);
            // Where records are lost, or two processes got the same number, it may be less: then the line says so.
            if coverage.line.contains("nothing lost") {
                assert_eq!(coverage.processes, 3001, "{scope}: {}", coverage.line);
            } else {
                assert!(coverage.processes > 2000 && coverage.line.contains("lost"), "{}", coverage.line);
            }
            let [main] = samples_of(&place, ["main"]);
            assert!(main > 0, "{scope}: {}", coverage.line);
        }
    }
}

/// A process that maps and unmaps code without end: what is sampled in it is named rightly, and nothing grows with it.
#[test]
fn code_that_is_mapped_and_unmapped_without_end_costs_no_more() {
    const MAPS: &str = r#"
        #include <fcntl.h>
        #include <sys/mman.h>
        BURNER(work)
        int main(int n, char **v) {
            int file = open(v[0], O_RDONLY);
            for (int i = 0; i < 20000; i++) {
                void *code = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
                if (i % 100 == 0) work(0.002);
                munmap(code, 4096);
            }
            return 0;
        }"#;
    for user in users() {
        let place = Place::of(user);
        if place.cc("maps", MAPS).is_none() {
            return;
        }
        let finished = place.record("-e cpu-clock:u -F 2000", "./maps").with_status(0);
        assert_no_panic(&finished.stderr);
        let [work] = samples_of(&place, ["work"]);
        let [main] = samples_of(&place, ["main"]);
        assert!(work > 50 && work > main, "{work} and {main}: {}", finished.stderr);
        let recording = Recording::open(&place.path("oprof.data")).expect("readable");
        assert!(recording.images.len() < 30, "{} images", recording.images.len());
        let size = place.bytes("oprof.data").len();
        assert!(size < 64 << 10, "{size} bytes");
    }
}
