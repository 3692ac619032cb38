//! A recording goes into a file and comes back, whole or cut off anywhere.

mod example;

use std::path::Path;
use std::time::Duration;

use oprof_profile::recording::{BatchedRecording, Error};
use oprof_profile::{
    Call, Calls, Clock, CommandEnd, Count, Counts, Distribution, EventId, Image, ImageId, ImageKind,
    ImageNames, ImageOffset, Key, NameSource, Process, ProcessId, Recording, Run, SymbolId, Target,
    Unresolved,
};
use proptest::prelude::*;

use example::example;

fn written(recording: &Recording) -> Vec<u8> {
    let mut bytes = Vec::new();
    recording.write(&mut bytes).expect("memory can be written");
    bytes
}

/// Reads a recording, whose samples have to be the same in batches.
fn read(bytes: &[u8]) -> Result<Recording, Error> {
    let path = Path::new("test.data");
    let folded = Recording::read(bytes, path);
    match (&folded, BatchedRecording::read(bytes, path)) {
        (Ok(folded), Ok(batched)) => {
            let counts = batched.iter().collect();
            assert_eq!(Recording { counts, ..batched.recording }, *folded);
        }
        (Err(folded), Err(batched)) => assert_eq!(folded.to_string(), batched.to_string()),
        (folded, batched) => panic!("{folded:?} is not {batched:?}"),
    }
    folded
}

#[test]
fn a_recording_comes_back_as_it_was() {
    let recording = example();
    assert_eq!(read(&written(&recording)).expect("readable"), recording);
}

#[test]
fn a_recording_cut_off_anywhere_is_read_up_to_there_or_refused_with_a_reason() {
    let whole = example();
    let bytes = written(&whole);
    let mut readable = 0;
    for length in 0..bytes.len() {
        match read(&bytes[..length]) {
            Ok(part) => {
                readable += 1;
                assert!(part.is_cut_off(), "{length} of {} bytes", bytes.len());
                assert_eq!(part.run, whole.run);
                assert!(part.counts.is_empty() || part.counts == whole.counts);
            }
            Err(Error::NotARecording(_)) => assert!(length < 16, "{length} bytes"),
            Err(Error::Damaged { .. }) => {}
            Err(other) => panic!("{length} bytes: {other}"),
        }
    }
    assert!(readable > bytes.len() / 2, "only {readable} of {} lengths", bytes.len());
}

#[test]
fn a_changed_bit_is_told() {
    let bytes = written(&example());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(recording) = read(&changed) {
            assert!(recording.damage.is_some() && !recording.is_cut_off(), "bit {bit}");
        }
    }
}

#[test]
fn a_file_of_damage_everywhere_is_given_up() {
    let mut bytes = written(&example());
    let (bad, good) = (frame(2, &[0x10, 1]), frame(2, &[0x10, 1]));
    let bad = [&bad[..12], &[0; 4], &bad[16..]].concat();
    bytes.extend([bad, good].concat().repeat(200_000));
    let begin = std::time::Instant::now();
    assert!(read(&bytes).expect("readable").damage.is_some());
    assert!(begin.elapsed() < Duration::from_secs(30), "far from what 200,000 searches would take");
}

/// The places of the frames in a file.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut places = vec![16];
    while let Some(header) = bytes.get(places[places.len() - 1]..).filter(|rest| !rest.is_empty()) {
        let packed = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        places.push(places[places.len() - 1] + 16 + packed);
    }
    places.pop();
    places
}

/// A recording of many windows, as a file has them while it is being made.
fn with_windows(count: u32) -> Vec<u8> {
    let mut bytes = written(&Recording { names: Vec::new(), end: None, ..example() });
    for offset in 0..count {
        // Window { counts: [Counts { process: 1, image: 1, event: 1, offsets: [offset + 1], period: 1 }] }
        let counts = [0x08, 1, 0x10, 1, 0x18, 1, 0x2a, 1, offset as u8 + 1, 0x38, 1];
        bytes.extend(frame(2, &[&[0x32, counts.len() as u8][..], &counts].concat()));
    }
    bytes
}

#[test]
fn behind_a_damaged_frame_reading_goes_on() {
    let bytes = with_windows(100);
    let places = frames(&bytes);
    let whole = read(&bytes).expect("readable");
    assert_eq!(whole.damage, None);
    let damaged = places[places.len() - 50];
    // In the kind, in the length of the payload (longer and shorter than it is), of the message, in the checksum, in
    // the payload.
    for (at, bit) in
        [(0, 0x40), (4, 0x20), (4, 0x01), (7, 0x01), (7, 0x80), (9, 0x01), (13, 0x80), (17, 0x08)]
    {
        let mut changed = bytes.clone();
        changed[damaged + at] ^= bit;
        let part = read(&changed).expect("readable");
        let damage = part.damage.expect("it is told");
        assert_eq!(damage.offset, damaged as u64, "byte {at}");
        assert_eq!(part.counts.len(), whole.counts.len() - 1, "byte {at}: all but one window");
        assert!(!part.is_cut_off(), "byte {at}: that is another thing");
    }
}

