//! What a command's caller sees of oprof: the exit status, and streams and surroundings left as they were.

mod harness;

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use harness::{Place, Started, User, assert_one_line, finish, users};

/// A build that is profiled must fail or succeed as it would alone.
#[test]
fn the_status_of_the_command_is_passed_on() {
    for user in users() {
        let place = Place::of(user);
        for (script, status) in
            [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
        {
            let finished = place.record_these("-q", &["sh", "-c", script]);
            assert_eq!(finished.code(), Some(status), "{user:?}, {script}: {}", finished.stderr);
            assert!(place.path("oprof.data").is_file(), "{user:?}, {script}: a recording was made");
        }
    }
}

/// The status is the command's in each scope, not only in the one that auto takes.
#[test]
fn the_status_is_passed_on_in_every_scope() {
    let place = Place::new();
    for scope in ["cgroup", "system", "inherit"] {
        let finished = place.record_these(&format!("-q --scope {scope}"), &["sh", "-c", "exit 7"]);
        if finished.code() == Some(125) {
            harness::skipped(&format!("scope {scope}: {}", finished.stderr.trim()));
            continue;
        }
        assert_eq!(finished.code(), Some(7), "{scope}: {}", finished.stderr);
    }
}

/// A misspelt command has the status and one line that shells give it.
#[test]
fn a_command_that_does_not_exist_is_127() {
    for user in users() {
        let place = Place::of(user);
        for command in ["no-such-command-anywhere", "./no-such-file", "/no/such/directory/program"] {
            let finished = place.record("-q", command).with_status(127);
            assert_one_line(&finished.stderr, &[command]);
            assert!(finished.stdout.is_empty());
        }
    }
}

/// A variable that was not set is a command without a name.
#[test]
fn a_command_without_a_name_is_127() {
    let place = Place::new();
    let finished = place.record_these("-q", &[""]).with_status(127);
    assert_one_line(&finished.stderr, &["name is empty"]);
}

/// A run that comes to nothing says why, and not how it would have been done.
#[test]
fn a_failed_run_says_one_line_without_quiet_too() {
    for user in users() {
        let place = Place::of(user);
        for (options, command, status) in
            [("", "no-such-command-anywhere", 127), ("-o no/such/directory/x", "true", 125), ("", "/", 126)]
        {
            let finished = place.record(options, command).with_status(status);
            assert_one_line(&finished.stderr, &[]);
        }
    }
}

/// A file that cannot be executed has the status that shells give it, and the line says why.
#[test]
fn a_command_that_cannot_be_executed_is_126() {
    for user in users() {
        let place = Place::of(user);
        place.write("plain.txt", "no program\n");
        fs::create_dir(place.path("directory")).expect("a directory");
        for command in ["./plain.txt", "./directory"] {
            let finished = place.record("-q", command).with_status(126);
            assert_one_line(&finished.stderr, &[command]);
        }
    }
}

/// A cause that is said twice makes a reader look for the difference.
#[test]
fn the_cause_is_said_once() {
    let place = Place::new();
    place.write("plain.txt", "no program\n");
    let finished = place.record("-q", "./plain.txt").with_status(126);
    assert_eq!(finished.stderr.matches("Permission denied").count(), 1, "{}", finished.stderr);
}

/// A script whose interpreter is missing exists: to say "no such command" alone would send its owner the wrong way.
#[test]
fn a_script_without_its_interpreter_is_not_said_to_be_missing() {
    let place = Place::new();
    let script = place.write("script", "#!/no/such/interpreter\n");
    fs::set_permissions(script, Permissions::from_mode(0o755)).expect("permissions");
    let finished = place.record("-q", "./script");
    assert!(matches!(finished.code(), Some(126 | 127)), "{:?}", finished.status);
    assert_one_line(&finished.stderr, &["./script", "interpreter"]);
}

/// As in a shell, a directory of PATH that is out of reach does not turn a misspelt command into one that exists.
#[test]
fn a_directory_out_of_reach_in_path_is_passed_over() {
    let place = Place::of(User::unprivileged());
    let closed = place.path("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::set_permissions(&closed, Permissions::from_mode(0o000)).expect("permissions");
    let mut oprof = place.oprof(["record", "-q", "--", "no-such-command-anywhere"]);
    oprof.env("PATH", format!("{}:/usr/bin:/bin", closed.display())).stderr(Stdio::piped());
    let finished = Started::new(&mut oprof).finish();
    // Else it could not be removed.
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).expect("permissions");
    assert_one_line(&finished.with_status(127).stderr, &["no-such-command-anywhere"]);
}

/// Failures of oprof itself cannot be taken for the command's, and the command was not run.
#[test]
fn failures_of_the_recorder_are_125() {
    for user in users() {
        let place = Place::of(user);
        let command = format!("touch {}", place.path("was-run").display());
        for (options, word) in [
            ("-e no-such-event", "no-such-event"),
            ("-e cpu-clock/", "cpu-clock/"),
            ("-e cpu-clock -F 0", "0"),
            ("-e cpu-clock -c 1", "cpu-clock"),
            ("-F -5", "at least 1"),
            ("-c 99999999999999999999", "too large"),
            ("-c 18446744073709551615", "too large"),
            ("-e cpu-clock -m 7X", "7X"),
            ("-m 100T", "1G"),
            ("-F 100 -c 100", "-c"),
            ("--no-such-option", "--no-such-option"),
            ("--scope elsewhere", "elsewhere"),
            ("-o no/such/directory/file", "no/such/directory"),
            ("-o /proc/oprof.data", "/proc/oprof.data"),
        ] {
            let finished = place.record(options, &command).with_status(125);
            assert_one_line(&finished.stderr, &[word]);
            assert!(finished.stdout.is_empty(), "{options}: stdout is the command's");
            assert!(!place.path("was-run").exists(), "{user:?}, {options}: the command was run");
        }
        let nothing = harness::Started::new(place.oprof(["record"]).stderr(Stdio::piped())).finish();
        assert_one_line(&nothing.with_status(125).stderr, &["COMMAND", "oprof record --help"]);
    }
}

/// What the command writes goes through untouched and complete: every byte, on both streams.
#[test]
fn the_streams_are_the_commands() {
    let place = Place::new();
    let bytes: Vec<u8> =
        (0..1_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    place.write("bytes", &bytes);
    let finished = place.record_these("", &["sh", "-c", "cat bytes; echo its own words >&2"]).with_status(0);
    assert!(finished.stdout == bytes, "{} bytes came of {}", finished.stdout.len(), bytes.len());
    let (theirs, ours): (Vec<&str>, Vec<&str>) =
        finished.stderr.lines().partition(|line| !line.starts_with("oprof: "));
    assert_eq!(theirs, ["its own words"]);
    assert!(!ours.is_empty(), "oprof says what it recorded");
}

/// A filter works under oprof: standard input is the command's.
#[test]
fn standard_input_is_the_commands() {
    let place = Place::new();
    let mut oprof = place.oprof(["record", "-q", "--", "tr", "a-z", "A-Z"]);
    oprof.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut started = Started::new(&mut oprof);
    let mut stdin = started.take_stdin();
    stdin.write_all(b"some words\n").expect("written");
    drop(stdin);
    let finished = started.finish().with_status(0);
    assert_eq!(finished.text(), "SOME WORDS\n");
}

/// `-q` leaves stderr to the command alone.
#[test]
fn quiet_is_silent() {
    for user in users() {
        let place = Place::of(user);
        let finished = place.record_these("-q", &["sh", "-c", "echo out; echo err >&2"]).with_status(0);
        assert_eq!((finished.text(), finished.stderr.as_str()), ("out\n", "err\n"), "{user:?}");
    }
}

/// A command behaves under oprof as without it: no descriptor, limit, signal setting or variable is changed.
#[test]
fn the_command_is_run_in_the_same_surroundings() {
    let look = "ulimit -a; umask; pwd; env | grep -v ^_= | sort; grep -E 'Sig(Blk|Ign|Cgt)|Cap|NoNewPrivs' \
                /proc/self/status; ls /proc/self/fd; cat /proc/self/oom_score_adj";
    for user in users() {
        let place = Place::of(user);
        let mut alone = place.command("sh");
        alone.args(["-c", look]).stdout(Stdio::piped());
        let alone = Started::new(&mut alone).finish();
        let under_oprof = place.record_these("-q", &["sh", "-c", look]).with_status(0);
        for (ours, theirs) in under_oprof.text().lines().zip(alone.text().lines()) {
            assert_eq!(without_internal_signals(ours), without_internal_signals(theirs), "{user:?}");
        }
        assert_eq!(under_oprof.text().lines().count(), alone.text().lines().count(), "{user:?}");
    }
}

/// What a shell starts in the background of a script ignores interrupts, and nohup(1) has hang-ups ignored: the command
/// under oprof does, too.
#[test]
fn signals_that_are_ignored_stay_so_for_the_command() {
    let place = Place::new();
    let look = "grep SigIgn /proc/self/status";
    for tool in ["record -q -e cpu-clock:u", "stat -q -e cpu-clock:u -o counts"] {
        let oprof = place.oprof(tool.split(' '));
        let words: Vec<_> = [oprof.get_program()].into_iter().chain(oprof.get_args()).collect();
        let script = format!("trap '' HUP INT TERM; {look}; \"$@\" sh -c '{look}'");
        let finished = finish(place.command("sh").args(["-c", &script, "sh"]).args(words)).with_status(0);
        let lines: Vec<&str> = finished.text().lines().collect();
        assert_eq!(lines.len(), 2, "{tool}: {lines:?}");
        assert_eq!(without_internal_signals(lines[0]), without_internal_signals(lines[1]), "{tool}");
        // The lowest digit has signals 1 to 4, HUP and INT the first of them.
        assert!(lines[0].ends_with(['3', '7', 'b', 'f']), "{}", lines[0]);
    }
}

/// The recorder raises its own limit of open files, each time that it tries a scope; the command has the one that
/// oprof was started with.
#[test]
fn the_limit_of_open_files_is_the_one_that_oprof_was_started_with() {
    for user in users() {
        for scope in ["auto", "cgroup", "system", "inherit"] {
            let place = Place::of(user);
            let oprof = place.oprof(["record"]).get_program().to_owned();
            let mut shell = place.command("sh");
            shell.args(["-c", "ulimit -Sn 200; exec \"$@\"", "sh"]).arg(oprof);
            shell.args(["record", "-q", "--scope", scope, "--", "sh", "-c", "ulimit -Sn"]);
            let finished = harness::finish(&mut shell);
            if scope != "auto" && finished.code() == Some(125) {
                harness::skipped(&format!("{user:?}, scope {scope}: {}", finished.stderr.trim()));
                continue;
            }
            assert_eq!(finished.with_status(0).text(), "200\n", "{user:?}, scope {scope}");
        }
    }
}

/// glibc keeps signals 32 and 33 to itself, and leaves them ignored or not as it happens.
fn without_internal_signals(line: &str) -> String {
    let mask = line.strip_prefix("SigIgn:\t").and_then(|mask| u64::from_str_radix(mask, 16).ok());
    mask.map_or(line.to_owned(), |mask| format!("SigIgn {:x}", mask & !0x1_8000_0000))
}

/// Without anyone to read its words oprof still does its work and gives the command's status.
#[test]
fn closed_streams_do_not_matter() {
    let place = Place::new();
    let oprof = place.oprof(["record"]).get_program().to_owned();
    let script = format!("exec 1>&- 2>&-; '{}' record -- sh -c 'exit 4'", oprof.display());
    let mut shell = place.command("sh");
    let finished = Started::new(shell.args(["-c", &script])).finish();
    assert_eq!(finished.code(), Some(4), "signal {:?}", finished.status.signal());
    place.report("-l").with_status(0);
}
