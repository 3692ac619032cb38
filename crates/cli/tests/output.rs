//! What is printed, and what must never be: noise after a closed pipe, raw control characters.

mod harness;

use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use harness::{
    Finished, Place, Started, assert_no_panic, assert_one_line, assert_printable, symbols_of, users,
};

/// A recording with more rows than a pipe holds: a page fault in each of thousands of functions.
fn place_with_many_rows() -> Option<Place> {
    let place = Place::new();
    let functions: String = (0..3000)
        .map(|number| {
            format!("__attribute__((noinline)) void function_number_{number}_with_quite_a_long_name(void) {{ touch(); }}\n")
        })
        .collect();
    let calls: String =
        (0..3000).map(|number| format!("function_number_{number}_with_quite_a_long_name();\n")).collect();
    let source = format!(
        "#include <sys/mman.h>
        static char *page;
        #define touch() (madvise(page, 4096, MADV_DONTNEED), *(volatile char *)page = 1)
        {functions}
        int main(void) {{
            page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            {calls}
            return 0;
        }}"
    );
    place.cc_with("many", &source, &["-O0"])?;
    place.record("-q -e page-faults:u -c 1", "./many").with_status(0);
    Some(place)
}

/// Starts a report, reads one line of it and closes the pipe.
fn head(place: &Place, arguments: &[&str]) -> (String, Finished) {
    let mut oprof = place.oprof(["report"]);
    oprof.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut started = Started::new(&mut oprof);
    let mut reader = BufReader::with_capacity(16, started.take_stdout());
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    drop(reader);
    (line, started.finish())
}

/// `oprof report -l | head -1` ends quietly and well.
#[test]
fn a_closed_pipe_is_a_normal_end() {
    let Some(place) = place_with_many_rows() else { return };
    let whole = place.report("-l").with_status(0);
    assert!(whole.stdout.len() > 100_000, "more than a pipe holds: {} bytes", whole.stdout.len());
    for arguments in [&["-l"][..], &["-l", "-n"], &["--by", "symbol"]] {
        let (line, finished) = head(&place, arguments);
        assert!(!line.is_empty());
        let finished = finished.with_status(0);
        assert_eq!(finished.stderr, "", "{arguments:?}");
    }
}

/// The header and the columns are those of OProfile.
#[test]
fn the_symbol_table_has_opreports_layout() {
    let place = Place::new();
    let Some(_) = place.cc("program", "BURNER(work) int main(void) { work(0.1); return 0; }") else { return };
    place.record_these("-q -e cpu-clock", &["sh", "-c", "./program; sleep 0.1 & wait"]).with_status(0);
    let report = place.report("-l").with_status(0);
    let mut lines = report.text().lines();
    assert!(lines.next().unwrap_or_default().starts_with("CPU: "), "{}", report.text());
    let event = lines.next().unwrap_or_default();
    assert!(event.starts_with("Counted cpu-clock events ("), "{event}");
    assert!(event.contains(" with a unit mask of 0x00 (") && event.contains(") count "), "{event}");
    let title = lines.next().unwrap_or_default();
    assert!(title.starts_with("samples  %        "), "{title}");
    assert!(title.ends_with("symbol name"), "{title}");
    let without_header = place.report("-l -n").with_status(0);
    assert_eq!(without_header.text(), lines.map(|line| format!("{line}\n")).collect::<String>());
}

/// A table that is not for a terminal has no colours and no frames.
#[test]
fn tables_in_a_pipe_are_plain() {
    let place = Place::new();
    place.record("-q", "true").with_status(0);
    for way in ["", "-l", "--by app", "--by command", "--by process"] {
        let report = place.report(way).with_status(0);
        assert_printable(&report.stdout);
        assert_printable(report.stderr.as_bytes());
    }
}

const HOSTILE: &[u8] = b"a\x1b[31m\nb\x07\rc\xc2\x9bd\xe2\x80\xaee\xff";

