//! Two recordings of a million places each, of which every sample has its own: made up, since no program that is run for
//! some seconds has so many.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use oprof_profile::{
    BuildId, CommandEnd, Count, Coverage, Event, EventCoverage, EventId, Image, ImageAddress, ImageId,
    ImageIdentity, ImageKind, ImageNames, ImageOffset, Key, NameSource, Process, ProcessId, Recording,
    Sampling, Symbol, SymbolId, Timestamp,
};

/// Of the program and of the libraries that it uses.
const IMAGES: u64 = 8;
/// In each image.
const FUNCTIONS: u64 = 2_500;
const PLACES: u64 = 1_000_000;
/// In nanoseconds.
const PERIOD: u64 = 1_000_000;

/// `BEFORE AFTER`: writes both; in the second one some functions take more.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    for (path, is_after) in arguments.iter().zip([false, true]) {
        let file = File::create(Path::new(path)).context(path.clone())?;
        recording(is_after).write(BufWriter::new(file))?;
    }
    Ok(())
}

fn recording(is_after: bool) -> Recording {
    let image = |number: u64| Image {
        name: format!("/usr/lib/libnumber{number}.so.{}", if is_after { 2 } else { 1 }),
        kind: ImageKind::File,
        identity: BuildId::new(&[number as u8 + 1, u8::from(is_after)])
            .map_or(ImageIdentity::None, ImageIdentity::BuildId),
    };
    let mut recording = Recording {
        events: vec![Event {
            name: "cpu-clock".to_owned(),
            description: "time on a CPU".to_owned(),
            unit_mask: 0,
            unit_mask_description: String::new(),
            sampling: Sampling::Count(PERIOD),
            user: true,
            kernel: true,
            nanoseconds: true,
            group: None,
        }],
        images: (0..IMAGES).map(image).collect(),
        processes: vec![Process { app: Some(ImageId(0)), started: Timestamp(1), ..Process::default() }],
        duration: Duration::from_secs(PLACES * PERIOD / 1_000_000_000),
        end: Some(CommandEnd::Exited(0)),
        ..Recording::default()
    };
    let mut names: Vec<ImageNames> = (0..IMAGES).map(image_names).collect();
    let mut state = 1_u64;
    for place in 0..PLACES {
        let (image, within) = (place % IMAGES, place / IMAGES);
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small functions are many.
        let function = (state >> 33) % FUNCTIONS * ((state >> 13) % FUNCTIONS) / FUNCTIONS;
        let offset = ImageOffset((function * (PLACES / IMAGES) + within) * 5 + (state >> 60) % 5);
        names[image as usize].offsets.push((offset, Ok(SymbolId(function as u32))));
        let samples = if is_after && function < 25 { 2 } else { 1 };
        let key = Key {
            process: ProcessId(0),
            thread: 0,
            image: ImageId(image as u32),
            offset,
            event: EventId(0),
            cpu: (place % 2) as u16,
        };
        recording.counts.add(key, Count { samples, weight: samples * PERIOD });
    }
    for names in &mut names {
        names.offsets.sort_unstable_by_key(|entry| entry.0);
    }
    let (samples, weight) = recording
        .counts
        .iter()
        .fold((0, 0), |(samples, weight), (_, count)| (samples + count.samples, weight + count.weight));
    recording.names = names;
    let covered = EventCoverage { counted: Some(weight), samples, weight, ..EventCoverage::default() };
    recording.coverage = Coverage { events: vec![covered], ..Coverage::default() };
    recording
}

fn image_names(image: u64) -> ImageNames {
    let symbol = |function: u64| Symbol {
        name: format!("number{image}::Class{}::method_{function}(int, char const*)", function / 9),
        mangled: Some(format!("_ZN7number{image}5Class{}6method_{function}EiPKc", function / 9)),
        address: ImageAddress(function * (PLACES / IMAGES) * 5),
        size: (PLACES / IMAGES) * 5,
        source: NameSource::SymbolTable,
        line: None,
    };
    ImageNames { symbols: (0..FUNCTIONS).map(symbol).collect(), ..ImageNames::default() }
}
