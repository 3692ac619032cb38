//! The recording file: never lost, never someone else's, readable anywhere.

mod harness;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use harness::{
    Place, SmallDisk, Started, User, assert_no_panic, assert_one_line, finish, share_of, skipped, symbols_of,
    until, users,
};

const BURN_A_LITTLE: &str =
    "BURNER(work) int main(int n, char **v) { work(n > 1 ? atof(v[1]) : 0.1); return 0; }";

/// The recording before the last is kept.
#[test]
fn an_older_recording_is_kept() {
    for user in users() {
        let place = Place::of(user);
        place.record_these("-q", &["sh", "-c", "exit 0"]).with_status(0);
        let first = place.bytes("oprof.data");
        place.record_these("-q", &["sh", "-c", "exit 0"]).with_status(0);
        assert!(place.bytes("oprof.data.old") == first, "{user:?}: it is kept as it was");
        assert!(place.bytes("oprof.data") != first, "{user:?}: and there is a new one");
        assert_eq!(place.names_ending(".tmp"), [""; 0], "{user:?}");
        place.report("oprof.data").with_status(0);
        place.report("oprof.data.old").with_status(0);
    }
}

/// A run that fails at its start destroys nothing.
#[test]
fn a_failed_run_leaves_the_recordings_alone() {
    for user in users() {
        let place = Place::of(user);
        place.record("-q", "true").with_status(0);
        place.record("-q", "true").with_status(0);
        let before = (place.bytes("oprof.data"), place.bytes("oprof.data.old"));
        place.write("plain.txt", "no program\n");
        for (options, command, status) in [
            ("-q", "no-such-command-anywhere", 127),
            ("-q", "./plain.txt", 126),
            ("-q -e no-such-event", "true", 125),
            ("-q -e cpu-clock -F 999999999", "true", 125),
            ("-q -o no/such/directory/oprof.data", "true", 125),
        ] {
            let finished = place.record(options, command).with_status(status);
            assert_one_line(&finished.stderr, &[]);
            let after = (place.bytes("oprof.data"), place.bytes("oprof.data.old"));
            assert!(after == before, "{user:?}: {options} {command} changed a recording");
            assert_eq!(place.names_ending(".tmp"), [""; 0], "{user:?}: {options} {command}");
        }
    }
}

/// A mistyped `-o` does not cost a user's file.
#[test]
fn a_file_that_is_no_recording_is_never_replaced() {
    for user in users() {
        let place = Place::of(user);
        place.write("thesis.txt", "years of work\n");
        fs::create_dir(place.path("directory")).expect("a directory");
        for output in ["thesis.txt", "directory", "."] {
            let finished = place.record(&format!("-q -o {output}"), "touch was-run").with_status(125);
            assert_one_line(&finished.stderr, &[output]);
            assert!(!place.path("was-run").exists(), "{user:?}: the command was not run");
        }
        assert_eq!(place.bytes("thesis.txt"), b"years of work\n");
        // The name that the older recording would get may be taken as well.
        place.record("-q", "true").with_status(0);
        place.write("oprof.data.old", "something else\n");
        let recording = place.bytes("oprof.data");
        let finished = place.record("-q", "true").with_status(125);
        assert_one_line(&finished.stderr, &["oprof.data.old"]);
        assert_eq!(place.bytes("oprof.data.old"), b"something else\n");
        assert!(place.bytes("oprof.data") == recording);
    }
}

/// Two recorders on one file would lose a recording: the second is refused, before its command runs.
#[test]
fn a_second_recorder_of_the_same_file_is_refused() {
    for user in users() {
        let place = Place::of(user);
        let wait = "touch started; until [ -e go ]; do sleep 0.01; done; exit 3";
        let mut first = place.oprof(["record", "-q", "--", "sh", "-c", wait]);
        let first = Started::new(&mut first);
        until("the first command", || place.path("started").exists().then_some(()));
        let finished = place.record("", "touch was-run").with_status(125);
        assert_one_line(&finished.stderr, &["oprof.data", "another oprof", "-o"]);
        assert!(!place.path("was-run").exists(), "{user:?}: the command was not run");
        place.record("-q -o other.data", "true").with_status(0);
        place.report("-l").with_status(0);
        place.write("go", "");
        first.finish().with_status(3);
        assert!(!place.path("oprof.data.old").exists(), "{user:?}: there was one recording");
        place.record("-q", "true").with_status(0);
    }
}