/// Names that a process chose for itself, its file and its arguments never act on a terminal.
#[test]
fn control_characters_in_names_are_made_visible() {
    for user in users() {
        let place = Place::of(user);
        let source = r#"#include <sys/prctl.h>
            BURNER(work)
            int main(void) { prctl(PR_SET_NAME, "\x1b]0;x\x07\n\x9b" "1m"); work(0.15); return 0; }"#;
        let Some(program) = place.cc("program", source) else { return };
        let hostile = place.path(std::ffi::OsStr::from_bytes(HOSTILE));
        std::fs::rename(program, &hostile).expect("any name is allowed");
        let argument = std::ffi::OsStr::from_bytes(b"\x1b[2J\nargument");
        let recorded = place.record_these("-v --report", &[hostile.as_os_str(), argument]).with_status(0);
        assert_printable(recorded.stderr.as_bytes());
        for way in
            ["", "-l", "-l -f", "-f", "--by app", "--by image", "--by process", "--by command", "--by cpu"]
        {
            let report = place.report(way).with_status(0);
            assert_printable(&report.stdout);
            assert_printable(report.stderr.as_bytes());
            // A line break in a name would make a row of its own.
            let broken =
                report.text().lines().find(|line| line.starts_with("argument") || line.starts_with("b"));
            assert_eq!(broken, None, "{way}");
        }
        let process = place.report("--by process -n").with_status(0);
        assert!(process.text().contains(r"\x1b]0;x\x07\x0a"), "the name is visible: {}", process.text());
    }
}

