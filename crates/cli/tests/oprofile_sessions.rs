//! OProfile's sessions: reported, imported, converted; damaged ones; mistakes.

mod harness;
#[path = "../../profile/tests/sessions/writer.rs"]
mod writer;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use harness::{
    Finished, Place, User, assert_no_panic, assert_one_line, assert_printable, finish, skipped, users,
};
use oprof_profile::session::{Abi, Header, Samples};
use writer::{abi_file, sample_file};

const HEADER: Header = Header {
    cpu_type: 5,
    event: 29,
    unit_mask: 1,
    count: 100_000,
    is_kernel: false,
    cpu_speed: 2400.5,
    mtime: 0,
    callee_is_kernel: false,
    memory_start: 0,
    callee_memory_start: 0,
};
const BIG_ENDIAN: Abi = Abi { little_endian: false, ..Abi::NATIVE };
const A: &str = "{root}/bin/a/{dep}/{root}/bin/a/GLOBAL_POWER_EVENTS.100000.1.all.all.all";
const B: &str = "{root}/bin/a/{dep}/{root}/lib/b.so/GLOBAL_POWER_EVENTS.100000.1.all.all.all";

/// Writes a sample file into the session `current` of the directory `session`.
fn write(place: &Place, abi: &Abi, name: &str, nodes: &[(u64, u64)]) -> PathBuf {
    let path = place.path("session/samples/current").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("directories");
    fs::write(&path, sample_file(abi, &HEADER, nodes)).expect("a file");
    fs::write(place.path("session/abi"), abi_file(abi)).expect("a file");
    path
}

fn run(place: &Place, arguments: &str) -> Finished {
    let finished = finish(&mut place.oprof(arguments.split_whitespace()));
    assert_no_panic(&finished.stderr);
    finished
}

#[test]
fn a_session_of_another_machine_is_reported() {
    for user in users() {
        let place = Place::of(user);
        write(&place, &BIG_ENDIAN, A, &[(0x10, 30)]);
        write(&place, &BIG_ENDIAN, B, &[(0x10, 10)]);
        let report = run(&place, "report --root . session").with_status(0);
        let lines: Vec<&str> = report.text().lines().collect();
        assert_eq!(lines[0], "CPU: P4 / Xeon, speed 2400.5 MHz (estimated)");
        assert!(lines[1].starts_with("Counted GLOBAL_POWER_EVENTS events ("), "{}", lines[1]);
        assert!(lines[1].ends_with(") count 100000"), "{}", lines[1]);
        assert!(
            report.text().contains("\n\t       30 75.0000 a\n\t       10 25.0000 b.so\n"),
            "{}",
            report.text()
        );
        assert!(report.stderr.contains("/lib/b.so: is not there"), "{}", report.stderr);
        let by_process = run(&place, "report --by process --root . session").with_status(0);
        assert!(by_process.text().contains(" all "), "{}", by_process.text());
    }
}

#[test]
fn a_damaged_file_costs_its_samples_and_the_exit_status() {
    let place = Place::new();
    write(&place, &Abi::NATIVE, A, &[(0x10, 30)]);
    let damaged = write(&place, &Abi::NATIVE, B, &[(0x10, 10)]);
    fs::write(&damaged, b"DAE\n").expect("a file");
    let report = run(&place, "report --root . session").with_status(1);
    assert!(report.text().contains("30 100.000 a"), "{}", report.text());
    let line = report.stderr.lines().find(|line| line.contains("b.so/GLOBAL")).expect("a line");
    assert!(line.contains("cut off: 4 bytes are less than a header; left out"), "{line}");
    assert!(report.stderr.contains("1 sample file left out"), "{}", report.stderr);
    let import = run(&place, "import --root . session -o x.data").with_status(1);
    assert!(import.stderr.contains("x.data: 30 samples of 1 sample files; 1 left out"), "{}", import.stderr);
    let again = run(&place, "report x.data").with_status(1);
    assert_eq!(again.text(), report.text(), "what was left out is known in the recording, too");
}

