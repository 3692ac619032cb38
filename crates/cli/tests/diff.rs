//! `oprof diff` over real recordings: what changed is found, what did not is not, and a CI is told.

mod harness;

use harness::{Finished, Place, User, assert_no_panic, assert_one_line, assert_printable, finish, users};

/// Runs `oprof diff ARGUMENTS`, split at blanks.
#[track_caller]
fn diff(place: &Place, arguments: &str) -> Finished {
    let mut oprof = place.oprof(["diff"]);
    oprof.args(arguments.split_whitespace());
    let finished = finish(&mut oprof);
    assert_no_panic(&finished.stderr);
    finished
}

/// A program of three functions that do so much work each, counted in rounds and not in time.
fn program(place: &Place, name: &str, slow: u32) -> Option<()> {
    let source = format!(
        "static volatile unsigned long sum;
        #define WORK(name, rounds) __attribute__((noinline)) void name(void) {{ \
            for (unsigned long i = 0; i < (rounds); i++) sum += i; }}
        WORK(steady, 200000) WORK(slow, {slow}) WORK(other, 100000)
        int main(void) {{ for (int i = 0; i < 250; i++) {{ steady(); slow(); other(); }} return 0; }}"
    );
    place.cc(name, &source).map(drop)
}

/// Records the program in user mode: what the kernel does meanwhile depends on what else the machine does.
#[track_caller]
fn record(place: &Place, program: &str, recordings: &[&str]) {
    for recording in recordings {
        place.record(&format!("-q -e cpu-clock:u -F 4000 -o {recording}"), program).with_status(0);
    }
}

fn rows(json: &Finished) -> Vec<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_str(json.text()).expect("JSON");
    value["rows"].as_array().expect("rows").clone()
}

