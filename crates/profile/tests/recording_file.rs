//! A recording file while it is being made: in place, readable at any time, bounded, and never in the way of others.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use oprof_profile::recording::{self, Error, RecordingFile};
use oprof_profile::{
    Batch, CommandEnd, CpuMode, Event, EventId, ImageNames, Profile, Record, Recording, Run, Sample,
    Sampling, TaskRecord, Timestamp, Unresolved, VirtualAddress,
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
        group: None,
    }]
}

fn create(path: &Path) -> Result<RecordingFile, Error> {
    RecordingFile::create(
        path,
        None,
        Run { host: "host".to_owned(), ..Run::default() },
        events(),
        Timestamp(0),
    )
}

/// Samples at `count` places, from place `first` on, spread so that they do not compress into nothing.
fn sample(profile: &mut Profile, first: u64, count: u64) {
    let samples = (first..first + count).map(|place| Sample {
        time: Timestamp(place),
        address: VirtualAddress(spread(place)),
        weight: 1000,
        pid: 1,
        tid: 8,
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

fn whole(profile: Profile) -> Recording {
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
    let whole = whole(profile);
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
    file.finish(&whole(profile)).expect("finished");
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

/// A whole recording of so many places, and its bytes.
fn whole_at(path: &Path, places: u64) -> Vec<u8> {
    let mut file = create(path).expect("created");
    file.publish().expect("published");
    let mut profile = Profile::of_all_processes(1);
    sample(&mut profile, 0, places);
    file.finish(&whole(profile)).expect("finished");
    fs::read(path).expect("readable")
}

/// What is in the directory, by name.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn one_that_was_cut_off_never_takes_the_place_of_a_whole_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let old = directory.path().join("oprof.data.old");
    let whole = whole_at(&path, 10);
    for run in 0..3 {
        let mut file = create(&path).expect("created");
        assert_eq!(file.replaces_incomplete(), run > 0);
        file.publish().expect("published");
        drop(file);
        assert!(Recording::open(&path).is_ok_and(|recording| recording.is_cut_off()));
        assert_eq!(fs::read(&old).expect("kept"), whole, "after run {run}");
    }
    let next = whole_at(&path, 20);
    assert_eq!(fs::read(&old).expect("kept"), whole, "the one between was cut off");
    whole_at(&path, 30);
    assert_eq!(fs::read(&old).expect("kept"), next);
    assert_eq!(names_in(directory.path()), ["oprof.data", "oprof.data.old"]);
}

/// Whoever looks, at whatever moment, finds a recording.
#[test]
fn the_name_is_never_without_a_recording() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    whole_at(&path, 10);
    let is_done = AtomicBool::new(false);
    let missed = std::thread::scope(|scope| {
        let look = scope.spawn(|| {
            let mut missed = 0;
            while !is_done.load(Ordering::Relaxed) {
                missed += u32::from(path.symlink_metadata().is_err());
            }
            missed
        });
        // Beside an older one without content each is kept in its turn.
        for _ in 0..500 {
            create(&path).and_then(|mut file| file.publish()).expect("published");
            fs::write(directory.path().join("oprof.data.old"), "").expect("written");
        }
        is_done.store(true, Ordering::Relaxed);
        look.join().expect("no panic")
    });
    assert_eq!(missed, 0);
}

#[test]
fn what_a_kill_between_two_steps_leaves_is_a_recording_and_is_swept_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let name = |suffix: &str| directory.path().join(format!("oprof.data{suffix}"));
    let whole = whole_at(&name(""), 10);
    // Before its command ran.
    fs::write(name(".tmp"), &whole[..100]).expect("written");
    // With the recording under the older name, too, but not there.
    fs::hard_link(name(""), name(".new.tmp")).expect("linked");
    drop(create(&name("")).expect("created"));
    assert_eq!(names_in(directory.path()), ["oprof.data"]);
    // With both names on it, and the next one not in place.
    fs::hard_link(name(""), name(".old")).expect("linked");
    fs::write(name(".tmp"), "").expect("written");
    let mut file = create(&name("")).expect("created");
    file.publish().expect("published");
    assert_eq!(fs::read(name(".old")).expect("kept"), whole);
    assert_eq!(names_in(directory.path()), ["oprof.data", "oprof.data.old"]);
    // While a file is written anew.
    drop(file);
    fs::write(name(".new.tmp"), &whole[..30]).expect("written");
    whole_at(&name(""), 20);
    assert_eq!(names_in(directory.path()), ["oprof.data", "oprof.data.old"]);
}

#[test]
fn nothing_but_what_a_recorder_left_is_swept_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let mine = directory.path().join("oprof.data.new.tmp");
    fs::write(&mine, "something dear to its owner").expect("written");
    drop(create(&path).expect("created"));
    assert_eq!(fs::read(&mine).expect("there"), b"something dear to its owner");
    fs::rename(&mine, directory.path().join("oprof.data.tmp")).expect("renamed");
    assert!(matches!(create(&path), Err(Error::WouldReplace { .. })));
}