#[test]
fn two_damaged_frames_cost_two_windows() {
    let mut bytes = with_windows(100);
    let places = frames(&bytes);
    let whole = read(&bytes).expect("readable");
    for from_end in [70, 30] {
        bytes[places[places.len() - from_end] + 12] ^= 1;
    }
    let part = read(&bytes).expect("readable");
    assert_eq!(part.damage.map(|damage| damage.offset), Some(places[places.len() - 70] as u64));
    assert_eq!(part.counts.len(), whole.counts.len() - 2);
}

/// What only describes can be lost without the samples.
#[test]
fn samples_of_what_is_not_described_any_more_still_count() {
    let whole = example();
    let bytes = written(&whole);
    let [_, images, processes, counts, ..] = frames(&bytes)[..] else { panic!("frames") };
    let without = |frame: usize| {
        let mut changed = bytes.clone();
        changed[frame + 20] ^= 1;
        read(&changed)
    };
    let part = without(images).expect("readable");
    assert_eq!(part.counts, whole.counts);
    assert_eq!(part.names, whole.names);
    assert!(part.images.iter().all(|image| image.kind == ImageKind::Unknown));
    assert_eq!((part.processes, part.end), (whole.processes.clone(), whole.end));
    let part = without(processes).expect("readable");
    assert_eq!((part.counts, part.images), (whole.counts.clone(), whole.images.clone()));
    assert_eq!(part.processes, [Process::default(), Process::default()]);
    let error = without(counts).expect_err("no sample is left");
    assert!(matches!(error, Error::NothingLeft { damage, .. } if damage.offset == counts as u64), "{error}");
    assert!(error.to_string().contains("test.data: damaged at byte"), "{error}");
}

#[test]
fn what_is_not_described_is_not_believed_without_end() {
    let mut bytes = with_windows(3);
    let last = frames(&bytes)[frames(&bytes).len() - 1];
    bytes[last + 12] ^= 1;
    // Window { counts: [Counts { process: 100000000, offsets: [1], period: 1 }] }
    bytes.extend(frame(2, &[0x32, 0x0a, 0x08, 0x80, 0xc2, 0xd7, 0x2f, 0x2a, 0x01, 0x01, 0x38, 0x01]));
    let part = read(&bytes).expect("readable");
    assert_eq!(part.processes.len(), 2);
}

#[test]
fn samples_behind_the_last_coverage_are_counted_in_it() {
    let recording = read(&with_windows(50)).expect("readable");
    let sum = |event: u16| {
        let counts = recording.counts.iter().filter(|(key, _)| key.event == EventId(event));
        counts.fold((0, 0), |sum, (_, count)| (sum.0 + count.samples, sum.1 + count.weight))
    };
    assert!(sum(1).0 > example().coverage.events[1].samples, "the example says less");
    let coverage = &recording.coverage.events[1];
    assert_eq!((coverage.samples, coverage.weight.max(sum(1).1)), (sum(1).0, coverage.weight));
}

#[test]
fn a_file_that_a_power_cut_left_too_long_was_cut_off() {
    let mut bytes = with_windows(10);
    bytes.extend([0; 5000]);
    let recording = read(&bytes).expect("readable");
    assert!(recording.is_cut_off());
    assert_eq!(recording.damage, None);
}

