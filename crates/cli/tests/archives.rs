//! `oprof archive`, `oparchive` and `opgprof`: what they make is read elsewhere, and what others made is not believed.

mod harness;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Finished, Place, assert_one_line, finish, skipped};

/// OProfile's sessions and the images in them, beside the project where they were unpacked.
fn reference() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = root.join("../shared/opreport").canonicalize().ok()?;
    let place = std::env::temp_dir().join(format!("oprof-archives-{}", std::process::id()));
    if !place.join("root").is_dir() {
        fs::create_dir_all(&place).ok()?;
        for name in ["sessions.tar.xz", "root.tar.xz"] {
            let mut tar = Command::new("tar");
            let unpacked = tar.arg("-xJf").arg(shared.join(name)).arg("-C").arg(&place).status();
            unpacked.ok().filter(|status| status.success())?;
        }
    }
    Some(place)
}

/// Removes the reference when a test has ended.
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run<S: AsRef<OsStr>>(
    place: &Place,
    tool: &str,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Finished {
    finish(place.oprof_as(tool).current_dir(folder).args(arguments))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn oprofiles_sessions_are_archived_and_written_for_gprof() {
    let Some(folder) = reference().map(Unpacked) else {
        return skipped("OProfile's reference sessions are not beside the project");
    };
    let (place, folder) = (Place::new(), &folder.0);
    // The list is OProfile's: debug files are where the reference has them, the session where it was unpacked.
    let arguments = "-l --session-dir=sessions/default --root=root image:/opt/oprofile-demo/bin/hot";
    let listed = run(&place, "oparchive", folder, words(arguments)).with_status(0);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/opreport/out/arch-list.txt");
    let golden = fs::read_to_string(golden).expect("the reference's list");
    let own = |line: &str| {
        let line = line
            .replace(&folder.canonicalize().expect("a folder").display().to_string(), "/opt/oprofile-demo");
        match line.strip_suffix(".debug").and_then(|line| line.rsplit('/').next()) {
            Some(name) => format!("debug file {name}"),
            None => line,
        }
    };
    let lines = |text: &str| text.lines().map(own).collect::<Vec<_>>();
    assert_eq!(lines(listed.text()), lines(&golden));
    let refused = run(&place, "oparchive", folder, ["--session-dir=sessions/default"]).with_status(1);
    assert_one_line(&refused.stderr, &["--output-directory"]);
    assert_eq!(refused.text(), "");
    // Reports of the archive are those of the session, without the images that it was made of.
    let target = place.path("archive");
    let archive = format!("archive:{}", target.display());
    for session in ["default", "cg"] {
        let directory = format!("--session-dir=sessions/{session}");
        let output = format!("--output-directory={}", target.display());
        run(&place, "oparchive", folder, [&output, &directory, "--root=root"]).with_status(0);
        for options in ["-n", "-l", "-d"] {
            let here = run(&place, "opreport", folder, [options, &directory, "--root=root"]).with_status(0);
            let there = run(&place, "opreport", Path::new("/"), [options, archive.as_str()]).with_status(0);
            assert!(!here.stdout.is_empty() && here.stdout == there.stdout, "{session} {options}");
        }
        let again = run(&place, "oparchive", folder, [&output, &directory, "--root=root"]).with_status(1);
        assert!(again.stderr.contains("is not empty, left as it is"), "{}", again.stderr);
        fs::remove_dir_all(&target).expect("it was made");
    }
    symlink(place.path("elsewhere"), &target).expect("a link");
    let output = format!("--output-directory={}", target.display());
    let refused = run(&place, "oparchive", folder, [&output, "--session-dir=sessions/cg"]).with_status(1);
    assert!(refused.stderr.contains("symbolic link") && !place.path("elsewhere").exists());
    // gprof's flat profile has the numbers of opreport -l.
    let chosen = "--session-dir=sessions/default --root=root image:/opt/oprofile-demo/bin/hot";
    let written = run(&place, "opgprof", folder, [words(chosen), words("-o gmon.out")].concat());
    assert!(written.with_status(0).stderr.contains("3 of 6,759 samples are in no function"));
    let options = "-l -x -n --exclude-unresolved";
    let report = run(&place, "opreport", folder, [words(options), words(chosen)].concat()).with_status(0);
    match Command::new("gprof")
        .args(words("-b -p root/opt/oprofile-demo/bin/hot gmon.out"))
        .current_dir(folder)
        .output()
    {
        Ok(output) => {
            let numbers = |text: &str, samples: usize| {
                let rows = text.lines().map(words).filter(|row| row.len() >= 3);
                let row = |row: Vec<&str>| Some((row.last()?.to_string(), row[samples].parse::<f64>().ok()?));
                rows.filter_map(row).filter(|(_, samples)| *samples > 0.0).collect::<Vec<_>>()
            };
            let flat = numbers(&String::from_utf8_lossy(&output.stdout), 2);
            assert!(flat.len() > 5, "{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(flat, numbers(report.text(), 0));
        }
        Err(error) => skipped(&format!("gprof cannot be run: {error}")),
    }
    for (arguments, told) in [
        ("--session-dir=sessions/default --root=root -o several", "choose one with image:PATH"),
        (
            "--session-dir=sessions/multi --root=root image:/opt/oprofile-demo/bin/hot -o several",
            "choose one with event:NAME",
        ),
        ("--session-dir=sessions/default --root=root image:*/hot -o sessions", "is a directory"),
    ] {
        let refused = run(&place, "opgprof", folder, words(arguments)).with_status(1);
        assert!(refused.stderr.contains(told), "{arguments}: {}", refused.stderr);
    }
    assert!(!folder.join("several").exists());
}

/// A recording is reported from an archive alone.
#[test]
fn an_archive_is_reported_where_no_image_is() {
    let place = Place::new();
    fs::copy("/bin/ls", place.path("program")).expect("a copy");
    place.record("-q -e page-faults -c 1", "./program /").with_status(0);
    let made = finish(&mut place.oprof(["archive", "-o", "x.tar.zst"])).with_status(0);
    assert_one_line(&made.stderr, &["x.tar.zst: the recording, "]);
    let report = place.report("-l oprof.data").with_status(0);
    let listed = finish(&mut place.oprof(["archive", "--list", "x.tar.zst"])).with_status(0);
    assert!(
        listed.text().contains("recording.data") && listed.text().contains("/program\n"),
        "{}",
        listed.text()
    );
    finish(&mut place.oprof(["archive", "--extract", "out", "x.tar.zst"])).with_status(0);
    assert_eq!(place.bytes("out/recording.data"), place.bytes("oprof.data"));
    let again = finish(&mut place.oprof(["archive", "-x", "out", "x.tar.zst"])).with_status(1);
    assert_one_line(&again.stderr, &["out: is not empty"]);
    fs::remove_file(place.path("program")).expect("removed");
    fs::remove_file(place.path("oprof.data")).expect("removed");
    assert_eq!(place.report("-l x.tar.zst").with_status(0).stdout, report.stdout);
    // What is gone is told, and reports need it no more.
    let gone = finish(&mut place.oprof(["archive", "out/recording.data", "-o", "y.tar.zst"])).with_status(0);
    assert!(gone.stderr.contains("/program: is not there any more; left out"), "{}", gone.stderr);
    assert_eq!(place.report("-l y.tar.zst").with_status(0).stdout, report.stdout);
    for (arguments, told) in [
        ("archive out/recording.data -o out/recording.data", "is not an archive of oprof's, left as it is"),
        ("archive out/recording.data -o out", "is a directory"),
        ("archive x.tar.zst -o z.tar.zst", "is an archive already"),
        ("archive nothing -o z.tar.zst", "no such recording"),
        ("archive --list out/recording.data", "is not an archive"),
    ] {
        assert_one_line(&finish(&mut place.oprof(words(arguments))).with_status(1).stderr, &[told]);
    }
    assert!(!place.path("z.tar.zst").exists());
}

/// An archive with one member of this name, type and size, the first frame of it `content`.
fn archive(name: &str, kind: tar::EntryType, size: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
    zstd::bulk::compress(&bytes, 1).expect("compressible")
}

#[test]
fn hostile_archives_are_refused() {
    use tar::EntryType::{Char, Link, Regular, Symlink};
    let place = Place::new();
    for (name, kind, size) in [
        ("../escaped", Regular, 4),
        ("/tmp/oprof-escaped", Regular, 4),
        ("a/../../escaped", Regular, 4),
        ("link", Symlink, 0),
        ("link", Link, 0),
        ("device", Char, 0),
        ("recording.data", Regular, 1 << 40),
        ("recording.data", Regular, u64::MAX >> 20),
        ("bad\u{1b}[31mname", Regular, 4),
    ] {
        place.write("hostile", archive(name, kind, size, b"evil"));
        for arguments in ["archive --list hostile", "archive --extract out hostile", "report hostile"] {
            let refused = finish(&mut place.oprof(words(arguments))).with_status(1);
            assert_one_line(&refused.stderr, &["hostile"]);
            harness::assert_printable(refused.stderr.as_bytes());
        }
        let out = place.path("out");
        assert!(!out.exists() || fs::read_dir(&out).expect("readable").next().is_none(), "{name}");
        assert!(!place.path("escaped").exists() && !Path::new("/tmp/oprof-escaped").exists(), "{name}");
        let _ = fs::remove_dir_all(out);
    }
    // One that is cut off, one that unfolds, and one that is none.
    let whole = archive("recording.data", Regular, 4, b"evil");
    place.write("hostile", &whole[..whole.len() - 5]);
    finish(&mut place.oprof(words("archive --extract out hostile"))).with_status(1);
    place.write("hostile", zstd::bulk::compress(&vec![0xff; 64 << 20], 19).expect("compressible"));
    finish(&mut place.oprof(words("report hostile"))).with_status(1);
    place.write("hostile", [0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]);
    finish(&mut place.oprof(words("archive --list hostile"))).with_status(1);
}
