//! `oprof merge`: many recordings become one, and nothing else is lost by it.

mod harness;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use harness::{Finished, Place, SmallDisk, assert_one_line, finish, symbols_of};

/// Runs `oprof merge ARGUMENTS`, split at blanks.
fn merge(place: &Place, arguments: &str) -> Finished {
    finish(place.oprof(["merge"]).args(arguments.split_whitespace()))
}

/// A place with recordings `a.data` and `b.data` of a program that faults in pages.
fn recorded() -> Option<Place> {
    let place = Place::new();
    for name in ["a", "b"] {
        let options = format!("-q -e page-faults -c 1 -o {name}.data");
        place.record_these(&options, &["sh", "-c", "ls / > /dev/null; true"]).with_status(0);
    }
    Some(place)
}

fn samples(place: &Place, file: &str) -> u64 {
    symbols_of(place, file).iter().map(|symbol| symbol.samples).sum()
}

#[test]
fn the_report_is_of_the_sum() {
    let Some(place) = recorded() else { return };
    let merged = merge(&place, "a.data b.data -o all.data").with_status(0);
    assert_one_line(&merged.stderr, &["all.data", "2 recordings"]);
    let sum = samples(&place, "a.data") + samples(&place, "b.data");
    assert!(sum > 0 && samples(&place, "all.data") == sum, "{sum}");
    assert_eq!(
        fs::metadata(place.path("all.data")).expect("it is there").permissions().mode() & 0o777,
        0o600
    );
    // The one before is kept; the sum of one is that one.
    merge(&place, "--output all.data a.data").with_status(0);
    assert_eq!(samples(&place, "all.data"), samples(&place, "a.data"));
    assert_eq!(samples(&place, "all.data.old"), sum);
    assert_eq!(place.names_ending(".tmp"), [""; 0]);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_merged() {
    let Some(place) = recorded() else { return };
    place.write("text", "no recording");
    let mut bytes = place.bytes("b.data");
    let last = bytes.len() - 20;
    bytes[last] ^= 0xff;
    place.write("damaged.data", &bytes);
    let merged = merge(&place, "a.data text nowhere damaged.data . -o all.data").with_status(1);
    for words in [
        "text: not an oprof recording",
        "nowhere: no such recording",
        "damaged.data: damaged at byte",
        "2 recordings",
    ] {
        assert!(merged.stderr.contains(words), "{words}: {}", merged.stderr);
    }
    assert!(place.report("all.data").stdout.len() > 100, "what could be read is there");
    let merged = merge(&place, "text nowhere -o none.data").with_status(1);
    assert!(merged.stderr.contains("none.data: not written"), "{}", merged.stderr);
    assert!(!place.path("none.data").exists() && !place.path("none.data.tmp").exists());
}

#[test]
fn nothing_but_a_recording_is_replaced() {
    let Some(place) = recorded() else { return };
    place.write("text", "precious");
    symlink("elsewhere", place.path("link")).expect("a link");
    assert!(Command::new("mkfifo").arg(place.path("fifo")).status().is_ok_and(|status| status.success()));
    for (output, words) in [
        ("a.data", "to be merged itself"),
        ("./b.data", "to be merged itself"),
        ("text", "not an oprof recording"),
        ("link", "symbolic link"),
        ("fifo", "device, a pipe or a socket"),
        (".", "directory"),
        ("nowhere/all.data", "no such directory"),
    ] {
        let refused = merge(&place, &format!("a.data b.data -o {output}")).with_status(1);
        assert_one_line(&refused.stderr, &[words]);
    }
    assert_eq!(place.bytes("text"), b"precious");
    assert!(!place.path("elsewhere").exists());
    // Nor what would take the place of one that is to be merged.
    fs::rename(place.path("b.data"), place.path("a.data.old")).expect("renamed");
    let refused = merge(&place, "a.data.old -o a.data").with_status(1);
    assert_one_line(&refused.stderr, &["would be replaced by the a.data of before"]);
}

#[test]
fn a_recording_that_is_named_twice_counts_once() {
    let Some(place) = recorded() else { return };
    fs::hard_link(place.path("a.data"), place.path("same.data")).expect("a link");
    let merged = merge(&place, "a.data ./a.data same.data -o all.data").with_status(0);
    assert_eq!(merged.stderr.matches("named more than once").count(), 2, "{}", merged.stderr);
    assert_eq!(samples(&place, "all.data"), samples(&place, "a.data"));
}

#[test]
fn mistakes_are_told_in_one_line() {
    let place = Place::new();
    for (arguments, words) in [
        ("", "'--output <FILE>' and '<FILE>...' are missing"),
        ("a.data", "'--output <FILE>' is missing"),
        ("-o all.data", "'<FILE>...' is missing"),
        ("a.data -o x -o y", "cannot be used twice"),
        ("a.data --nope -o x", "unexpected argument '--nope'"),
    ] {
        assert_one_line(&merge(&place, arguments).with_status(2).stderr, &[words, "oprof merge --help"]);
    }
}

/// On a full disk what was there stays, and nothing half is left.
#[test]
fn a_full_disk_leaves_no_half_file() {
    let Some(place) = recorded() else { return };
    let Some(disk) = SmallDisk::mount(&place, "disk") else { return };
    merge(&place, "a.data -o disk/all.data").with_status(0);
    let before = fs::metadata(place.path("disk/all.data")).expect("it is there").ino();
    disk.fill_but(0);
    let full = merge(&place, "a.data b.data -o disk/all.data").with_status(1);
    assert_one_line(&full.stderr, &["disk/all.data", "free some space"]);
    assert_eq!(fs::metadata(place.path("disk/all.data")).expect("it is there").ino(), before);
    let left: Vec<_> = fs::read_dir(place.path("disk"))
        .expect("readable")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(left.len(), 2, "the recording and what fills the disk: {left:?}");
}

/// A kill leaves what was there, and the next one sweeps up.
#[test]
fn a_kill_in_between_loses_nothing() {
    let Some(place) = recorded() else { return };
    merge(&place, "a.data -o all.data").with_status(0);
    let before = place.bytes("all.data");
    // As a kill leaves it: begun, and not in its place.
    place.write("all.data.tmp", &before[..before.len() / 2]);
    assert_eq!(place.bytes("all.data"), before);
    merge(&place, "a.data b.data -o all.data").with_status(0);
    assert_eq!(place.names_ending(".tmp"), [""; 0]);
    assert_eq!(place.bytes("all.data.old"), before);
    for delay in [0.001_f64, 0.002, 0.005, 0.01, 0.02] {
        let before = place.bytes("all.data");
        let mut killed = place.command("timeout");
        killed.args(["-s", "KILL", &delay.to_string()]).arg(env!("CARGO_BIN_EXE_oprof"));
        finish(killed.args(["merge", "a.data", "b.data", "-o", "all.data"]));
        assert!(place.report("all.data").with_status(0).stdout.len() > 100, "whole at any time");
        assert!(place.bytes("all.data") == before || place.bytes("all.data.old") == before);
    }
}
