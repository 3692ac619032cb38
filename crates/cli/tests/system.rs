//! `oprof record -a`: whatever runs, also what ran before.

mod harness;

use std::fs;

use harness::{Place, Started, assert_one_line, finish, samples_where, skipped, users};
use rustix::process::Signal;

/// Spins for ever in a function of its own; its file is removed where a first argument is given, and a second one makes it
/// fork a child that executes the program anew each time that it ends.
const SPIN: &str = r#"
#include <unistd.h>
#include <sys/wait.h>
volatile unsigned long turns;
__attribute__((noinline)) void spin_for_ever(void) { for (;;) turns++; }
__attribute__((noinline)) void spin_shortly(void) { for (unsigned long turn = 0; turn < 5000000; turn++) turns++; }
int main(int n, char **v) {
    if (n > 1 && v[1][0] == 'c') { spin_shortly(); return 0; }
    if (n > 1 && v[1][0] == 'u') unlink(v[0]);
    if (n > 1 && v[1][0] == 'f')
        for (;;) {
            if (fork() == 0) { execl(v[0], v[0], "c", (char *)0); _exit(1); }
            wait(0);
        }
    spin_for_ever();
}"#;

/// A place for root, with the program; `None` where either is missing.
fn place() -> Option<Place> {
    let Some(root) = users().into_iter().find(|user| user.is_root()) else {
        skipped("only root may sample the whole system");
        return None;
    };
    let place = Place::of(root);
    place.cc("spin", SPIN)?;
    Some(place)
}

/// How many samples a function of the program has.
#[track_caller]
fn samples(place: &Place, function: &str) -> u64 {
    samples_where(place, |row| row.contains(&"spin") && row.last() == Some(&function))
}

#[test]
fn a_process_that_ran_before_is_named_as_others_are() {
    let Some(place) = place() else { return };
    let mut spin = Started::new(place.command("./spin").arg("u"));
    let file = place.path("spin");
    harness::until("its file is removed", || (!file.exists()).then_some(()));
    finish(&mut place.oprof(["record", "-a", "--duration", "700ms"])).with_status(0);
    let recorded = place.report("--by process --plain").with_status(0).text().to_owned();
    let row = recorded.lines().find(|line| line.contains(&format!(" {} ", spin.id())));
    assert!(row.is_some_and(|row| row.contains("spin")), "{recorded}");
    assert!(samples(&place, "spin_for_ever") > 15);
    spin.signal(Signal::KILL);
    spin.finish_alone();
}

#[test]
fn what_is_forked_and_executed_meanwhile_is_named_too() {
    let Some(place) = place() else { return };
    let mut forking = Started::new(place.command("./spin").arg("f"));
    finish(&mut place.oprof(["record", "-a", "sleep", "0.7"])).with_status(0);
    assert!(samples(&place, "spin_shortly") > 15);
    forking.signal(Signal::KILL);
    forking.finish_alone();
}

#[test]
fn without_a_command_it_ends_when_it_is_told_to() {
    let Some(place) = place() else { return };
    let oprof = Started::new(place.oprof(["record", "-a", "-v"]).stderr(std::process::Stdio::piped()));
    harness::until("the recording is there", || place.path("oprof.data").exists().then_some(()));
    // Idle time is told in steps of a hundredth of a second.
    std::thread::sleep(std::time::Duration::from_millis(300));
    oprof.signal(Signal::INT);
    let finished = oprof.finish().with_status(0);
    assert!(finished.stderr.contains("scope system"), "{}", finished.stderr);
    let report = place.report("--by image").with_status(0);
    // Where the CPUs were busy all the time, there is no more to say than that.
    let words = ["of the time", "exact total"];
    assert!(words.iter().any(|words| report.stderr.contains(words)), "{}", report.stderr);
}

#[test]
fn those_who_may_not_are_told_who_may() {
    let place = Place::of(harness::User::unprivileged());
    if fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").is_ok_and(|level| level.trim() <= "0") {
        return skipped("every user may sample the whole system here");
    }
    let finished = finish(&mut place.oprof(["record", "-a", "true"])).with_status(125);
    assert_one_line(&finished.stderr, &["root"]);
    assert!(!place.path("oprof.data").exists());
    let finished = finish(&mut place.oprof(["record"])).with_status(125);
    assert_one_line(&finished.stderr, &["COMMAND"]);
}
