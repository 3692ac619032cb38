//! Recordings as a build of many programs leaves them, each of about 1 MB: made up, since to record a thousand takes hours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use oprof_profile::{
    BuildId, CommandEnd, Count, Coverage, Event, EventCoverage, EventId, Image, ImageAddress, ImageId,
    ImageIdentity, ImageKind, ImageNames, ImageOffset, InlinedFrame, Key, NameSource, Process, ProcessId,
    Recording, Sampling, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId, Timestamp,
};

use super::number;

/// Each has an image of its own.
const APPS: u64 = 20;
/// All apps use these, too.
const LIBRARIES: u64 = 5;
const IMAGES: u64 = APPS + LIBRARIES;
/// In each image.
const FUNCTIONS: u64 = 1_000;
/// In each function.
const PLACES: u64 = 8;
const PROCESSES: u64 = 600;
/// Of each recording.
const SAMPLES: u64 = 150_000;

/// `DIRECTORY COUNT`: writes as many, `0000.data` and so on.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let directory = Path::new(arguments.first().context("an argument is missing")?);
    for index in 0..number(arguments, 1)? {
        let file = File::create_new(directory.join(format!("{index:04}.data")))?;
        recording(index).write(BufWriter::new(file))?;
    }
    Ok(())
}

/// Numbers that look random, the same in each run (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % below
    }

    /// Small ones more often, as few functions take most of the time.
    fn skewed(&mut self, below: u64) -> u64 {
        let limit = self.next(below) + 1;
        let limit = self.next(limit) + 1;
        self.next(limit)
    }
}

fn recording(seed: u64) -> Recording {
    let mut random = Random(seed + 1);
    let image = |number: u64| Image {
        name: format!("/usr/lib/x86_64-linux-gnu/libnumber{number}.so.{}", number % 7),
        kind: ImageKind::File,
        identity: BuildId::new(&[number as u8 + 1; 20]).map_or(ImageIdentity::None, ImageIdentity::BuildId),
    };
    let process = |number: u64| Process {
        pid: 1000 + number as u32,
        parent: number.checked_sub(1 + number % 5).map(|parent| ProcessId(parent as u32)),
        started: Timestamp(number * 1_000_000),
        ended: Some(Timestamp(number * 1_000_000 + 50_000_000)),
        comm: format!("cc{}", number % APPS),
        app: Some(ImageId((number % APPS) as u32)),
        arguments: [
            "cc".to_owned(),
            "-O2".to_owned(),
            "-c".to_owned(),
            format!("src/{seed}/unit-{number}.c"),
        ]
        .into(),
        event_totals: vec![number * 1_000_000],
        ..Process::default()
    };
    let mut recording = Recording {
        events: vec![Event {
            name: "cycles".to_owned(),
            description: "CPU cycles".to_owned(),
            unit_mask: 0,
            unit_mask_description: String::new(),
            sampling: Sampling::Frequency(997),
            user: true,
            kernel: true,
            nanoseconds: false,
            group: None,
        }],
        images: (0..IMAGES).map(image).collect(),
        processes: (0..PROCESSES).map(process).collect(),
        duration: Duration::from_secs(60),
        end: Some(CommandEnd::Exited(0)),
        ..Recording::default()
    };
    let mut sampled: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for _ in 0..SAMPLES {
        let process = random.skewed(PROCESSES);
        let image = match random.next(10) {
            0..7 => process % APPS,
            _ => APPS + random.skewed(LIBRARIES),
        };
        let function = random.skewed(FUNCTIONS);
        let offset = (function * PLACES + random.skewed(PLACES)) * 4;
        sampled.entry(image).or_default().insert(offset);
        let key = Key {
            process: ProcessId(process as u32),
            thread: 0,
            image: ImageId(image as u32),
            offset: ImageOffset(offset),
            event: EventId(0),
            cpu: random.next(2) as u16,
        };
        recording.counts.add(key, Count { samples: 1, weight: 2_000_000 + random.next(1000) });
    }
    recording.names = (0..IMAGES).map(|image| names(image, sampled.get(&image))).collect();
    let covered = EventCoverage { samples: SAMPLES, weight: SAMPLES * 2_000_500, ..EventCoverage::default() };
    recording.coverage = Coverage { events: vec![covered], ..Coverage::default() };
    recording
}

fn names(image: u64, offsets: Option<&BTreeSet<u64>>) -> ImageNames {
    let mut names = ImageNames::default();
    let mut functions: BTreeMap<u64, SymbolId> = BTreeMap::new();
    for &offset in offsets.into_iter().flatten() {
        let function = offset / 4 / PLACES;
        let file = SourceFileId((function / 64) as u32);
        let line = |line: u64| SourceLine { file, line: line as u32, column: 0 };
        let next = SymbolId(names.symbols.len() as u32);
        let symbol = *functions.entry(function).or_insert(next);
        if symbol == next {
            names.symbols.push(Symbol {
                name: format!("number{image}::Class{}::method_{function}(int, char const*)", function / 9),
                mangled: Some(format!("_ZN7number{image}5Class{}6method_{function}EiPKc", function / 9)),
                address: ImageAddress(function * PLACES * 4),
                size: PLACES * 4,
                source: NameSource::SymbolTable,
                line: Some(line(function % 64 * 20)),
            });
        }
        let frame = InlinedFrame { function: symbol, call: Some(line(offset % 1000)) };
        let inlined = if offset % 16 == 0 { vec![frame] } else { Vec::new() };
        names.offsets.push((ImageOffset(offset), Ok(symbol)));
        names.places.push(SourcePlace { line: Some(line(function % 64 * 20 + offset % 20)), inlined });
    }
    names.files = (0..=FUNCTIONS / 64).map(|file| format!("/usr/src/number{image}/file{file}.cc")).collect();
    names
}