#[test]
fn a_file_made_to_be_searched_for_ever_is_not() {
    let mut bytes = written(&example());
    // A frame at every 16th byte, each of half of the file.
    let header: Vec<u8> = [2_u32, 4 << 20, 1 << 20, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(header.repeat((8 << 20) / 16));
    let begin = std::time::Instant::now();
    let damage = read(&bytes).expect("readable").damage;
    assert!(damage.is_some());
    assert!(
        begin.elapsed() < Duration::from_secs(30),
        "far from the day that 500,000 checksums of 4 MB would take"
    );
}

#[test]
fn a_newer_format_is_refused_by_its_number() {
    let mut bytes = written(&example());
    bytes[8..12].copy_from_slice(&2_u32.to_le_bytes());
    let error = read(&bytes).expect_err("a newer format");
    assert!(matches!(error, Error::NewerVersion { version: 2, .. }), "{error}");
    assert!(error.to_string().contains("test.data") && error.to_string().contains("newer"), "{error}");
}

#[test]
fn something_else_is_not_a_recording() {
    for bytes in [&b""[..], b"PERFILE2", b"oprof", b"#!/bin/sh\necho a longer text than sixteen bytes\n"] {
        assert!(matches!(read(bytes), Err(Error::NotARecording(_))));
    }
}

/// Version 1 stays readable for ever. The file was written by the first release from what [`example`] then was; to be
/// made anew only for a new version, under a new name: `OPROF_WRITE_FIXTURE=1 cargo test -p oprof-profile`.
#[test]
fn the_stored_recording_of_version_1_is_readable() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/version-1.oprof.data");
    if std::env::var_os("OPROF_WRITE_FIXTURE").is_some() {
        std::fs::write(&path, written(&example())).expect("the fixture can be written");
    }
    let mut expected = example();
    // What has been added since.
    for names in &mut expected.names {
        names.symbols.iter_mut().for_each(|symbol| {
            symbol.source = NameSource::Unrecorded;
            symbol.line = None;
        });
        names.files.clear();
        names.segments.clear();
        names.places.clear();
    }
    expected.run.distribution = Distribution::default();
    expected.run.target = Target::Command;
    expected.run.clock = Clock::Monotonic;
    expected.run.cpu_type.clear();
    (expected.coverage.idle_time, expected.coverage.paused_time) = (0, 0);
    expected.coverage.files_left_out = 0;
    expected.calls = Calls::default();
    expected.packages.clear();
    for process in &mut expected.processes {
        process.folded = 0;
        process.threads.clear();
    }
    expected.events.iter_mut().for_each(|event| event.group = None);
    assert_eq!(Recording::open(&path).expect("readable"), expected);
}

prop_compose! {
    fn any_count()(
        process in 0..3_u32, thread in prop_oneof![Just(0), any::<u32>()], image in 0..2_u32, offset in any::<u64>(), event in 0..2_u16, cpu in any::<u16>(),
        samples in 1..1000_u64, period in prop_oneof![Just(1000), Just(0), any::<u32>().prop_map(u64::from)],
    ) -> (Key, Count) {
        let key = Key {
            process: ProcessId(process),
            thread,
            image: ImageId(image),
            offset: ImageOffset(offset),
            event: EventId(event),
            cpu,
        };
        (key, Count { samples, weight: samples * period })
    }
}

prop_compose! {
    fn any_recording()(
        counts in prop::collection::vec(any_count(), 0..200),
        names in prop::collection::vec(".{0,40}", 2),
        arguments in prop::collection::vec(".{0,20}", 0..5),
        totals in prop_oneof![Just(vec![]), prop::collection::vec(any::<u64>(), 2)],
        notes in prop::collection::vec(".{0,30}", 0..3),
        has_places in any::<bool>(),
        target in prop_oneof![
            Just(Target::Command), Just(Target::Cpus(None)), any::<Vec<u32>>().prop_map(|cpus| Target::Cpus(Some(cpus))),
            any::<Vec<u32>>().prop_map(Target::Threads), ".{0,40}".prop_map(Target::Cgroup),
        ],
        end in prop_oneof![
            Just(CommandEnd::StillRunning), Just(CommandEnd::NoCommand), any::<u8>().prop_map(CommandEnd::Exited)
        ],
    ) -> Recording {
        let example = example();
        let calls = counts.iter().map(|(key, count)| {
            let call = Call {
                process: key.process,
                thread: key.thread,
                caller_image: key.image,
                caller: key.offset,
                callee_image: ImageId(0),
                callee: ImageOffset(count.weight),
                event: key.event,
                cpu: key.cpu,
            };
            (call, count.samples)
        });
        let calls = calls.collect();
        let offsets: std::collections::BTreeSet<u64> = counts.iter().map(|(key, _)| key.offset.0).collect();
        let offsets = offsets.into_iter().enumerate();
        let answers = offsets.map(|(index, offset)| {
            let answer = if index % 3 == 0 { Err(Unresolved::NoSymbolAtOffset) } else { Ok(SymbolId(index as u32 % 2)) };
            (ImageOffset(offset), answer)
        });
        let ImageNames { symbols, files, places, segments, .. } = example.names[1].clone();
        let offsets: Vec<_> = answers.collect();
        let places = match has_places {
            true => places.into_iter().cycle().take(offsets.len()).collect(),
            false => Vec::new(),
        };
        Recording {
            run: Run { notes, target, ..example.run },
            images: names
                .iter()
                .map(|name| Image { name: name.clone(), ..example.images[2].clone() })
                .collect(),
            processes: (0..3)
                .map(|pid| Process {
                    pid,
                    arguments: arguments.clone(),
                    event_totals: totals.clone(),
                    ..Process::default()
                })
                .collect(),
            counts: Counts::from_iter(counts),
            calls,
            names: vec![ImageNames::default(), ImageNames { symbols, offsets, files, places, segments }],
            end: Some(end),
            ..example
        }
    }
}