/// The command may run oprof itself, without a thought on the name of the file.
#[test]
fn a_recorder_within_a_recorder_is_refused_the_same_file() {
    let place = Place::new();
    let oprof = place.oprof(["record"]).get_program().to_owned();
    let script = format!("'{}' record -q -- touch was-run", oprof.display());
    let finished = place.record_these("-q", &["sh", "-c", &script]).with_status(125);
    assert_one_line(&finished.stderr, &["oprof.data", "another oprof", "-o"]);
    assert!(!place.path("was-run").exists());
    place.report("-l").with_status(0);
}

/// Nothing is claimed of a recording that is gone.
#[test]
fn an_output_directory_that_is_removed_meanwhile_is_told() {
    for user in users() {
        for (end, status) in [("exit 0", 125), ("exit 6", 6)] {
            let place = Place::of(user);
            let made = place.command("mkdir").arg("within").status().expect("mkdir runs");
            assert!(made.success());
            let script = format!("until [ -e within/x.data ]; do sleep 0.01; done; rm -rf within; {end}");
            let finished = place.record_these("-o within/x.data", &["sh", "-c", &script]).with_status(status);
            let claims: Vec<&str> = finished.stderr.lines().filter(|line| line.contains("x.data")).collect();
            let [claim] = claims[..] else { panic!("one line on the file: {}", finished.stderr) };
            assert!(claim.contains("removed") && claim.contains("nothing is left"), "{user:?}: {claim}");
            assert!(!finished.stderr.contains("coverage"), "{user:?}: {}", finished.stderr);
        }
    }
}

/// After `sudo oprof record` the file that is in the way is a recording: to say that it is none would be wrong.
#[test]
fn a_file_of_another_user_is_said_to_be_theirs() {
    if !User::Own.is_root() {
        return skipped("only root can make a file of root's");
    }
    let place = Place::of(User::Nobody);
    for name in ["oprof.data", "oprof.data.old", "oprof.data.tmp"] {
        let roots = place.write(name, "oprof\r\n\x1a");
        fs::set_permissions(&roots, Permissions::from_mode(0o600)).expect("permissions");
        let finished = place.record("", "touch was-run").with_status(125);
        assert_one_line(&finished.stderr, &[name, "belongs to root", "-o"]);
        assert!(!place.path("was-run").exists());
        fs::remove_file(&roots).expect("removed");
    }
}

/// What was put at the name while the command ran is not replaced either, and the command's status is passed on.
#[test]
fn a_file_that_appears_meanwhile_is_not_replaced() {
    let place = Place::new();
    let script =
        "until [ -e oprof.data ]; do sleep 0.01; done; rm oprof.data; echo mine > oprof.data; exit 5";
    let finished = place.record_these("-q", &["sh", "-c", script]);
    assert!(place.bytes("oprof.data") == b"mine\n", "it was replaced; oprof said: {}", finished.stderr);
    assert_eq!(finished.code(), Some(5), "{}", finished.stderr);
    assert_one_line(&finished.stderr, &["oprof.data"]);
}

/// A link at the output's name is a trap in a directory that others can write to.
#[test]
fn a_symbolic_link_is_not_followed() {
    for user in users() {
        let place = Place::of(user);
        place.write("victim", "precious\n");
        for target in ["victim", "not-there-yet"] {
            for name in ["oprof.data", "oprof.data.old"] {
                symlink(target, place.path(name)).expect("a link");
                let finished = place.record("-q", "true");
                assert_eq!(place.bytes("victim"), b"precious\n");
                assert!(!place.path("not-there-yet").exists(), "{user:?}, {name} -> {target}");
                if finished.code() != Some(0) {
                    assert_one_line(&finished.with_status(125).stderr, &[name, "is a symbolic link", "-o"]);
                }
                for name in ["oprof.data", "oprof.data.old"] {
                    let _ = fs::remove_file(place.path(name));
                }
            }
        }
    }
}

/// What a user ran is nobody else's business.
#[test]
fn a_recording_is_private() {
    for user in users() {
        let place = Place::of(user);
        place
            .record_these(
                "-q",
                &["sh", "-c", "until stat -c %a oprof.data > mode 2>/dev/null; do sleep 0.01; done"],
            )
            .with_status(0);
        assert_eq!(place.bytes("mode"), b"600\n", "{user:?}: while the command runs");
        let mode = place.path("oprof.data").metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{user:?}: and afterwards");
    }
}