#[test]
fn there_is_one_recorder_for_a_file_at_a_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let refused = |when: &str| {
        let error = create(&path).expect_err(when);
        assert!(matches!(error, Error::InUse(_)), "{when}: {error}");
        assert!(error.to_string().contains("oprof.data: another oprof"), "{error}");
    };
    let mut file = create(&path).expect("created");
    refused("before the command runs");
    file.publish().expect("published");
    refused("while it runs");
    let mut profile = Profile::of_all_processes(1);
    for window in 0..8 {
        // Grows until it is written anew.
        sample(&mut profile, window * 40_000, 40_000);
        file.append(&mut profile, Timestamp(window), Timestamp(window + 1)).expect("appended");
        refused("while it grows");
        assert!(Recording::open(&path).is_ok(), "who only reads is not hindered");
    }
    file.finish(&whole(profile)).expect("finished");
    assert_eq!(names_in(directory.path()), ["oprof.data"]);
    drop(create(&path).expect("free again"));
}

#[test]
fn of_many_recorders_that_begin_at_once_one_records() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    for _ in 0..20 {
        let start = std::sync::Barrier::new(8);
        let created = std::thread::scope(|scope| {
            let begin = || {
                start.wait();
                create(&path)
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(begin)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
        });
        let refused = created.iter().filter(|file| matches!(file, Err(Error::InUse(_)))).count();
        assert_eq!((created.iter().flatten().count(), refused), (1, 7), "{created:?}");
    }
}

#[test]
fn a_file_that_went_away_is_not_said_to_be_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let within = directory.path().join("within");
    let path = within.join("oprof.data");
    let record = |meanwhile: &dyn Fn()| {
        fs::create_dir_all(&within).expect("a directory");
        let mut file = create(&path).expect("created");
        file.publish().expect("published");
        meanwhile();
        file.finish(&whole(Profile::of_all_processes(1)))
    };
    let unfinished = record(&|| fs::remove_dir_all(&within).expect("removed")).expect_err("it is gone");
    assert!(matches!(unfinished.error, Error::Removed(_)) && !unfinished.is_left, "{unfinished:?}");
    let elsewhere = directory.path().join("elsewhere");
    let unfinished =
        record(&|| fs::rename(&within, &elsewhere).expect("renamed")).expect_err("it is elsewhere");
    assert!(matches!(unfinished.error, Error::Removed(_)) && unfinished.is_left, "{unfinished:?}");
    // A file alone is made anew.
    record(&|| fs::remove_file(&path).expect("removed")).expect("finished");
    assert!(Recording::open(&path).is_ok_and(|recording| !recording.is_cut_off()));
    // But not where another has come, be it a recording.
    let other = fs::read(&path).expect("readable");
    let unfinished = record(&|| {
        fs::remove_file(&path).expect("removed");
        fs::write(&path, &other).expect("written");
    });
    let unfinished = unfinished.expect_err("it is another's");
    assert!(matches!(unfinished.error, Error::WouldReplace { .. }) && !unfinished.is_left, "{unfinished:?}");
    assert_eq!(fs::read(&path).expect("there"), other);
}

