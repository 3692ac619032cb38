//! Recordings for tests: small ones built sample by sample, and those whose counts OProfile printed.
#![allow(dead_code)]

use std::collections::HashMap;

use oprof_profile::{
    CommandEnd, Count, Event, EventCoverage, EventId, Image, ImageAddress, ImageId, ImageIdentity, ImageKind,
    ImageNames, ImageOffset, Key, NameSource, Process, ProcessId, Recording, Sampling, Symbol, SymbolId,
    Unresolved,
};

/// Builds a recording sample by sample.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) recording: Recording,
    images: HashMap<String, ImageId>,
    apps: HashMap<String, ProcessId>,
}

impl Builder {
    /// An empty recording of these events.
    pub(crate) fn new(events: impl IntoIterator<Item = Event>) -> Builder {
        let mut builder = Builder::default();
        builder.recording.events = events.into_iter().collect();
        builder.recording.coverage.events = vec![EventCoverage::default(); builder.recording.events.len()];
        builder.recording.end = Some(CommandEnd::Exited(0));
        builder.recording.run.cpu = "AMD64 generic".to_owned();
        builder.recording.run.cpu_mhz = 2596.134;
        builder
    }

    /// The image of this name; a path is a file.
    pub(crate) fn image(&mut self, name: &str) -> ImageId {
        if let Some(id) = self.images.get(name) {
            return *id;
        }
        let kind = if name.starts_with('/') { ImageKind::File } else { ImageKind::Anonymous };
        let id = ImageId(self.recording.images.len() as u32);
        self.recording.images.push(Image { name: name.to_owned(), kind, identity: ImageIdentity::None });
        self.recording.names.push(ImageNames::default());
        self.images.insert(name.to_owned(), id);
        id
    }

    /// Adds a process.
    pub(crate) fn process(&mut self, process: Process) -> ProcessId {
        self.recording.processes.push(process);
        ProcessId(self.recording.processes.len() as u32 - 1)
    }

    /// The one process of an app.
    pub(crate) fn app(&mut self, name: &str) -> ProcessId {
        if let Some(id) = self.apps.get(name) {
            return *id;
        }
        let image = self.image(name);
        let pid = 100 + self.recording.processes.len() as u32;
        let id = self.process(Process { pid, app: Some(image), ..Process::default() });
        self.apps.insert(name.to_owned(), id);
        id
    }

    /// Adds an offset of an image with what it resolves to: an occurrence of a symbol's name, or none.
    pub(crate) fn offset(
        &mut self,
        image: ImageId,
        symbol: Result<(&str, usize), Unresolved>,
    ) -> ImageOffset {
        let names = &mut self.recording.names[image.0 as usize];
        let answer = symbol.map(|(name, occurrence)| {
            let same = names.symbols.iter().zip(0..).filter(|(symbol, _)| symbol.name == name);
            match same.map(|(_, index)| SymbolId(index)).nth(occurrence) {
                Some(id) => id,
                None => {
                    let address = ImageAddress(0x1000 + 0x10 * names.symbols.len() as u64);
                    names.symbols.push(Symbol {
                        name: name.to_owned(),
                        mangled: None,
                        address,
                        size: 16,
                        source: NameSource::SymbolTable,
                        line: None,
                    });
                    SymbolId(names.symbols.len() as u32 - 1)
                }
            }
        });
        let offset = ImageOffset(names.offsets.len() as u64);
        names.offsets.push((offset, answer));
        offset
    }

    /// Adds samples, each worth `period` of the event.
    pub(crate) fn sample(
        &mut self,
        process: ProcessId,
        image: ImageId,
        offset: ImageOffset,
        event: u16,
        samples: u64,
        period: u64,
    ) {
        let key =
            Key { process, thread: 0, image, offset, event: EventId(event), cpu: (offset.0 % 2) as u16 };
        self.recording.counts.add(key, Count { samples, weight: samples * period });
        let coverage = &mut self.recording.coverage.events[usize::from(event)];
        coverage.samples += samples;
        coverage.weight += samples * period;
    }

    /// Adds samples of a symbol in the one process of an app.
    pub(crate) fn symbol(&mut self, app: &str, image: &str, symbol: &str, samples: u64) {
        let (process, image) = (self.app(app), self.image(image));
        let offset = self.offset(image, Ok((symbol, 0)));
        self.sample(process, image, offset, 0, samples, 1_000_000);
    }
}

/// A clock sampled about a thousand times a second.
pub(crate) fn cpu_clock() -> Event {
    Event {
        name: "cpu-clock".to_owned(),
        description: "time on a CPU".to_owned(),
        unit_mask: 0,
        unit_mask_description: String::new(),
        sampling: Sampling::Frequency(1000),
        user: true,
        kernel: true,
        nanoseconds: true,
        group: None,
    }
}

/// A counter sampled by count.
pub(crate) fn counter(name: &str, description: &str, count: u64) -> Event {
    Event {
        name: name.to_owned(),
        description: description.to_owned(),
        sampling: Sampling::Count(count),
        nanoseconds: false,
        group: None,
        ..cpu_clock()
    }
}

/// The recording behind OProfile's tables of one event.
pub(crate) fn default() -> Recording {
    let cycles = counter("CPU_CLK_UNHALTED", "CPU Clocks not Halted", 100000);
    from_table([cycles], include_str!("default.tsv"))
}

/// The recording behind OProfile's tables of three events; they were asked for in another order.
pub(crate) fn multi() -> Recording {
    let mut misses = counter("DATA_CACHE_MISSES", "Data Cache Misses", 50000);
    misses.unit_mask = 3;
    let accesses = counter("DATA_CACHE_ACCESSES", "Data Cache Accesses", 500000);
    let cycles = counter("CPU_CLK_UNHALTED", "CPU Clocks not Halted", 100000);
    from_table([cycles, accesses, misses], include_str!("multi.tsv"))
}

fn from_table<const N: usize>(events: [Event; N], table: &str) -> Recording {
    let mut builder = Builder::new(events);
    let mut occurrences: HashMap<&str, usize> = HashMap::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (process, image) = (builder.app(fields[0]), builder.image(fields[1]));
        // A name that an image has twice in an app is that of two symbols.
        let place = &line[..fields[0].len() + fields[1].len() + fields[2].len() + 2];
        let occurrence = occurrences.entry(place).and_modify(|seen| *seen += 1).or_default();
        let offset = builder.offset(
            image,
            match fields[2] {
                "none" => Err(Unresolved::NoSymbols),
                "?" => Err(Unresolved::NoSymbolAtOffset),
                symbol => Ok((symbol, *occurrence)),
            },
        );
        for (samples, event) in fields[3..].iter().zip(0..) {
            let samples = samples.parse().expect("a number of samples");
            if samples > 0 {
                builder.sample(process, image, offset, event, samples, 1);
            }
        }
    }
    builder.recording
}