/// The same for a file that oprof only has to complain of.
#[test]
fn control_characters_in_errors_are_made_visible() {
    let place = Place::new();
    let name = std::ffi::OsStr::from_bytes(HOSTILE);
    let mut commands = vec![place.oprof(["report"]), place.oprof(["record", "-q", "--"])];
    commands[0].arg(name);
    commands[1].arg(name);
    let mut event = place.oprof(["record", "-q", "-e", "no\x1b[31m\nevent", "--", "true"]);
    event.stdin(Stdio::null());
    commands.push(event);
    let mut output = place.oprof(["record", "-q", "-o"]);
    output.arg(place.path(name).join("file")).args(["--", "true"]);
    commands.push(output);
    for subcommand in
        [&[][..], &["record"], &["report"], &["report", "-t"], &["record", "-F"], &["record", "--scope"]]
    {
        let mut mistaken = place.oprof(subcommand);
        mistaken.arg(std::ffi::OsStr::from_bytes(b"--\x1b[31mx"));
        commands.push(mistaken);
    }
    for mut command in commands {
        let finished = Started::new(command.stdout(Stdio::piped()).stderr(Stdio::piped())).finish();
        assert_ne!(finished.code(), Some(0), "{command:?}");
        assert_no_panic(&finished.stderr);
        assert_printable(finished.stderr.as_bytes());
        assert_printable(&finished.stdout);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
}

/// Two events are in one table, each with its own samples.
#[test]
fn several_events_are_reported_side_by_side() {
    for user in users() {
        let place = Place::of(user);
        let source = "#include <sys/mman.h>
            BURNER(burning)
            __attribute__((noinline)) void faulting(void) {
                for (int i = 0; i < 300; i++) {
                    char *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                    *(volatile char *)page = 1;
                    munmap(page, 4096);
                }
            }
            int main(void) { burning(0.2); faulting(); return 0; }";
        let Some(_) = place.cc("program", source) else { return };
        let recorded = place.record("-e cpu-clock:u -e page-faults:u", "./program").with_status(0);
        for event in ["cpu-clock", "page-faults"] {
            let line = format!("of {event}");
            assert!(recorded.stderr.contains(&line), "{user:?}: coverage {line}: {}", recorded.stderr);
        }
        let report = place.report("-l").with_status(0);
        for event in ["Counted cpu-clock", "Counted page-faults"] {
            assert!(report.text().contains(event), "{user:?}: {}", report.text());
        }
        let samples = |name: &str| -> Vec<u64> {
            let row = report.text().lines().find(|line| line.ends_with(&format!("  {name}")));
            let fields: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
            [0, 2].iter().filter_map(|&column| fields.get(column)?.parse().ok()).collect()
        };
        let (burning, faulting) = (samples("burning"), samples("faulting"));
        let text = report.text();
        assert!(burning.len() == 2 && burning[0] > 50 && burning[1] < 20, "{user:?} {burning:?}:\n{text}");
        assert!(faulting.len() == 2 && faulting[1] >= 290, "{user:?} {faulting:?}:\n{text}");
    }
}

/// Each grouping has rows, and the rows hold all samples.
#[test]
fn every_grouping_has_rows() {
    let place = Place::new();
    let Some(_) = place.cc("program", "BURNER(work) int main(void) { work(0.15); return 0; }") else {
        return;
    };
    place.record_these("-q -e cpu-clock", &["sh", "-c", "./program; ./program"]).with_status(0);
    let samples: u64 = symbols_of(&place, "oprof.data").iter().map(|row| row.samples).sum();
    for by in ["app", "image", "symbol", "process", "command", "cpu"] {
        let report = place.report(&format!("--by {by} -n")).with_status(0);
        let counts = report.text().lines().map(|line| line.split_whitespace().next().unwrap_or_default());
        let sum: u64 = counts.map(|count| count.replace(',', "").parse::<u64>().unwrap_or(0)).sum();
        assert_eq!(sum, samples, "{by}:\n{}", report.text());
        assert!(
            place.report(&format!("--by {by}")).with_status(0).stdout.len() > report.stdout.len(),
            "{by}: a title"
        );
    }
}

/// `--by command` answers which of a build's processes cost what: command line, directory, wall time and total.
#[test]
fn commands_have_their_command_line_and_directory() {
    for user in users() {
        let place = Place::of(user);
        std::fs::create_dir(place.path("within")).expect("a directory");
        let source = "BURNER(work) int main(int n, char **v) { work(atof(v[1])); return 0; }";
        let Some(program) = place.cc("program", source) else { return };
        let script = "(cd within && ../program 0.15 first 'with blank') & ./program 0.15 second & wait";
        place.record_these("-q -e cpu-clock", &["sh", "-c", script]).with_status(0);
        let report = place.report("--by command").with_status(0);
        let directory = program.parent().expect("a directory").to_str().expect("a plain path");
        for (line, directory) in [
            ("../program 0.15 first 'with blank'", format!("{directory}/within")),
            ("./program 0.15 second", directory.to_owned()),
        ] {
            let row = report.text().lines().find(|row| row.ends_with(line));
            let row = row.unwrap_or_else(|| panic!("{user:?}: {line} is missing:\n{}", report.text()));
            assert!(row.contains(&format!(" {directory} ")), "{user:?}: {row}");
            let samples: u64 = row.split_whitespace().next().unwrap_or_default().parse().expect("samples");
            assert!(samples > 40, "{user:?}: {row}");
            assert_eq!(row.matches(" ms ").count(), 2, "{user:?}: a total and a wall time: {row}");
        }
    }
}

/// A threshold leaves out what is below it, and only that.
#[test]
fn a_threshold_leaves_out_small_rows() {
    let place = Place::new();
    let source = "BURNER(large) BURNER(small) int main(void) { large(0.19); small(0.01); return 0; }";
    let Some(_) = place.cc("program", source) else { return };
    place.record("-q -e cpu-clock:u", "./program").with_status(0);
    let report = place.report("-l -n -t 20").with_status(0);
    assert!(report.text().contains("large") && !report.text().contains("small"), "{}", report.text());
    assert!(place.report("-l -n").with_status(0).text().contains("small"));
}

/// `--report` prints the table on stderr when the command has ended: stdout stays the command's.
#[test]
fn a_report_after_the_recording_leaves_stdout_alone() {
    let place = Place::new();
    let Some(_) = place.cc("program", "BURNER(work) int main(void) { work(0.1); puts(\"out\"); return 3; }")
    else {
        return;
    };
    let finished = place.record("--report", "./program").with_status(3);
    assert_eq!(finished.text(), "out\n");
    assert!(finished.stderr.contains("  work\n"), "{}", finished.stderr);
}

/// Which file could not be written is not clear from the cause alone.
#[test]
fn a_full_standard_output_is_named() {
    let place = Place::new();
    place.record("-q", "true").with_status(0);
    for arguments in [["report", "-l"], ["list", "cpu-clock"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let mut oprof = place.oprof(arguments);
        let finished = Started::new(oprof.stdout(full).stderr(Stdio::piped())).finish().with_status(1);
        assert_one_line(&finished.stderr, &["standard output", "No space left"]);
    }
}