#[test]
fn files_that_may_not_be_read_are_told() {
    if !users().contains(&User::Nobody) && rustix::process::geteuid().is_root() {
        return skipped("nothing is unreadable for root");
    }
    let user = if rustix::process::geteuid().is_root() { User::Nobody } else { User::Own };
    let place = Place::of(user);
    write(&place, &Abi::NATIVE, A, &[(0x10, 30)]);
    let file = write(&place, &Abi::NATIVE, B, &[(0x10, 10)]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).expect("permissions");
    let folder = place.path("session/samples/current/{kern}");
    fs::create_dir(&folder).expect("a directory");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).expect("permissions");
    let report = run(&place, "report --root . session").with_status(1);
    let denied =
        report.stderr.lines().filter(|line| line.contains("cannot be read: Permission denied; left out"));
    assert_eq!(denied.count(), 2, "{}", report.stderr);
    assert!(report.text().contains("30 100.000 a"), "{}", report.text());
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn what_is_no_session_or_empty_has_one_line_with_the_cure() {
    let place = Place::new();
    fs::create_dir_all(place.path("empty/samples/current")).expect("directories");
    fs::create_dir_all(place.path("empty/samples/before")).expect("directories");
    for (arguments, words) in [
        ("report empty", &["no samples", "other sessions: before"][..]),
        ("import empty", &["oprof.data: not written", "no samples"]),
        ("import nowhere", &["nowhere: no such directory", "oprofile_data"]),
        ("import .", &["no session", "`samples`"]),
        ("import empty --session other", &["no session other; there are before, current"]),
        ("import", &["oprofile_data: no such directory"]),
    ] {
        let finished = run(&place, arguments).with_status(1);
        assert_one_line(&finished.stderr, words);
        assert!(finished.stdout.is_empty());
    }
    assert!(!place.path("oprof.data").exists(), "nothing was written");
    assert_eq!(place.names_ending(".tmp"), Vec::<String>::new());
}

#[test]
fn an_import_replaces_no_more_than_a_recording() {
    let place = Place::new();
    write(&place, &Abi::NATIVE, A, &[(0x10, 30)]);
    run(&place, "import --root . session -o x.data").with_status(0);
    let mode = fs::metadata(place.path("x.data")).expect("a file").mode();
    assert_eq!(mode & 0o777, 0o600);
    run(&place, "import --root . session -o x.data").with_status(0);
    assert!(place.path("x.data.old").exists(), "the one before is kept");
    place.write("text", "something else\n");
    symlink("text", place.path("link")).expect("a link");
    for (output, words) in [
        ("text", "not an oprof recording"),
        ("link", "symbolic link"),
        (".", "directory"),
        ("no/x", "no such directory"),
    ] {
        let finished = run(&place, &format!("import session -o {output}")).with_status(1);
        assert_one_line(&finished.stderr, &[words]);
    }
    assert_eq!(place.bytes("text"), b"something else\n");
}

#[test]
fn names_with_control_characters_are_shown_escaped() {
    let place = Place::new();
    write(&place, &Abi::NATIVE, A, &[(0x10, 30)]);
    write(&place, &Abi::NATIVE, "{root}/bin/\x1b[31m\n/{dep}/{root}/bin/\x07x/E.1.0.all.all.all", &[(1, 1)]);
    write(&place, &Abi::NATIVE, "{root}/bin/\x1bb/{dep}/x", &[(1, 1)]);
    for arguments in
        ["report --root . session", "report -l -f --root . session", "import --root . session -o x.data"]
    {
        let finished = run(&place, arguments).with_status(1);
        assert_printable(&finished.stdout);
        assert_printable(finished.stderr.as_bytes());
    }
}

/// The folder of OProfile's own sessions and their images, unpacked; `None`, which is said, where it is not there.
fn reference() -> Option<Place> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/opreport");
    if !folder.join("sessions.tar.xz").is_file() {
        skipped("OProfile's sessions are not beside this checkout");
        return None;
    }
    let place = Place::new();
    for archive in ["sessions.tar.xz", "root.tar.xz"] {
        let mut tar = place.command("tar");
        finish(tar.arg("-xJf").arg(folder.join(archive).canonicalize().expect("a path"))).with_status(0);
    }
    Some(place)
}