/// A directory that cannot be written to is told before the command runs.
#[test]
fn an_output_directory_without_permission_is_one_line() {
    let place = Place::of(User::unprivileged());
    fs::create_dir(place.path("closed")).expect("a directory");
    fs::set_permissions(place.path("closed"), Permissions::from_mode(0o555)).expect("permissions");
    let finished = place.record("-q -o closed/oprof.data", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["closed/oprof.data"]);
    assert!(!place.path("was-run").exists());
}

/// A recording answers alone: the programs may be gone, and it may be another directory of another machine.
#[test]
fn a_report_needs_nothing_but_the_recording() {
    let place = Place::new();
    let Some(_) = place.cc("program", BURN_A_LITTLE) else { return };
    place.record_these("-q", &["sh", "-c", "./program & ./program; wait"]).with_status(0);
    let ways = [
        "",
        "-l",
        "-l -n",
        "-l -f",
        "--by app",
        "--by image",
        "--by symbol",
        "--by process",
        "--by command",
        "--by cpu",
        "-t 5 -l",
    ];
    let reports = |place: &Place, file: &str| -> Vec<(Vec<u8>, String)> {
        let all = ways.iter().map(|way| place.report(&format!("{way} {file}")).with_status(0));
        all.map(|finished| (finished.stdout, finished.stderr)).collect()
    };
    let before = reports(&place, "oprof.data");
    fs::remove_file(place.path("program")).expect("the program goes");
    assert!(reports(&place, "oprof.data") == before, "without the program");
    place.write("program", "something else by this name");
    assert!(reports(&place, "oprof.data") == before, "with another file of its name");
    let elsewhere = Place::of(User::unprivileged());
    elsewhere.write("copied.data", place.bytes("oprof.data"));
    fs::set_permissions(elsewhere.path("copied.data"), Permissions::from_mode(0o644)).expect("permissions");
    assert!(reports(&elsewhere, "copied.data") == before, "copied, and read by someone else");
}

/// On a full disk the command is not run for nothing, and what is there stays.
#[test]
fn a_full_disk_is_told_before_the_command_runs() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, "disk") else { return };
    place.record("-q -o disk/oprof.data", "true").with_status(0);
    let before = place.bytes("disk/oprof.data");
    disk.fill_but(0);
    let finished = place.record("-q -o disk/oprof.data", "touch was-run").with_status(125);
    assert_one_line(&finished.stderr, &["disk/oprof.data", "No space left", "free some space"]);
    assert_eq!(finished.stderr.matches("No space left").count(), 1, "said once: {}", finished.stderr);
    assert!(!place.path("was-run").exists());
    assert!(place.bytes("disk/oprof.data") == before, "the recording that was there is intact");
    assert!(!place.path("disk/oprof.data.old").exists());
}

/// A disk that is full while the command runs costs neither the command, its status, nor the older recording.
#[test]
fn a_disk_that_fills_up_while_recording_is_told() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, "disk") else { return };
    let Some(_) = place.cc("program", BURN_A_LITTLE) else { return };
    place.record("-q -o disk/oprof.data", "true").with_status(0);
    let before = place.bytes("disk/oprof.data");
    disk.fill_but(4096);
    // The header, with this argument in it, leaves too little of the page for anything else.
    let mut state = 1_u32;
    let argument: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + (state >> 24) as u8 % 90)
    })
    .take(4300)
    .collect();
    let command = ["sh", "-c", "./program 0.2; exit 6", argument.as_str()];
    let finished = place.record_these("-q -o disk/oprof.data", &command);
    assert_no_panic(&finished.stderr);
    if finished.code() == Some(125) {
        panic!("the header did not fit, which is another test: {}", finished.stderr);
    }
    assert_eq!(finished.code(), Some(6), "{}", finished.stderr);
    assert!(place.bytes("disk/oprof.data.old") == before, "the older recording is intact");
    let report = place.report("-l disk/oprof.data");
    assert_no_panic(&report.stderr);
    // Either it all fitted after all, or oprof says that it did not, and so does the report.
    let samples = report.text().lines().any(|line| line.ends_with("  work"));
    if !samples {
        // A busy machine takes so long that it is told while recording, too, but the cause once.
        let lines: Vec<&str> = finished.stderr.lines().collect();
        assert!(lines.len() <= 2 && lines[0].contains("disk/oprof.data: "), "{}", finished.stderr);
        assert_eq!(finished.stderr.matches("No space left").count(), 1, "{}", finished.stderr);
        assert!(report.stderr.contains("cut off"), "nothing was lost, says the report: {}", report.stderr);
    }
}