/// Every sample, by event, app, image, offset, CPU and what its name is.
fn samples(recording: &Recording) -> std::collections::BTreeMap<String, (u64, u64)> {
    let mut samples = std::collections::BTreeMap::new();
    for (key, count) in recording.counts.iter() {
        let Some(image) = recording.image(key.image) else { continue };
        let names = recording.image_names(key.image);
        let name = recording.lookup(key.image, key.offset).map(|id| names.and_then(|names| names.symbol(id)));
        let name = name.map(|symbol| symbol.map(|symbol| (&symbol.name, symbol.address)));
        let event = &recording.events[usize::from(key.event.0)];
        let process = recording
            .process(key.process)
            .map(|process| (process.pid, process.app.map(|app| recording.image(app))));
        let place = format!("{event:?} {process:?} {image:?} {:?} {} {name:?}", key.offset, key.cpu);
        let sum: &mut (u64, u64) = samples.entry(place).or_default();
        *sum = (sum.0 + count.samples, sum.1 + count.weight);
    }
    samples
}

#[test]
fn two_recordings_together_are_the_sum_of_both() {
    let (one, mut other) = (example(), example());
    // The second one knows an image that the first does not, in another order, and a name where the first has none.
    other.images.push(Image { name: "/bin/other".to_owned(), ..other.images[0].clone() });
    let key = other.counts.sorted().first().map(|(key, _)| *key).expect("there are samples");
    let image = ImageId(other.images.len() as u32 - 1);
    other.counts.add(Key { image, ..key }, Count { samples: 3, weight: 30 });
    let mut merged = one.clone();
    merged.merge(other.clone());
    let mut sum = samples(&one);
    for (place, (samples, weight)) in samples(&other) {
        let entry = sum.entry(place).or_default();
        *entry = (entry.0 + samples, entry.1 + weight);
    }
    assert_eq!(samples(&merged), sum);
    let times =
        |recording: &Recording| recording.calls.iter().map(|(_, times)| times).fold(0, u64::saturating_add);
    assert_eq!((merged.calls.len(), times(&merged)), (2 * one.calls.len(), u64::MAX), "of other processes");
    assert_eq!((merged.events.len(), merged.images.len()), (one.events.len(), one.images.len() + 1));
    assert_eq!(merged.coverage.events[1].samples, 2 * one.coverage.events[1].samples);
    let symbols = |recording: &Recording| recording.names[1].symbols.len();
    assert_eq!(symbols(&merged), symbols(&one), "the same names are not kept twice");
    assert_eq!(merged.duration, one.duration * 2);
    let read = read(&written(&merged)).expect("readable");
    assert_eq!(samples(&read), sum);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_recording_comes_back_as_it_was(recording in any_recording()) {
        prop_assert_eq!(read(&written(&recording)).expect("readable"), recording);
    }

    #[test]
    fn any_recording_cut_off_anywhere_never_panics(recording in any_recording(), share in 0.0..1.0_f64) {
        let bytes = written(&recording);
        let _ = read(&bytes[..(bytes.len() as f64 * share) as usize]);
    }

    #[test]
    fn bytes_that_pass_the_checksum_and_mean_nothing_never_panic(
        kind in 1..6_u32, message in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = read(&[&written(&example())[..], &frame(kind, &message)].concat());
        let preamble = &written(&example())[..16];
        let _ = read(&[preamble, &frame(1, &message), &frame(kind, &message)].concat());
    }
}

/// A frame with a right checksum, as a hostile writer would make one.
fn frame(kind: u32, message: &[u8]) -> Vec<u8> {
    let payload = zstd::bulk::compress(message, 1).expect("compressible");
    let mut header = Vec::new();
    for word in [kind, payload.len() as u32, message.len() as u32] {
        header.extend_from_slice(&word.to_le_bytes());
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header);
    hasher.update(&payload);
    header.extend_from_slice(&hasher.finalize().to_le_bytes());
    [header, payload].concat()
}

#[test]
fn a_small_file_that_unpacks_without_end_is_refused() {
    let bomb = frame(99, &vec![0; 16 << 20]);
    let mut bytes = written(&example());
    for _ in 0..40 {
        bytes.extend_from_slice(&bomb);
    }
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    assert!(matches!(read(&bytes), Err(Error::TooLarge { .. })));
}

#[test]
fn samples_of_a_process_that_was_never_described_are_not_believed() {
    let mut bytes = written(&example());
    // Window { counts: [Counts { process: 1000, offsets: [1], period: 1 }] }
    bytes.extend(frame(2, &[0x32, 0x08, 0x08, 0xe8, 0x07, 0x2a, 0x01, 0x01, 0x38, 0x01]));
    let recording = read(&bytes).expect("what came before is good");
    let damage = recording.damage.expect("it is told");
    assert_eq!(damage.offset, written(&example()).len() as u64);
    assert_eq!(recording.counts, example().counts);
}
