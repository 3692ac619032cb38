//! Groups of events: `{A,B}:S` reads all with the samples of the first, and ratios stand in each row.

mod harness;

use harness::{Place, User, assert_no_panic, assert_one_line, finish, skipped, users};

/// `faulting` touches 20,000 pages that nobody touched before, `spinning` takes some time and touches none.
const WORK: &str = r#"
#include <sys/mman.h>
#define PAGES 20000
static volatile unsigned long turns;
__attribute__((noinline)) void spinning(void) { for (long turn = 0; turn < 120000000; turn++) turns++; }
__attribute__((noinline)) void faulting(char *memory) {
    for (long page = 0; page < PAGES; page++) {
        memory[page * 4096] = 1;
        for (int turn = 0; turn < 5000; turn++) turns++;
    }
}
int main(void) {
    char *memory = mmap(0, PAGES * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, PAGES * 4096L, MADV_NOHUGEPAGE);
    spinning();
    faulting(memory);
    spinning();
    return 0;
}"#;

const PAGES: u64 = 20_000;

/// What a row says of cpu-clock and page-faults.
#[derive(Debug)]
struct Row {
    samples: u64,
    faults: u64,
    /// Page faults in a second of CPU time; `None` where the row has too few samples to say.
    rate: Option<f64>,
}

fn row(place: &Place, function: &str) -> Row {
    let report = place.report("-l --plain -n").with_status(0);
    let line = report.text().lines().find(|line| line.ends_with(function));
    let line = line.unwrap_or_else(|| panic!("no {function} in:\n{}", report.text()));
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.replace(',', "").parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
    // samples % events % [rate] [image] symbol
    let rate = words[4].replace(',', "").parse().ok();
    Row { samples: number(words[0]) as u64, faults: number(words[2]) as u64, rate }
}

/// The scopes in which this user can follow a command.
fn scopes(user: User) -> &'static [&'static str] {
    if user.is_root() { &["cgroup", "system", "inherit"] } else { &["inherit"] }
}

#[test]
fn what_a_group_counted_is_put_down_to_where_its_leader_is_sampled() {
    for user in users() {
        let place = Place::of(user);
        if place.cc("work", WORK).is_none() {
            return;
        }
        for scope in scopes(user) {
            let options = format!("--scope {scope} -e {{cpu-clock:u,page-faults:u}}:S -F 2000");
            let finished = place.record(&options, "./work");
            if finished.stderr.contains("before Linux 6.13") {
                assert_one_line(&finished.stderr, &["--scope cgroup"]);
                skipped("this kernel cannot read groups that are inherited");
                continue;
            }
            let finished = finished.with_status(0);
            assert_no_panic(&finished.stderr);
            let (faulting, spinning) = (row(&place, "faulting"), row(&place, "spinning"));
            // What else the process touches, or in system scope its neighbours, is little beside it.
            assert!((PAGES * 9 / 10..PAGES * 3 / 2).contains(&faulting.faults), "{scope}: {faulting:?}");
            assert!(spinning.faults < PAGES / 5, "{scope}: {spinning:?}");
            let (often, seldom) = (faulting.rate.unwrap_or(f64::NAN), spinning.rate.unwrap_or(f64::NAN));
            assert!(often > 10.0 * seldom, "{scope}: {often} and {seldom} a second");
            // A sample stands for half a millisecond of user code, and for what the kernel did for it besides.
            let most = faulting.faults as f64 / (faulting.samples as f64 * 0.5e-3);
            assert!(often < 1.2 * most && often > most / 20.0, "{scope}: {often} of at most {most}");
            // The samples are the leader's, and what was read with them is told in events.
            let samples = finished.stderr.lines().find_map(|line| line.split_once(" samples in "));
            let samples =
                samples.map(|(said, _)| said.trim_start_matches("oprof: ")).expect("it says how many");
            let said = format!("{samples} samples stand for");
            assert_eq!(finished.stderr.matches(&said).count(), 1, "{}", finished.stderr);
            let said = " of page-faults:u, read with the samples of its group's leader, ";
            assert_eq!(finished.stderr.matches(said).count(), 1, "{}", finished.stderr);
        }
    }
}

#[test]
fn a_clock_that_leads_stands_for_no_idle_time() {
    let Some(root) = users().into_iter().find(|user| user.is_root()) else {
        return skipped("only root may see the whole system");
    };
    let place = Place::of(root);
    if place.cc("work", WORK).is_none() {
        return;
    }
    // One CPU is busy for a part of the time, the others are idle as far as this test goes.
    let options = "-a -e {cpu-clock,page-faults}:S -F 2000";
    let script = place.script("script", "./work; sleep 0.3");
    let finished = place.record_these(options, &[script]).with_status(0);
    let line = finished.stderr.lines().find(|line| line.contains("that CPUs were busy"));
    let line = line.unwrap_or_else(|| panic!("{}", finished.stderr));
    let covered =
        line.split_once(" % of the time").and_then(|(front, _)| front.rsplit(' ').next()?.parse().ok());
    let covered: f64 = covered.unwrap_or_else(|| panic!("{line}"));
    assert!(covered < 130.0, "{line}");
}

#[test]
fn ratios_stand_beside_events_of_one_group_alone() {
    let place = Place::new();
    if place.cc("work", WORK).is_none() {
        return;
    }
    place.record("-e {cpu-clock:u,page-faults:u} -F 2000", "./work").with_status(0);
    let report = place.report("-l --plain").with_status(0);
    assert!(report.text().contains("per CPU second"), "{}", report.text());
    place.record("-e cpu-clock:u,page-faults:u -F 2000", "./work").with_status(0);
    let report = place.report("-l --plain").with_status(0);
    assert!(!report.text().contains("per CPU second"), "{}", report.text());
}

#[test]
fn mistakes_with_groups_are_told_and_the_command_does_not_run() {
    let place = Place::new();
    for (events, words) in [
        ("cpu-clock:S", ["S and W", "groups"]),
        ("{cpu-clock,page-faults:5}:S", ["'page-faults:5'", "first event"]),
        ("{cpu-clock,page-faults}:SW", ["S reads", "W"]),
        ("{cpu-clock,page-faults}:Q", ["Q", "modifiers"]),
    ] {
        let mut oprof = place.oprof(["record", "-e", events, "--", "touch", "ran"]);
        let finished = finish(&mut oprof).with_status(125);
        assert_one_line(&finished.stderr.replace('"', "'"), &words);
        assert!(!place.path("ran").exists(), "{events}");
    }
}

#[test]
fn what_has_no_precise_levels_says_so() {
    for user in users() {
        let place = Place::of(user);
        let finished = place.record("-e cpu-clock:uP", "true").with_status(0);
        assert!(
            finished.stderr.contains("'cpu-clock:uP': nothing here samples it precisely"),
            "{}",
            finished.stderr
        );
        let counted = finish(&mut place.oprof(["stat", "-e", "{page-faults:u,cpu-clock:u}:W", "true"]));
        assert!(counted.with_status(0).stderr.contains("page-faults"));
    }
}
