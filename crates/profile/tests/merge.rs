//! Recordings that are put together are the sum of all of them, whatever the order and however little may stay apart.

use std::collections::BTreeMap;
use std::time::Duration;

use oprof_profile::recording::{LooseRecording, MergeLimits, Merger, TooManyEvents, read_ahead};
use oprof_profile::{
    BuildId, Call, CommandEnd, Count, Coverage, Event, EventCoverage, EventId, Image, ImageAddress, ImageId,
    ImageIdentity, ImageKind, ImageNames, ImageOffset, Inode, Key, NameSource, Process, ProcessId, Recording,
    Sampling, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId, Timestamp, Unresolved,
};
use proptest::prelude::*;

const UNLIMITED: MergeLimits = MergeLimits { places: usize::MAX, processes: usize::MAX };

fn event(number: u8) -> Event {
    Event {
        name: format!("event-{number}"),
        description: String::new(),
        unit_mask: 0,
        unit_mask_description: String::new(),
        sampling: Sampling::Count(1000),
        user: true,
        kernel: true,
        nanoseconds: false,
        group: None,
    }
}

/// Images of which three are told from others of their name, and two are not.
fn image(number: u8) -> Image {
    let id = BuildId::new(&[number + 1; 20]).expect("20 bytes");
    let inode = Inode { device: 1, number: number.into(), generation: 0 };
    let (name, kind, identity) = match number {
        0 | 1 => ("/bin/program", ImageKind::File, ImageIdentity::BuildId(id)),
        2 => ("/bin/other", ImageKind::File, ImageIdentity::Inode(inode)),
        3 => ("[kernel]", ImageKind::Kernel, ImageIdentity::None),
        _ => ("[jit]", ImageKind::Jit, ImageIdentity::None),
    };
    Image { name: name.to_owned(), kind, identity }
}

/// The names of all offsets of an image. Those of one without identity depend on the recording.
fn names(image: &Image, salt: u8) -> ImageNames {
    let salt = if image.identity == ImageIdentity::None { salt } else { 0 };
    let symbol = |number: u64| Symbol {
        name: format!("{}-{salt}-{number}", image.name),
        mangled: None,
        address: ImageAddress(number * 4),
        size: 4,
        source: NameSource::SymbolTable,
        line: Some(SourceLine { file: SourceFileId(salt.into()), line: 1, column: 0 }),
    };
    let found = |offset: u64| match offset / 4 {
        3 => Err(Unresolved::NoSymbolAtOffset),
        number => Ok(SymbolId(number as u32)),
    };
    let line = |offset| Some(SourceLine { file: SourceFileId(salt.into()), line: offset, column: 0 });
    ImageNames {
        symbols: (0..3).map(symbol).collect(),
        offsets: (0..16).map(|offset| (ImageOffset(offset), found(offset))).collect(),
        files: (0..=salt).map(|number| format!("{number}.c")).collect(),
        places: (0..16).map(|offset| SourcePlace { line: line(offset), inlined: Vec::new() }).collect(),
        segments: Vec::new(),
    }
}

prop_compose! {
    fn any_recording()(
        salt in 0..3_u8,
        events in prop::collection::vec(0..3_u8, 1..4),
        images in prop::sample::subsequence(vec![0, 1, 2, 3, 4_u8], 1..=5).prop_shuffle(),
        processes in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0..4_u8, any::<bool>()), 1..8),
        samples in prop::collection::vec(
            (any::<[prop::sample::Index; 3]>(), 0..16_u64, 0..3_u16, 0..2_u32, 1..5_u64), 0..30),
        calls in prop::collection::vec((any::<[prop::sample::Index; 4]>(), any::<[u8; 2]>(), 1..9_u64), 0..10),
    ) -> Recording {
        let images: Vec<Image> = images.into_iter().map(image).collect();
        let counted = |number: usize| EventCoverage { counted: Some(number as u64), samples: 1, ..Default::default() };
        let mut recording = Recording {
            names: images.iter().map(|image| names(image, salt)).collect(),
            coverage: Coverage { events: (0..events.len()).map(counted).collect(), ..Coverage::default() },
            events: events.into_iter().map(event).collect(),
            duration: Duration::from_secs(1),
            end: Some(CommandEnd::Exited(0)),
            ..Recording::default()
        };
        for (index, (origin, is_exec, app, has_total)) in processes.into_iter().enumerate() {
            let origin = (index > 0).then(|| ProcessId(origin.index(index) as u32));
            // A process is executed on from its last entry alone.
            let before_exec = origin.filter(|origin| is_exec && origin.0 as usize + 1 == index);
            recording.processes.push(Process {
                pid: index as u32,
                parent: origin.filter(|_| before_exec.is_none()),
                before_exec,
                started: Timestamp(index as u64),
                comm: format!("comm-{app}"),
                app: (usize::from(app) < images.len()).then_some(ImageId(app.into())),
                event_totals: if has_total { vec![index as u64 + 1; recording.events.len()] } else { Vec::new() },
                ..Process::default()
            });
        }
        for ([process, image, event], offset, cpu, thread, count) in samples {
            let key = Key {
                process: ProcessId(process.index(recording.processes.len()) as u32),
                thread,
                image: ImageId(image.index(images.len()) as u32),
                offset: ImageOffset(offset),
                event: EventId(event.index(recording.events.len()) as u16),
                cpu,
            };
            recording.counts.add(key, Count { samples: count, weight: count * 1000 });
        }
        for ([process, caller_image, callee_image, event], [caller, callee], times) in calls {
            let call = Call {
                process: ProcessId(process.index(recording.processes.len()) as u32),
                thread: 0,
                caller_image: ImageId(caller_image.index(images.len()) as u32),
                caller: ImageOffset(u64::from(caller % 16)),
                callee_image: ImageId(callee_image.index(images.len()) as u32),
                callee: ImageOffset(u64::from(callee % 16)),
                event: EventId(event.index(recording.events.len()) as u16),
                cpu: 0,
            };
            recording.calls.add(call, times);
        }
        recording.images = images;
        recording
    }
}

