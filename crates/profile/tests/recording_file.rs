//! A recording file while it is being made: in place, readable at any time, bounded, and never in the way of others.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use oprof_profile::recording::{Error, RecordingFile};
use oprof_profile::{
    Batch, CommandEnd, CpuMode, Event, EventId, Profile, Recording, Run, Sample, Sampling, Timestamp,
    VirtualAddress,
};

fn events() -> Vec<Event> {
    vec![Event {
        name: "cpu-clock".to_owned(),
        description: String::new(),
        unit_mask: 0,
        unit_mask_description: String::new(),
        sampling: Sampling::Count(1000),
        user: true,
        kernel: true,
        nanoseconds: true,
    }]
}

fn create(path: &Path) -> Result<RecordingFile, Error> {
    RecordingFile::create(path, Run { host: "host".to_owned(), ..Run::default() }, events(), Timestamp(0))
}

/// Samples at `count` places, from place `first` on, spread so that they do not compress into nothing.
fn sample(profile: &mut Profile, first: u64, count: u64) {
    let samples = (first..first + count).map(|place| Sample {
        time: Timestamp(place),
        address: VirtualAddress(spread(place)),
        weight: 1000,
        pid: 1,
        cpu: 0,
        event: EventId(0),
        mode: CpuMode::Kernel,
    });
    profile.apply(&Batch { samples: samples.collect(), records: Vec::new() });
}

/// A number that looks random: the last steps of MurmurHash3, which map no two numbers to one.
fn spread(mut number: u64) -> u64 {
    number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

fn recording(profile: Profile) -> Recording {
    let (images, processes, counts, coverage) = profile.into_parts();
    let end = Some(CommandEnd::Exited(0));
    Recording { events: events(), images, processes, counts, coverage, end, ..Recording::default() }
}

#[test]
fn it_is_readable_after_every_window_and_holds_all_of_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let mut file = create(&path).expect("created");
    assert!(!path.exists(), "nothing is there before it is published");
    file.publish().expect("published");
    assert_eq!(path.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    let mut profile = Profile::of_all_processes(1);
    for window in 0..5 {
        sample(&mut profile, window * 10, 10);
        file.append(&mut profile, Timestamp(window), Timestamp(window + 1)).expect("appended");
        let so_far = Recording::open(&path).expect("readable");
        assert!(so_far.is_cut_off());
        assert_eq!(so_far.counts.len() as u64, (window + 1) * 10);
        assert_eq!(so_far.coverage.events[0].samples, (window + 1) * 10);
    }
    let whole = recording(profile);
    file.finish(&whole).expect("finished");
    assert_eq!(Recording::open(&path).expect("readable"), whole);
    let left: Vec<_> = fs::read_dir(directory.path()).expect("a directory").flatten().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
}

#[test]
fn its_size_follows_the_number_of_places_and_not_the_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let mut file = create(&path).expect("created");
    file.publish().expect("published");
    let mut profile = Profile::of_all_processes(1);
    let mut largest = 0;
    for window in 0..15 {
        // The same places again and again: a file that only grew would have 15 times the size of one window.
        sample(&mut profile, 0, 40_000);
        file.append(&mut profile, Timestamp(window), Timestamp(window + 1)).expect("appended");
        largest = largest.max(path.metadata().expect("there").len());
    }
    let all = Recording::open(&path).expect("readable");
    assert_eq!(all.counts.len(), 40_000);
    assert_eq!(all.coverage.events[0].samples, 15 * 40_000);
    assert!(all.counts.iter().all(|(_, count)| count.samples == 15 && count.weight == 15_000));
    file.finish(&recording(profile)).expect("finished");
    let compact = path.metadata().expect("there").len();
    assert!(compact > 200_000, "{compact} bytes do not reach the size from which files are compacted");
    assert!(largest < 10 * compact, "{largest} bytes at its largest, {compact} in the end");
}

#[test]
fn an_older_recording_is_kept_and_a_run_that_never_started_leaves_it_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let old = directory.path().join("oprof.data.old");
    let mut first = create(&path).expect("created");
    first.publish().expect("published");
    drop(first);
    let before = fs::read(&path).expect("readable");
    drop(create(&path).expect("created"));
    assert_eq!(fs::read(&path).expect("readable"), before);
    assert!(!old.exists());
    let mut second = create(&path).expect("created");
    second.publish().expect("published");
    assert_eq!(fs::read(&old).expect("kept"), before);
}

#[test]
fn what_is_not_a_recording_is_never_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let notes = directory.path().join("notes.txt");
    fs::write(&notes, "something dear to its owner").expect("written");
    assert!(matches!(create(&notes), Err(Error::WouldReplace(_))));
    // Nor is it pushed aside as the older recording of another.
    let path = directory.path().join("oprof.data");
    fs::write(directory.path().join("oprof.data.old"), "something dear to its owner").expect("written");
    assert!(matches!(create(&path), Err(Error::WouldReplace(_))));
    assert!(matches!(create(directory.path()), Err(Error::WouldReplace(_))));
    assert_eq!(fs::read(&notes).expect("there"), b"something dear to its owner");
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let directory = tempfile::tempdir().expect("a directory");
    let target = directory.path().join("target");
    fs::write(&target, "").expect("written");
    let link = directory.path().join("oprof.data");
    symlink(&target, &link).expect("linked");
    assert!(matches!(create(&link), Err(Error::WouldReplace(_))));
    assert_eq!(target.metadata().expect("there").len(), 0);
}

#[test]
fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("nowhere/oprof.data");
    let error = create(&path).expect_err("there is no such directory");
    assert!(matches!(error, Error::NoDirectory(_)) && error.to_string().contains("nowhere"), "{error}");
}
