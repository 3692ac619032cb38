//! `opreport` over sessions of OProfile's: which samples are named, what is told where there are none, where it writes.

mod harness;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use harness::session::sample_file;
use harness::{Finished, Place, assert_one_line, assert_printable, finish};

/// A session directory with two sessions of two apps.
struct Sessions {
    place: Place,
}

const CURRENT: [(&str, u32); 4] = [
    ("{root}/bin/hot/{dep}/{root}/bin/hot/CYCLES.100000.0.all.all.0", 40),
    ("{root}/bin/hot/{dep}/{root}/lib/work.so/CYCLES.100000.0.all.all.1", 30),
    ("{root}/bin/cold/{dep}/{root}/bin/cold/CYCLES.100000.0.all.all.0", 20),
    ("{root}/bin/cold/{dep}/{root}/lib/work.so/MISSES.5000.1.all.all.0", 10),
];

impl Sessions {
    fn new() -> Sessions {
        let place = Place::new();
        let session = place.path("oprofile_data");
        for (path, samples) in CURRENT {
            sample_file(&session, &format!("current/{path}"), &[(0x100, samples)]);
        }
        let (path, samples) = CURRENT[0];
        sample_file(&session, &format!("before/{path}"), &[(0x100, samples + 2)]);
        fs::create_dir(place.path("root")).expect("a directory");
        symlink(env!("CARGO_BIN_EXE_oprof"), place.path("opreport")).expect("a link");
        Sessions { place }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let finished = finish(self.place.command("./opreport").args(["--root", "root"]).args(arguments));
        assert_printable(&finished.stdout);
        assert_printable(finished.stderr.as_bytes());
        finished
    }

    /// The samples of all rows of apps.
    #[track_caller]
    fn samples(&self, arguments: &[&str]) -> u64 {
        let finished = self.run(&[&["-n", "-m", "cpu"], arguments].concat()).with_status(0);
        let apps = finished.text().lines().filter(|line| !line.starts_with('\t'));
        let numbers =
            apps.flat_map(|line| line.split_whitespace().step_by(2).map(str::to_owned).collect::<Vec<_>>());
        numbers.filter_map(|number| number.parse::<u64>().ok()).sum()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], words: &[&str]) {
        let finished = self.run(arguments).with_status(1);
        assert_one_line(&finished.stderr, words);
        assert!(finished.stdout.is_empty(), "{}", finished.text());
    }
}

#[test]
fn samples_are_named_by_what_they_are_of() {
    let sessions = Sessions::new();
    for (arguments, samples) in [
        (&[][..], 100),
        (&["session:current"][..], 100),
        (&["session:before"], 42),
        // OProfile dies of the first two: its defect D4.
        (&["session:current,before"], 142),
        (&["session:current,before", "session-exclude:current"], 42),
        (&["session:./oprofile_data/samples/before"], 42),
        (&["image:/bin/hot"], 70),
        (&["image:*o*t"], 70),
        (&["image-exclude:/bin/hot"], 30),
        (&["lib-image:*.so"], 40),
        // OProfile takes it for the name of a file: its defect D5.
        (&["lib-image-exclude:*.so"], 60),
        (&["/bin/hot"], 70),
        (&["/lib/work.so"], 40),
        (&["event:MISSES"], 10),
        (&["count:0x1388"], 10),
        (&["unit-mask:1"], 10),
        (&["cpu:1"], 30),
        (&["cpu:0,1"], 100),
        (&["image:/bin/cold", "event:CYCLES"], 20),
        (&["-x"], 60),
        (&["archive:oprofile_data"], 100),
    ] {
        assert_eq!(sessions.samples(arguments), samples, "{arguments:?}");
    }
}

#[test]
fn what_names_no_samples_is_told_with_what_there_is() {
    let sessions = Sessions::new();
    for (arguments, words) in [
        (&["bogus:1"][..], &["bogus:1", "no tag bogus:", "/bin/cold, /bin/hot"][..]),
        (&["image:hot"], &["image:'*/hot'"]),
        (&["event:FOO"], &["event:FOO", "CYCLES, MISSES"]),
        (&["cpu:7"], &["cpu:7", "CPUs 0, 1"]),
        (&["tid:7"], &["tid:7", "not told apart"]),
        (&["image:/bin/cold", "cpu:1"], &["at once"]),
        (&["session:nope"], &["nope", "before, current"]),
        (&["session:current", "session-exclude:current"], &["no session is left"]),
        (&["count:abc"], &["count:abc", "'abc'", "no number"]),
        (&["image:"], &["image:", "no value"]),
        (&["image:a", "image:a"], &["image:a", "twice"]),
        (&["-l", "{", "session:before"], &["{ FIRST.. }"]),
        (&["-l", "{", "}", "{", "}"], &["first braces are empty"]),
        (&["{", "session:before", "}", "{", "}"], &["add -l"]),
        (&["--session-dir=/nonexistent"], &["/nonexistent", "no such directory"]),
        (&["--nope"], &["--nope", "opreport --help"]),
        (&["-t", "101"], &["'101'", "0 to 100"]),
        (&["image:\x1b[31m\u{202e}\n"], &["\\x1b[31m"]),
    ] {
        sessions.refused(arguments, words);
    }
}

