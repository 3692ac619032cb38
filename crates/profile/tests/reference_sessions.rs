//! OProfile's own sessions, as its recorder wrote them, beside the project in `../shared/opreport`.

use std::path::{Path, PathBuf};
use std::process::Command;

use oprof_profile::session::{self, Header, Loaded, Samples, SessionDirectory, native_bytes};

/// Unpacks the sessions; `None`, which is said, where they are not there.
fn sessions() -> Option<(tempfile::TempDir, PathBuf)> {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/opreport/sessions.tar.xz");
    if !archive.exists() {
        println!("skipped: {} is not there", archive.display());
        return None;
    }
    let place = tempfile::tempdir().expect("a directory");
    let tar = Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(place.path()).status();
    assert!(tar.expect("tar").success());
    let sessions = place.path().join("sessions");
    Some((place, sessions))
}

fn loaded(directory: &Path, session: &str) -> Loaded {
    let directory = SessionDirectory::open(directory).expect("a session directory");
    let listing = directory.list(&[session]).expect("a session");
    session::load(&listing.files, &listing, &directory.abi)
}

/// Files, places, samples, distinct calls and calls, as an independent reader in Python counts them.
#[test]
fn samples_are_those_that_an_independent_reader_counts() {
    let Some((_place, sessions)) = sessions() else { return };
    for (name, session, files, places, samples, arcs, calls) in [
        ("cg", "current", 75, 655, 5940, 573, 5864),
        ("cpu", "current", 43, 1718, 50010, 0, 0),
        ("default", "current", 37, 1865, 56498, 0, 0),
        ("default2", "current", 28, 1273, 52239, 0, 0),
        ("diffdir", "s1", 37, 1865, 56498, 0, 0),
        ("diffdir", "s2", 28, 1273, 52239, 0, 0),
        ("multi", "current", 107, 3539, 70360, 0, 0),
        ("multicount", "current", 14, 348, 22736, 0, 0),
        ("novmlinux", "current", 35, 1945, 52086, 0, 0),
        ("p4", "current", 7, 173, 14485, 0, 0),
        ("thread", "current", 47, 1776, 49668, 0, 0),
        ("two", "previous", 7, 194, 14811, 0, 0),
        ("two", "saved1", 7, 194, 14811, 0, 0),
    ] {
        let directory = SessionDirectory::open(&sessions.join(name)).expect(name);
        let listing = directory.list(&[session]).expect(session);
        let Loaded { recording, problems, .. } = session::load(&listing.files, &listing, &directory.abi);
        assert_eq!(problems, [], "{name}");
        let sum = recording.counts.iter().map(|(_, count)| count.samples).sum::<u64>();
        assert_eq!((listing.files.len(), recording.counts.len(), sum), (files, places, samples), "{name}");
        let sum = recording.calls.iter().map(|(_, times)| times).sum::<u64>();
        assert_eq!((recording.calls.len(), sum), (arcs, calls), "{name}");
        assert_eq!(recording.coverage.events.iter().map(|event| event.samples).sum::<u64>(), samples);
    }
}

#[test]
fn what_a_session_keeps_apart_is_known() {
    let Some((_place, sessions)) = sessions() else { return };
    let apart = |name: &str| {
        let recording = loaded(&sessions.join(name), "current").recording;
        (recording.separates_cpus(), recording.separates_processes(), recording.separates_threads())
    };
    assert_eq!(apart("default"), (false, false, false));
    assert_eq!(apart("cpu"), (true, false, false));
    assert_eq!(apart("thread"), (false, true, true));
}

#[test]
fn headers_tell_the_machine_and_the_events() {
    let Some((_place, sessions)) = sessions() else { return };
    let p4 = loaded(&sessions.join("p4"), "current");
    assert_eq!((p4.cpu_type, p4.recording.run.cpu_mhz, p4.event_codes), (Some(5), 2400.12, vec![29]));
    let multi = loaded(&sessions.join("multi"), "current").recording;
    let mut events: Vec<_> =
        multi.events.iter().map(|event| (event.name.as_str(), event.unit_mask)).collect();
    events.sort_unstable();
    assert_eq!(events, [("CPU_CLK_UNHALTED", 0), ("DATA_CACHE_ACCESSES", 0), ("DATA_CACHE_MISSES", 3)]);
    assert_eq!(multi.coverage.lost_samples, 43, "stats/lost_no_mapping");
    let calls = loaded(&sessions.join("cg"), "current").recording;
    assert_eq!(calls.coverage.lost_samples, 0, "frames without a mapping are no lost samples");
}

/// What is written of a sample file's header and samples is that file, byte for byte.
#[test]
fn sample_files_are_written_as_oprofile_writes_them() {
    let Some((_place, sessions)) = sessions() else { return };
    let mut compared = 0;
    for name in ["default", "cg", "multi", "p4"] {
        let directory = SessionDirectory::open(&sessions.join(name)).expect(name);
        let mut bytes = Vec::new();
        for file in directory.list(&["current"]).expect("a session").files {
            file.read(&mut bytes).expect("readable");
            let header = Header::parse(&bytes, &directory.abi).expect("a header");
            let samples: Vec<_> = Samples::of_file(&bytes, &directory.abi).expect("samples").collect();
            // Nodes that are not in use hold what was there before the table grew.
            let number =
                |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes")) as usize;
            let (room, used) = (number(72), number(76));
            bytes[104 + 16 * used..104 + 16 * room].fill(0);
            let written = native_bytes(&header, samples).expect("they fit");
            let first = written.iter().zip(&bytes).position(|(ours, theirs)| ours != theirs);
            assert_eq!((written.len(), first), (bytes.len(), None), "{}", file.path.display());
            compared += 1;
        }
    }
    assert_eq!(compared, 226);
}