/// A disk that stays full is told when that begins and when it ends so, not each time that writing fails; and another
/// failed run costs the whole recording no more than the first.
#[test]
fn a_disk_that_stays_full_is_told_once_and_costs_no_whole_recording() {
    let place = Place::new();
    let Some(disk) = SmallDisk::mount(&place, "disk") else { return };
    let Some(_) = place.cc("program", BURN_A_LITTLE) else { return };
    place.record("-q -o disk/oprof.data", "true").with_status(0);
    let whole = place.bytes("disk/oprof.data");
    // Whatever fits behind the header in its page, the names of all of these do not.
    let script = "for i in 1 2 3 4 5 6 7 8 9; do cp program a-copy-of-the-program-$i; done
        cat /dev/zero > disk/rest 2>/dev/null
        for i in 1 2 3 4 5 6 7 8 9; do ./a-copy-of-the-program-$i 0.15; done
        exit 0";
    for _ in 0..2 {
        disk.fill_but(8192);
        let mut state = std::process::id();
        let argument: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + (state >> 24) as u8 % 90)
        })
        .take(4000)
        .collect();
        let command = ["sh", "-c", script, argument.as_str()];
        let finished = place.record_these("-q -o disk/oprof.data", &command);
        assert_no_panic(&finished.stderr);
        let mut lines: Vec<&str> = finished.stderr.lines().collect();
        assert!(lines.len() <= 2, "{}", finished.stderr);
        assert!(finished.stderr.matches("No space left").count() <= 1, "{}", finished.stderr);
        lines.dedup();
        assert_eq!(lines.len(), finished.stderr.lines().count(), "{}", finished.stderr);
        assert_eq!(finished.code(), Some(125), "{}", finished.stderr);
        assert!(place.bytes("disk/oprof.data.old") == whole, "the whole recording is intact");
        fs::remove_file(place.path("disk/rest")).expect("removed");
    }
}

/// The limit of file sizes is one more way in which a file cannot be written: it does not end oprof.
#[test]
fn the_limit_of_file_sizes_is_one_line() {
    for user in users() {
        let place = Place::of(user);
        let oprof = place.oprof(["record"]).get_program().to_owned();
        let mut shell = place.command("sh");
        // In units of 512 bytes.
        shell.args(["-c", "ulimit -f 1; exec \"$@\"", "sh"]).arg(oprof);
        let script = "for i in 1 2 3 4 5 6 7 8; do ls / > /dev/null; sort /dev/null; done";
        shell.args(["record", "-q", "--", "sh", "-c", script]);
        let finished = finish(&mut shell).with_status(125);
        assert_one_line(&finished.stderr, &["oprof.data", "too large", "ulimit -f"]);
    }
}

/// A directory that is no more cannot be written to, whatever its path says.
#[test]
fn a_working_directory_that_is_gone_is_one_line() {
    let place = Place::new();
    let oprof = place.oprof(["record"]).get_program().to_owned();
    let mut shell = place.command("sh");
    let script = "mkdir gone; cd gone; rmdir ../gone; exec \"$@\"";
    shell.args(["-c", script, "sh"]).arg(oprof).args(["record", "true"]);
    let finished = finish(&mut shell).with_status(125);
    assert_one_line(&finished.stderr, &["oprof.data", "working directory was removed", "-o"]);
}

/// What did not fit on a disk is in memory: with space again before the end, nothing is lost.
#[test]
fn a_disk_with_space_again_gets_the_whole_recording() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::mount(&place, "disk") else { return };
    let Some(_) = place.cc("program", BURN_A_LITTLE) else { return };
    let script = "cat /dev/zero > disk/filler 2>/dev/null; ./program 1.2; rm disk/filler; exit 0";
    let finished = place.record_these("-o disk/oprof.data", &["sh", "-c", script]).with_status(0);
    assert_no_panic(&finished.stderr);
    let symbols = symbols_of(&place, "disk/oprof.data");
    let samples: u64 = symbols.iter().filter(|row| row.name == "work").map(|row| row.samples).sum();
    assert!(samples > 500, "{samples} samples of 1,200: {}", finished.stderr);
    assert!(share_of(&symbols, |row| row.name == "work") > 50.0);
}