#[test]
fn what_is_not_a_recording_is_never_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let notes = directory.path().join("notes.txt");
    fs::write(&notes, "something dear to its owner").expect("written");
    assert!(matches!(create(&notes), Err(Error::WouldReplace { .. })));
    // Nor is it pushed aside as the older recording of another.
    let path = directory.path().join("oprof.data");
    fs::write(directory.path().join("oprof.data.old"), "something dear to its owner").expect("written");
    assert!(matches!(create(&path), Err(Error::WouldReplace { .. })));
    assert!(matches!(create(directory.path()), Err(Error::WouldReplace { .. })));
    assert_eq!(fs::read(&notes).expect("there"), b"something dear to its owner");
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let directory = tempfile::tempdir().expect("a directory");
    let target = directory.path().join("target");
    fs::write(&target, "").expect("written");
    let link = directory.path().join("oprof.data");
    symlink(&target, &link).expect("linked");
    assert!(matches!(create(&link), Err(Error::WouldReplace { .. })));
    assert_eq!(target.metadata().expect("there").len(), 0);
    let path = directory.path().join("other.data");
    let prepared = directory.path().join("other.data.tmp");
    symlink(&target, &prepared).expect("linked");
    assert!(matches!(create(&path), Err(Error::WouldReplace { .. })));
    fs::rename(&prepared, directory.path().join("other.data.new.tmp")).expect("renamed");
    let mut file = create(&path).expect("created");
    file.publish().expect("published");
    let mut profile = Profile::of_all_processes(1);
    let mut refused = Vec::new();
    for window in 0..8 {
        // Grows until it would be written anew.
        sample(&mut profile, window * 40_000, 40_000);
        refused.extend(file.append(&mut profile, Timestamp(window), Timestamp(window + 1)).err());
    }
    let told = |error: &Error| error.to_string().contains("other.data.new.tmp: is a symbolic link");
    assert!(!refused.is_empty() && refused.iter().all(told), "{refused:?}");
    file.finish(&whole(profile)).expect("finished all the same");
    assert_eq!(Recording::open(&path).expect("readable").counts.len(), 320_000);
    assert_eq!(target.metadata().expect("there").len(), 0);
}

#[test]
fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("nowhere/oprof.data");
    let error = create(&path).expect_err("there is no such directory");
    assert!(matches!(error, Error::NoDirectory(_)) && error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn names_can_be_written_while_recording_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let mut file = create(&path).expect("created");
    file.publish().expect("published");
    let mut profile = Profile::of_all_processes(1);
    for round in 1..4_u64 {
        sample(&mut profile, round * 10, 10);
        let offsets: Vec<_> = {
            profile.close_window();
            profile.sampled_offsets()
        };
        let mut names = vec![ImageNames::default(); profile.images().len()];
        for (image, offsets) in offsets {
            names[image.0 as usize] = ImageNames::unresolved(offsets, Unresolved::KernelRestricted);
        }
        file.write_names(&mut profile, Timestamp(round), &names, &Default::default()).expect("written");
        let so_far = Recording::open(&path).expect("readable");
        assert!(recording::is_being_written(&path));
        assert_eq!(so_far.coverage.events[0].samples, round * 11 - 1);
        for (key, _) in so_far.counts.iter() {
            assert_eq!(so_far.lookup(key.image, key.offset), Err(Unresolved::KernelRestricted));
        }
        sample(&mut profile, round * 1000, 1);
        file.append(&mut profile, Timestamp(round), Timestamp(round + 1)).expect("appended");
        assert_eq!(Recording::open(&path).expect("readable").counts.len() as u64, round * 11);
    }
    drop(file);
    assert!(!recording::is_being_written(&path));
}

#[test]
fn what_was_renumbered_is_written_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("oprof.data");
    let mut file = create(&path).expect("created");
    file.publish().expect("published");
    let mut profile = Profile::of_all_processes(1);
    for round in 0..3_u64 {
        sample(&mut profile, round * 10, 10);
        let ended = TaskRecord {
            time: Timestamp(round * 10 + 9),
            record: Record::ThreadExited { pid: 1, tid: 1, cpu: 0 },
        };
        profile.apply(&Batch { samples: Vec::new(), records: vec![ended] });
        file.append(&mut profile, Timestamp(round), Timestamp(round + 1)).expect("appended");
        profile.fold_ended(Timestamp(u64::MAX), 0).expect("it has ended");
        file.append(&mut profile, Timestamp(round), Timestamp(round + 1)).expect("appended");
        let so_far = Recording::open(&path).expect("readable");
        assert_eq!((so_far.processes.len(), so_far.processes[0].folded), (1, round + 1));
        assert_eq!(so_far.counts.len() as u64, (round + 1) * 10);
    }
}
