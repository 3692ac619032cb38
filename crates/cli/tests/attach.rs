//! `oprof record -p`, `-t`, `-C` and `--cgroup`: what runs already.

mod harness;

use std::fs;
use std::time::Duration;

use harness::{
    Coverage, Finished, Place, Started, User, assert_no_panic, assert_one_line, finish, samples_of, skipped,
    until, users,
};

/// Two functions, one of which takes twice as long as the other, in a main thread (`one`), and in a second thread one more
/// (`other`); with an argument children run a fourth instead, each for half a millisecond.
const WORK: &str = r#"
#include <pthread.h>
#include <unistd.h>
#include <sys/wait.h>
#define SPIN(n) for (volatile unsigned long turn = 0; turn < n; turn++) {}
__attribute__((noinline)) void long_work(void) { SPIN(200000); }
__attribute__((noinline)) void short_work(void) { SPIN(100000); }
__attribute__((noinline)) void thread_work(void) { SPIN(100000); }
__attribute__((noinline)) void child_work(void) { SPIN(200000); }
static void *other(void *nothing) { for (;;) thread_work(); }
int main(int n, char **v) {
    pthread_t thread;
    if (n > 1)
        for (;;) {
            if (fork() == 0) { child_work(); _exit(0); }
            wait(0);
        }
    pthread_create(&thread, 0, other, 0);
    for (;;) { long_work(); short_work(); }
}"#;

fn place(user: User) -> Option<Place> {
    let place = Place::of(user);
    place.cc_with("work", WORK, &["-pthread"])?;
    Some(place)
}

fn root() -> Option<User> {
    let root = users().into_iter().find(|user| user.is_root());
    if root.is_none() {
        skipped("only root may do that");
    }
    root
}

/// A process group that is killed with this value.
fn start(place: &Place, arguments: &[&str]) -> Started {
    Started::new(place.command("./work").args(arguments))
}

fn record(place: &Place, arguments: &str) -> Finished {
    finish(place.oprof(["record"]).args(arguments.split_whitespace()))
}

#[test]
fn a_process_is_sampled_with_all_its_threads() {
    for user in users() {
        let Some(place) = place(user) else { return };
        let work = start(&place, &[]);
        let pid = work.id();
        until("its thread runs", || {
            let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.count();
            (threads == 2).then_some(())
        });
        let finished = record(&place, &format!("-p {pid} -F 2000 -e cpu-clock:u sleep 1")).with_status(0);
        assert_no_panic(&finished.stderr);
        let [long, short, thread] = samples_of(&place, ["long_work", "short_work", "thread_work"]);
        assert!(long + short > 20 && thread > 20, "{long} {short} {thread}: {}", finished.stderr);
        // Six standard deviations around two thirds, of at least fifty samples.
        let share = long as f64 / (long + short) as f64;
        let error = 6.0 * (0.222 / (long + short) as f64).sqrt();
        assert!((share - 2.0 / 3.0).abs() < error, "{share} ± {error}");
        assert!(finished.stderr.contains("1 process, each with a sample"), "{}", finished.stderr);
    }
}

#[test]
fn short_children_of_a_process_are_sampled_without_bias() {
    let Some(place) = root().and_then(place) else { return };
    let work = start(&place, &["children"]);
    let finished = record(&place, &format!("-p {} --duration 2s", work.id())).with_status(0);
    let [child, long] = samples_of(&place, ["child_work", "long_work"]);
    // How many there are is a matter of how busy the machine is; inherited events would see a tenth of what there is.
    assert!(child > 5 && long == 0, "{child} {long}");
    let coverage = Coverage::read(&finished.stderr);
    assert!(coverage.covered.is_some_and(|covered| covered > 60.0), "{}", coverage.line);
    assert!(coverage.processes > 20, "{}", coverage.line);
}

#[test]
fn a_thread_is_sampled_alone() {
    for user in users() {
        let Some(place) = place(user) else { return };
        let work = start(&place, &[]);
        let main = work.id();
        let thread = until("its thread runs", || {
            let threads = fs::read_dir(format!("/proc/{main}/task")).ok()?.flatten();
            let threads = threads.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
            threads.into_iter().find(|thread| *thread != main)
        });
        let refused =
            record(&place, &format!("-p {thread} -e cpu-clock:u --duration 500ms")).with_status(125);
        assert_one_line(&refused.stderr, &[&format!("-t {thread}"), &format!("-p {main}")]);
        record(&place, &format!("-t {thread} -e cpu-clock:u --duration 500ms")).with_status(0);
        let [long, short, of_thread] = samples_of(&place, ["long_work", "short_work", "thread_work"]);
        assert!(of_thread > 20 && long == 0 && short == 0, "{long} {short} {of_thread}");
    }
}