#[test]
fn an_imported_session_says_elsewhere_what_it_says_here() {
    let Some(place) = reference() else { return };
    for session in ["default", "cg", "p4"] {
        run(&place, &format!("import sessions/{session} --root root -o {session}.data")).with_status(0);
        for options in ["-l -g", "--by image", "--by process", "-f"] {
            let here =
                run(&place, &format!("report {options} --root root sessions/{session}")).with_status(0);
            let imported = run(&place, &format!("report {options} {session}.data")).with_status(0);
            assert_eq!(imported.text(), here.text(), "{options} of {session}");
        }
    }
    let symbols = run(&place, "report -l default.data").with_status(0);
    for row in [
        "libwork.so               hot-stripped             lib_spin",
        "BZ2_compressBlock",
        "__x64_sys_getppid",
    ] {
        assert!(symbols.text().contains(row), "{row}");
    }
    run(&place, "import sessions/two --session previous,saved1 --root root -o two.data").with_status(0);
    let two = run(&place, "report --by cpu two.data").with_status(0);
    assert!(two.text().contains("29,622  100.00  all"), "the sum of both: {}", two.text());
}

#[test]
fn opimport_makes_files_of_this_machines_layout() {
    let place = Place::new();
    let nodes = [(0xffff_ffff_0000, 1), (2, 3), (2, 4)];
    fs::write(place.path("foreign"), sample_file(&BIG_ENDIAN, &HEADER, &nodes)).expect("a file");
    place.write("abi", abi_file(&BIG_ENDIAN));
    place.write("own", abi_file(&Abi::NATIVE));
    let opimport = |arguments: &str| {
        let finished = finish(place.oprof_as("opimport").args(arguments.split_whitespace()));
        assert_no_panic(&finished.stderr);
        finished
    };
    opimport("-a abi -o native foreign").with_status(0);
    let native = place.bytes("native");
    assert_eq!(native.len(), 2664);
    assert_eq!(Header::parse(&native, &Abi::NATIVE), Ok(HEADER), "the speed of the CPU among it");
    let samples: Vec<_> = Samples::of_file(&native, &Abi::NATIVE).expect("samples").collect();
    assert_eq!(samples, [(0xffff_ffff_0000, 1), (2, 7)]);
    let told = opimport("-V -a abi -o native foreign").with_status(0);
    assert_one_line(&told.stderr, &["samples 8, nodes 3", "2400.5 MHz", "event 0x1d"]);

    // Of this machine's layout there is nothing to convert.
    let none = opimport("-a own -o other native").with_status(1);
    assert_one_line(&none.stderr, &["nothing to convert", "-f"]);
    assert!(!place.path("other").exists());
    opimport("--force --abi own --output other native").with_status(0);
    assert_eq!(place.bytes("other"), native);

    symlink("native", place.path("link")).expect("a link");
    for (arguments, words) in [
        ("-a abi -o foreign foreign", "is to be converted itself"),
        ("-a nowhere -o x foreign", "nowhere: no such file"),
        ("-a foreign -o x foreign", "foreign: line 1: not a name and a number"),
        ("-a abi -o x nowhere", "nowhere: cannot be read: No such file"),
        ("-a abi -o x native", "sample file of format 0x13000000"),
        ("-a abi -o x abi", "not a sample file"),
        ("-a abi -o . foreign", "directory"),
        ("-a abi -o link foreign", "symbolic link"),
        ("-a abi -o x", "is missing; see opimport --help"),
        ("-o x foreign", "is missing; see opimport --help"),
        ("--nope", "unexpected argument '--nope'"),
    ] {
        let finished = opimport(arguments).with_status(1);
        assert_one_line(&finished.stderr, &[words]);
    }
    assert_eq!(place.bytes("native"), native, "what a link leads to stays");
    assert!(opimport("--help").with_status(0).text().contains("Usage: opimport"));
}