/// How much there is of each thing that a report could tell apart, but for the processes themselves.
fn totals(recording: &Recording) -> BTreeMap<String, u64> {
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let mut add = |what: String, amount: u64| *totals.entry(what).or_default() += amount;
    let place = |image: ImageId, offset: ImageOffset| {
        let names = recording.image_names(image).expect("every image has names here");
        let name = recording.lookup(image, offset).map(|id| names.symbol(id).map(|symbol| &symbol.name));
        let line = names.place(offset).and_then(|place| place.line);
        let line = line.map(|line| (names.file(line.file), line.line));
        format!("{:?} {name:?} {line:?}", recording.image(image))
    };
    // Which of two events of one name it is does not matter to a sum.
    let event = |id: EventId| &recording.events[usize::from(id.0)].name;
    let process = |id: ProcessId| {
        let process = recording.process(id).expect("known");
        let comm = process.app.is_none().then_some(&process.comm);
        format!("{:?} {comm:?}", process.app.map(|app| recording.image(app)))
    };
    for (key, count) in recording.counts.iter() {
        let what = format!(
            "{} {} {} {}",
            event(key.event),
            process(key.process),
            place(key.image, key.offset),
            key.cpu
        );
        add(format!("samples {what}"), count.samples);
        add(format!("weight {what}"), count.weight);
    }
    for (call, times) in recording.calls.iter() {
        let (caller, callee) = (place(call.caller_image, call.caller), place(call.callee_image, call.callee));
        add(format!("calls {} {} {caller} {callee}", event(call.event), process(call.process)), times);
    }
    for (id, covered) in (0..).map(EventId).zip(&recording.coverage.events) {
        add(format!("counted {}", event(id)), covered.counted.expect("known"));
        add(format!("covered {}", event(id)), covered.samples);
    }
    let went_on: Vec<Option<ProcessId>> =
        recording.processes.iter().map(|process| process.before_exec).collect();
    let last = |id: &ProcessId| !went_on.contains(&Some(*id));
    for id in (0..recording.processes.len() as u32).map(ProcessId).filter(last) {
        let known = &recording.processes[id.0 as usize];
        add(format!("processes {}", process(id)), known.processes());
        for (total, id) in known.event_totals.iter().zip((0..).map(EventId)) {
            add(format!("total {}", event(id)), *total);
        }
    }
    add("seconds".to_owned(), recording.duration.as_secs());
    totals.retain(|_, amount| *amount > 0);
    totals
}