#[test]
fn a_recording_ends_with_its_process() {
    for user in users() {
        let Some(place) = place(user) else { return };
        let work = start(&place, &[]);
        let arguments = ["record", "-p", &work.id().to_string(), "-e", "cpu-clock:u"];
        let oprof = Started::new(place.oprof(arguments).stderr(std::process::Stdio::piped()));
        until("the recording is there", || place.path("oprof.data").exists().then_some(()));
        std::thread::sleep(Duration::from_millis(200));
        drop(work);
        let finished = oprof.finish().with_status(0);
        assert!(finished.stderr.contains(" samples in oprof.data"), "{}", finished.stderr);
        let [long] = samples_of(&place, ["long_work"]);
        assert!(long > 0);
    }
}

#[test]
fn a_cpu_is_sampled_alone() {
    let Some(place) = root().and_then(place) else { return };
    let cpus = oprof_collector::online_cpus().expect("they are listed");
    let last = cpus.last().expect("there is one");
    record(&place, &format!("-C {last} --duration 300ms")).with_status(0);
    let report = place.report("--by cpu --plain -n").with_status(0);
    let listed: Vec<&str> = report.text().lines().filter_map(|row| row.split_whitespace().last()).collect();
    assert!(listed.iter().all(|cpu| **cpu == last.to_string()), "{listed:?}");
    let missing = record(&place, "-C 4095 true").with_status(125);
    assert_one_line(&missing.stderr, &["4095", "not online"]);
}

#[test]
fn a_control_group_is_sampled_with_what_runs_in_it() {
    let Some(place) = root().and_then(place) else { return };
    let Ok(hierarchy) = oprof_collector::cgroup_hierarchy() else {
        return skipped("there is no control group");
    };
    let group = hierarchy.own_group.join(format!("oprof-test-{}", std::process::id()));
    if fs::create_dir(&group).is_err() {
        return skipped("no control group can be made");
    }
    let inside = start(&place, &[]);
    let outside = start(&place, &["children"]);
    fs::write(group.join("cgroup.procs"), inside.id().to_string()).expect("it joins");
    let finished = record(&place, &format!("--cgroup {} --duration 600ms", group.display()));
    drop((inside, outside));
    until("the group is empty", || fs::remove_dir(&group).ok());
    if finished.code() != Some(0) && finished.stderr.contains("cgroup.subtree_control") {
        return skipped("control groups have no perf events here");
    }
    finished.with_status(0);
    let [long, child] = samples_of(&place, ["long_work", "child_work"]);
    assert!(long > 20 && child == 0, "{long} {child}");
}

#[test]
fn mistakes_are_a_line_and_nothing_is_recorded() {
    let place = Place::of(User::unprivileged());
    let cases: [(&str, &[&str]); 10] = [
        ("-p 4194305 sleep 1", &["process 4194305", "none of this number"]),
        ("-t 4194305 sleep 1", &["thread 4194305", "none of this number"]),
        ("-p 0 sleep 1", &["--pid", "at least 1"]),
        ("-p 1 -a sleep 1", &["--pid", "--all"]),
        ("-a --scope cgroup sleep 1", &["--scope", "--all"]),
        ("-C 1-0 sleep 1", &["--cpu", "0-3,8"]),
        ("--cgroup ../x sleep 1", &["control group"]),
        ("--duration 0 true", &["--duration", "longer than nothing"]),
        ("--delay off true", &["--delay off", "--control"]),
        ("--delay 1s --duration 500ms true", &["--delay", "--duration", "from the start"]),
    ];
    for (arguments, words) in cases {
        let finished = record(&place, arguments).with_status(125);
        assert_no_panic(&finished.stderr);
        assert_one_line(&finished.stderr, words);
        assert!(!place.path("oprof.data").exists(), "{arguments}");
    }
    if users().len() > 1 {
        let finished = record(&place, "-p 1 -e cpu-clock:u sleep 1").with_status(125);
        assert_one_line(&finished.stderr, &["process 1", "as root"]);
    }
}