#[test]
fn two_sessions_are_compared() {
    let sessions = Sessions::new();
    let finished =
        sessions.run(&["-l", "-n", "event:CYCLES", "-m", "cpu", "{", "session:before", "}", "{", "}"]);
    let finished = finished.with_status(0);
    let rows: Vec<Vec<&str>> =
        finished.text().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..3], ["40", "44.4444", "-55.5556"]);
    assert_eq!(rows[1][..3], ["30", "33.3333", "+++"]);
    let missing = finished.stderr.lines().filter(|line| line.contains("/bin/hot: is not there")).count();
    assert_eq!(missing, 1, "what both lack is told once:\n{}", finished.stderr);
    let other = ["-l", "{", "session:before", "}", "{", "event:MISSES", "}"];
    let finished = sessions.run(&other).with_status(1);
    assert!(finished.stderr.contains("not of the same events"), "{}", finished.stderr);
}

#[test]
fn a_damaged_sample_file_is_told_and_the_rest_reported() {
    let sessions = Sessions::new();
    let path = sessions.place.path("oprofile_data/samples/current").join(CURRENT[2].0);
    fs::write(path, b"DAE\nshort").expect("the file can be written");
    let finished = sessions.run(&["-n", "event:CYCLES", "-m", "all"]).with_status(1);
    assert_eq!(finished.text().lines().count(), 2, "{}", finished.text());
    assert!(finished.stderr.contains("left out"), "{}", finished.stderr);
}

#[test]
fn a_report_goes_into_a_file_of_its_own() {
    let sessions = Sessions::new();
    sessions.run(&["-o", "report.txt"]).with_status(0);
    let report = sessions.place.path("report.txt");
    assert_eq!(fs::metadata(&report).expect("there").permissions().mode() & 0o777, 0o600);
    let printed = sessions.run(&[]).with_status(0);
    assert_eq!(fs::read(&report).expect("readable"), printed.stdout);
    // A longer report that was there leaves nothing behind.
    sessions.run(&["-o", "report.txt", "-n", "-x", "event:CYCLES", "image:*hot", "-m", "cpu"]).with_status(0);
    assert_eq!(fs::read_to_string(&report).expect("readable"), "       40 100.000 hot\n");

    symlink("report.txt", sessions.place.path("link")).expect("a link");
    let samples = format!("oprofile_data/samples/current/{}", CURRENT[0].0);
    let before = fs::read(sessions.place.path(&samples)).expect("readable");
    for (output, words) in [
        ("link", &["link", "symbolic link"][..]),
        ("root", &["root", "directory"]),
        ("/dev/null", &["device"]),
        ("no/where", &["no such directory"]),
        (samples.as_str(), &["samples", "another file"]),
    ] {
        sessions.refused(&["-o", output], words);
    }
    assert_eq!(fs::read(sessions.place.path(&samples)).expect("readable"), before, "it is left as it was");
}

#[test]
fn options_of_sessions_hold_for_recordings_too() {
    let place = Place::new();
    symlink(env!("CARGO_BIN_EXE_oprof"), place.path("opreport")).expect("a link");
    let spin = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
    finish(&mut place.oprof(["record", "-q", "-e", "cpu-clock", "--", "sh", "-c", spin])).with_status(0);
    let run = |arguments: &str| finish(place.command("./opreport").args(arguments.split_whitespace()));
    let all = run("-l -n oprof.data").with_status(0);
    assert!(all.text().lines().count() > 0);
    for nothing in ["event:FOO", "image:/no/such", "cpu:65000", "tid:1"] {
        let finished = run(&format!("-l oprof.data {nothing}")).with_status(1);
        assert_one_line(&finished.stderr, &[nothing]);
    }
    let same = run("-l -n oprof.data event:cpu-clock image:/*").with_status(0);
    assert_eq!(same.stdout, all.stdout);
    let details = run("-d -n oprof.data").with_status(0);
    assert!(details.text().lines().any(|line| line.starts_with("  ")), "{}", details.text());
    let before = fs::read(place.path("oprof.data")).expect("readable");
    let finished = run("-o oprof.data oprof.data").with_status(1);
    assert_one_line(&finished.stderr, &["oprof.data", "is a recording"]);
    assert_eq!(fs::read(place.path("oprof.data")).expect("readable"), before);
}