fn merged(recordings: impl IntoIterator<Item = Recording>, limits: MergeLimits) -> Recording {
    let mut merger = Merger::new(limits);
    recordings.into_iter().for_each(|recording| merger.add(recording).expect("few events"));
    merger.finish().expect("there are some")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn together_they_are_the_sum(
        recordings in prop::collection::vec(any_recording(), 1..6), places in 0..20_usize, processes in 0..6_usize,
    ) {
        let mut sum: BTreeMap<String, u64> = BTreeMap::new();
        for (what, amount) in recordings.iter().flat_map(totals) {
            *sum.entry(what).or_default() += amount;
        }
        let all = merged(recordings.clone(), UNLIMITED);
        prop_assert_eq!(&totals(&all), &sum);
        prop_assert_eq!(all.processes.len(), recordings.iter().map(|recording| recording.processes.len()).sum::<usize>());
        prop_assert_eq!(&totals(&merged(recordings.iter().rev().cloned(), UNLIMITED)), &sum);
        let folded = merged(recordings.clone(), MergeLimits { places, processes });
        prop_assert_eq!(&totals(&folded), &sum);
        for (index, process) in folded.processes.iter().enumerate() {
            for origin in [process.parent, process.before_exec].into_iter().flatten() {
                prop_assert!((origin.0 as usize) < index, "a process comes after the one that it descends from");
            }
        }
        // Read from files, with names that stay packed until they are wanted.
        let place = tempfile::tempdir().expect("a directory");
        let mut merger = Merger::new(MergeLimits { places, processes });
        for (index, recording) in recordings.iter().enumerate() {
            let path = place.path().join(index.to_string());
            recording.write(std::fs::File::create(&path).expect("a file")).expect("writable");
            merger.add(LooseRecording::open(&path).expect("readable")).expect("few events");
        }
        prop_assert_eq!(&totals(&merger.finish().expect("there are some")), &sum);
        // What was merged and written can be read, and merged again.
        let mut bytes = Vec::new();
        folded.write(&mut bytes).expect("writable");
        let read = Recording::read(bytes.as_slice(), "merged".as_ref()).expect("readable");
        prop_assert_eq!(&totals(&merged([read], UNLIMITED)), &sum);
    }
}

/// A thousand runs of the same programs are no larger than a few.
#[test]
fn the_size_follows_what_is_distinct() {
    let limits = MergeLimits { places: 200, processes: 100 };
    let mut merger = Merger::new(limits);
    for run in 0..1000_u64 {
        let mut recording =
            Recording { events: vec![event(0)], images: vec![image(0)], ..Recording::default() };
        recording.names.push(names(&image(0), 0));
        for pid in 0..10 {
            recording.processes.push(Process { pid, app: Some(ImageId(0)), ..Process::default() });
            let key = Key {
                process: ProcessId(pid),
                offset: ImageOffset((run + u64::from(pid)) % 16),
                ..Key::default()
            };
            recording.counts.add(key, Count { samples: 1, weight: 1000 });
        }
        merger.add(recording).expect("one event");
    }
    assert!(merger.has_folded() && merger.recordings() == 1000);
    let all = merger.finish().expect("a thousand");
    assert_eq!((all.images.len(), all.names[0].symbols.len(), all.names[0].files.len()), (1, 3, 1));
    assert!(
        all.processes.len() <= limits.processes && all.counts.len() <= limits.places,
        "{}",
        all.counts.len()
    );
    assert_eq!(all.counts.iter().map(|(_, count)| count.samples).sum::<u64>(), 10_000);
    assert_eq!(all.processes.iter().map(Process::processes).sum::<u64>(), 10_000);
}

/// The kernel of one boot is not that of another, whose code is elsewhere; that of the same boot is.
#[test]
fn what_only_its_name_tells_stays_apart_where_its_names_differ() {
    let recording = |salt| Recording {
        images: vec![image(3), image(0)],
        names: vec![names(&image(3), salt), names(&image(0), salt)],
        ..Recording::default()
    };
    let all = merged([recording(0), recording(1), recording(0), recording(1)], UNLIMITED);
    let images: Vec<&str> = all.images.iter().map(|image| image.name.as_str()).collect();
    assert_eq!(images, ["[kernel]", "/bin/program", "[kernel]"]);
    // Of one that ended before it had names it is not known which of the two it is.
    let nameless = Recording { names: Vec::new(), ..recording(0) };
    assert_eq!(merged([recording(0), nameless.clone(), nameless], UNLIMITED).images.len(), 3);
}

#[test]
fn more_events_than_a_report_could_show_are_refused() {
    let events = |first: u32| {
        let named = |number: u32| Event { name: number.to_string(), ..event(0) };
        Recording { events: (first..first + 6000).map(named).collect(), ..Recording::default() }
    };
    let mut merger = Merger::new(UNLIMITED);
    merger.add(events(0)).expect("6,000 are possible");
    assert_eq!(merger.add(events(6000)), Err(TooManyEvents));
    merger.add(events(0)).expect("the same again");
    assert_eq!((merger.recordings(), merger.finish().expect("two").events.len()), (2, 6000));
}

#[test]
fn what_is_read_ahead_comes_in_order_and_needs_not_be_taken() {
    let paths = || (0..100).map(|number| number.to_string().into()).collect();
    let read = |path: std::path::PathBuf| path.to_string_lossy().parse::<u32>().expect("a number");
    assert!(read_ahead(paths(), read).eq(0..100));
    assert_eq!(read_ahead(paths(), read).next(), Some(0));
}
