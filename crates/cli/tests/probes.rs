//! `uprobe:PATH:FUNCTION` and `uretprobe:...`: calls of functions and returns from them, counted and sampled exactly.

mod harness;

use harness::{Place, assert_no_panic, assert_one_line, finish, samples_of, skipped, users};

/// `one` calls `called` 3,000 times and `two` 1,000 times.
const WORK: &str = r#"
volatile int calls;
__attribute__((noinline)) void called(void) { calls++; }
__attribute__((noinline)) void one(void) { for (int call = 0; call < 3000; call++) { called(); calls--; } }
__attribute__((noinline)) void two(void) { for (int call = 0; call < 1000; call++) { called(); calls--; } }
int main(void) { one(); two(); return 0; }"#;

/// Where root can place probes; says why not.
fn place() -> Option<Place> {
    let Some(root) = users().into_iter().find(|user| user.is_root()) else {
        skipped("only root may place probes");
        return None;
    };
    if !std::path::Path::new("/sys/bus/event_source/devices/uprobe").exists() {
        skipped("this kernel has no probes");
        return None;
    }
    let place = Place::of(root);
    place.cc("work", WORK)?;
    Some(place)
}

#[test]
fn calls_are_counted_exactly() {
    let Some(place) = place() else { return };
    let events = ["-e", "uprobe:./work:called", "-e", "uretprobe:./work:called,uprobe:work:one"];
    let counted = finish(place.oprof(["stat"]).args(events).arg("./work")).with_status(0);
    for (count, event) in
        [("4,000", "uprobe:work:called"), ("4,000", "uretprobe:work:called"), ("1", "uprobe:work:one")]
    {
        let line = counted.stderr.lines().find(|line| line.ends_with(&format!("  {event}")));
        let found = line.and_then(|line| line.split_whitespace().next());
        assert_eq!(found, Some(count), "{event}:\n{}", counted.stderr);
    }
}

/// The kernel lets no task with an inherited probe start another.
#[test]
fn programs_with_probes_go_on_starting_others() {
    let Some(place) = place() else { return };
    let command = ["sh", "-c", "./work; ./work; ls >/dev/null; ./work && exit 7"];
    let counted = finish(place.oprof(["stat", "-e", "uprobe:./work:called"]).args(command)).with_status(7);
    let line = counted.stderr.lines().find(|line| line.ends_with("  uprobe:work:called"));
    let found = line.and_then(|line| line.split_whitespace().next());
    assert_eq!(found, Some("12,000"), "{}", counted.stderr);
    for scope in ["auto", "cgroup", "system"] {
        let options = ["record", "--scope", scope, "-e", "uprobe:./work:called"];
        finish(place.oprof(options).args(command)).with_status(7);
        assert_eq!(samples_of(&place, ["called"]), [12_000], "{scope}");
    }
    let refused = |options: &[&str]| {
        let options = options.iter().chain(["-e", "uprobe:./work:called", "./work"].iter());
        let finished = finish(&mut place.oprof(options)).with_status(125);
        assert_one_line(&finished.stderr, &["uprobe:./work:called", "probes do not follow"]);
    };
    refused(&["record", "--scope", "inherit"]);
    refused(&["stat", "--per-process"]);
    let mut runs = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
    refused(&["stat", "-p", &runs.id().to_string()]);
    runs.kill().expect("it can be killed");
    runs.wait().expect("it was ours");
}

#[test]
fn each_call_is_a_sample_and_each_return_one_of_the_caller() {
    let Some(place) = place() else { return };
    for scope in ["cgroup", "system"] {
        let record = |event: &str| {
            let finished = place.record(&format!("--scope {scope} -e {event}"), "./work").with_status(0);
            assert_no_panic(&finished.stderr);
            samples_of(&place, ["called", "one", "two"])
        };
        assert_eq!(record("uprobe:./work:called"), [4000, 0, 0], "{scope}");
        assert_eq!(record("uretprobe:./work:called"), [0, 3000, 1000], "{scope}");
        // Each CPU counts by itself.
        let [each_hundredth, ..] = record("uprobe:./work:called:100");
        assert!((35..=40).contains(&each_hundredth), "{scope}: {each_hundredth}");
    }
}

#[test]
fn functions_that_are_not_there_are_told() {
    let Some(place) = place() else { return };
    place.write("text", "no program");
    for (event, words) in [
        ("uprobe:./work:caled", ["no function 'caled'", "close to it: 'called'"]),
        ("uprobe:./missing:called", ["./missing", "no file"]),
        ("uprobe:./text:called", ["./text", "no program or library"]),
        ("uprobe:./work", ["missing", "uprobe:PATH:FUNCTION"]),
        ("uretprobe:./work:called+4", ["return", "leave +OFFSET out"]),
    ] {
        let finished =
            finish(&mut place.oprof(["record", "-e", event, "--", "touch", "ran"])).with_status(125);
        assert_one_line(&finished.stderr, &words);
        assert!(!place.path("ran").exists(), "{event}");
    }
}

#[test]
fn who_may_place_none_is_told() {
    for user in users().into_iter().filter(|user| !user.is_root()) {
        let place = Place::of(user);
        if place.cc("work", WORK).is_none() {
            return;
        }
        if !std::path::Path::new("/sys/bus/event_source/devices/uprobe").exists() {
            return skipped("this kernel has no probes");
        }
        for command in ["record", "stat"] {
            let mut oprof = place.oprof([command, "-e", "uprobe:./work:called", "--", "touch", "ran"]);
            let finished = finish(&mut oprof).with_status(125);
            assert_one_line(&finished.stderr, &["uprobe:./work:called", "root", "CAP_PERFMON"]);
            assert!(!place.path("ran").exists());
        }
    }
}

#[test]
fn a_function_of_a_library_and_one_of_cxx_is_found() {
    let Some(place) = place() else { return };
    let source = "namespace space { __attribute__((noinline)) int twice(int n) { asm volatile(\"\"); return 2 * n; } } \
                  int main() { int sum = 0; for (int n = 0; n < 50; n++) sum += space::twice(n); return sum & 0; }";
    if place.cxx("cxx", source).is_none() {
        return;
    }
    let counted =
        finish(&mut place.oprof(["stat", "-e", "uprobe:./cxx:space::twice", "./cxx"])).with_status(0);
    assert!(counted.stderr.lines().any(|line| line.trim_start().starts_with("50 ")), "{}", counted.stderr);
}