/// The names of the rows of a JSON.
fn names(json: &Finished) -> Vec<String> {
    rows(json).iter().map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_same_program_has_not_changed_and_a_slower_function_is_found() {
    for user in users() {
        let place = Place::of(user);
        let Some(()) = program(&place, "before", 100_000) else { return };
        let Some(()) = program(&place, "after", 220_000) else { return };
        record(&place, "./before", &["a1", "a2", "a3", "again1", "again2", "again3", "a4", "a5"]);
        record(&place, "./after", &["b1", "b2", "b3", "b4", "b5"]);

        // Whether a function of the program itself did.
        let own = |names: Vec<String>| -> Vec<String> {
            names.into_iter().filter(|name| ["steady", "slow", "other"].contains(&name.as_str())).collect()
        };
        let same = diff(&place, "a1 a2 a3 -- again1 again2 again3 --json --fail-above 50").with_status(0);
        assert_eq!(own(names(&same)), [""; 0], "{user:?}: {}", same.text());

        // The program has another name: its functions have moved, and are neither new nor gone.
        // On a busy machine runs differ by so much that three a side may not be enough to tell.
        let runs = "a1 a2 a3 a4 a5 -- b1 b2 b3 b4 b5";
        let costs = diff(&place, &format!("{runs} --normalise run --json --fail-above 50")).with_status(4);
        let found = rows(&costs);
        let slow = found.iter().find(|row| row["name"] == "slow").expect("it is found");
        assert!((1.6..2.8).contains(&(1.0 + slow["relative"].as_f64().expect("a number"))), "{slow}");
        assert_eq!(slow["state"], "moved", "{slow}");
        assert!(slow["interval"][0].as_f64().expect("a number") > 0.0, "{slow}");
        let regressions: Vec<&str> =
            costs.stderr.lines().filter(|line| line.starts_with("oprof: regression: ")).collect();
        assert!(
            regressions.iter().any(|line| line.contains(": slow (after) grew from ")),
            "{}",
            costs.stderr
        );
        assert!(
            !regressions.iter().any(|line| line.contains("steady") || line.contains("other")),
            "{}",
            costs.stderr
        );

        // The other way round it is an improvement, which makes other shares larger.
        let better = diff(&place, "b1 b2 b3 -- a1 a2 a3 --json --fail-above 50").with_status(0);
        assert!(own(names(&better)).contains(&"slow".to_owned()), "{}", better.text());
    }
}

#[test]
fn two_recordings_are_compared_by_default_as_they_come() {
    let place = Place::new();
    let Some(()) = program(&place, "before", 100_000) else { return };
    let Some(()) = program(&place, "after", 300_000) else { return };
    let missing = diff(&place, "").with_status(1);
    assert_one_line(&missing.stderr, &["oprof.data.old", "no such recording"]);
    for program in ["./before", "./after"] {
        place.record("-q -e cpu-clock -F 4000", program).with_status(0);
    }
    let found = diff(&place, "--fail-above 20").with_status(4);
    let slow = found.text().lines().find(|line| line.ends_with("  slow") || line.contains("  slow  "));
    assert!(slow.is_some_and(|line| line.contains('+')), "{}", found.text());
    assert!(found.text().contains("before  oprof.data.old of `./before`: "), "{}", found.text());
    assert!(found.stderr.contains("one recording on each side"), "{}", found.stderr);
    assert_printable(&found.stdout);
    // The same recordings in each form and by each grouping.
    for options in [
        "--csv",
        "--markdown",
        "--json",
        "--all",
        "--top 1",
        "-n",
        "--by image",
        "--by app",
        "--by command",
        "--by line",
        "--normalise time",
        "--normalise run",
        "--sort name",
        "--alpha 0.01",
        "-D none",
        "-f -t 5",
    ] {
        let printed = diff(&place, options);
        let known = printed.code() == Some(0) || options == "--by line";
        assert!(known, "{options}: {}", printed.stderr);
        assert_printable(&printed.stdout);
    }
    // Who reads has seen enough; the status is for somebody else.
    let oprof = place.oprof([""; 0]);
    let mut shell = place.command("sh");
    shell
        .args(["-c", "(\"$0\" diff --fail-above 20 --all; echo $? > status) | true"])
        .arg(oprof.get_program());
    finish(&mut shell).with_status(0);
    assert_eq!(place.bytes("status"), b"4\n");
}

#[test]
fn a_mistake_is_said_in_a_line() {
    let place = Place::new();
    place.write("text", "not a recording");
    for (arguments, status, words) in [
        ("a", 2, &["'a' is compared with what", "oprof diff --help"][..]),
        ("a b c", 2, &["put -- between"]),
        ("a b --", 2, &["no recording stands after --"]),
        ("-- a b", 2, &["no recording stands before --"]),
        ("a -- b -- c", 2, &["'--' stands twice"]),
        ("text text2", 1, &["text: not an oprof recording"]),
        ("none text", 1, &["none: no such recording"]),
        ("a a2 a -- b", 1, &["a: named twice on one side"]),
        ("a b --by line,", 2, &["use symbol, image, app, command, line"]),
        ("a b --normalise x", 2, &["use total, time, run"]),
        ("a b --sort x", 2, &["change, relative"]),
        ("a b --fail-above -1", 2, &["not a percentage from 0"]),
        ("a b --fail-above nan", 2, &["not a percentage from 0"]),
        ("a b --confidence 100", 2, &["from 50 to 99.9999"]),
        ("a b --alpha 0", 2, &["from 0.000001 to 0.5"]),
        ("a b --alpha 0.1 --confidence 90", 2, &["cannot be used with"]),
        ("a b --json --csv", 2, &["cannot be used with"]),
        ("a b --top 0", 2, &["at least 1"]),
        ("a b -t 101", 2, &["from 0 to 100"]),
    ] {
        let finished = diff(&place, arguments).with_status(status);
        assert_one_line(&finished.stderr, words);
        assert!(finished.stdout.is_empty(), "{arguments}");
    }
}

#[test]
fn recordings_of_other_events_say_what_they_have() {
    let place = Place::of(User::Own);
    for (event, file) in [("cpu-clock", "clock"), ("page-faults", "faults")] {
        place
            .record_these(
                &format!("-q -e {event} -c 1 -o {file}").replace("-c 1 -o clock", "-o clock"),
                &["true"],
            )
            .with_status(0);
    }
    let finished = diff(&place, "clock faults").with_status(1);
    assert_one_line(
        &finished.stderr,
        &["no event is on both sides", "before: cpu-clock", "after: page-faults"],
    );
    let finished = diff(&place, "faults faults --event cycles").with_status(1);
    assert_one_line(&finished.stderr, &["event 'cycles' is not on both sides", "--event"]);
}

/// A damaged recording is compared as far as it goes, and the status tells.
#[test]
fn damaged_and_cut_off_recordings_are_doubted() {
    let place = Place::new();
    let Some(()) = program(&place, "before", 100_000) else { return };
    place.record("-q -e cpu-clock -F 4000 -o whole", "./before").with_status(0);
    let bytes = place.bytes("whole");
    place.write("cut", &bytes[..bytes.len() - 3]);
    let finished = diff(&place, "whole cut").with_status(0);
    assert!(finished.stderr.contains("cut: cut off"), "{}", finished.stderr);
    for at in (40..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        place.write("damaged", &damaged);
        let finished = diff(&place, "whole damaged --all --by symbol --fail-above 1");
        assert!(
            matches!(finished.code(), Some(0 | 1 | 4)),
            "{at}: {:?} {}",
            finished.status,
            finished.stderr
        );
        assert_printable(&finished.stdout);
    }
}
