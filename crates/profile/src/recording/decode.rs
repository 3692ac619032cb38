//! Turns messages back into a recording. Nothing that stands in them is believed: numbers are checked against
//! what was read before, so that every index in the result leads somewhere.

use std::time::Duration;

use prost::Message;

use super::batch::{Batch, Batches};
use super::columns::Numbers;
use super::encode::{FIRST_SYMBOL_ANSWER, NAME_SOURCES, REASONS};
use super::{Recording, columns, schema};
use crate::{
    BuildId, Call, Clock, CommandEnd, Coverage, Distribution, Event, EventCoverage, EventId, Image, ImageId,
    ImageIdentity, ImageKind, ImageNames, ImageOffset, InlinedFrame, Inode, Key, MemoryRegion, Package,
    Process, ProcessId, Run, Sampling, Scope, Segment, SourceFileId, SourceLine, SourcePlace, Symbol,
    SymbolId, Target, Thread, Timestamp, Unresolved,
};

/// A message that contradicts itself or those before it: what is wrong with it.
pub(super) type Contradiction = &'static str;

/// A message that is not one of its kind.
pub(super) const NOT_OF_THE_SCHEMA: Contradiction = "a message does not follow the schema";

/// Takes names as they are read.
pub(super) trait NamesSink {
    /// Takes names of an image, which is one of so many.
    fn take(&mut self, images: usize, message: schema::ImageNames) -> Result<(), Contradiction>;
}

impl NamesSink for Vec<ImageNames> {
    fn take(&mut self, images: usize, message: schema::ImageNames) -> Result<(), Contradiction> {
        let image = message.image as usize;
        if self.len() <= image {
            self.resize_with(images, ImageNames::default);
        }
        take_image_names(&mut self[image], message)
    }
}

/// How many processes, or images, there can be in a damaged recording of which some are not described. A hostile file
/// can have so many made of nothing.
const MOST_UNDESCRIBED: usize = 200_000;

impl Recording {
    pub(super) fn take_header(&mut self, message: schema::Header) -> Result<(), Contradiction> {
        self.run = Run {
            version: message.version,
            host: message.host,
            kernel_release: message.kernel_release,
            architecture: message.architecture,
            cpu: message.cpu,
            cpu_type: message.cpu_type,
            cpu_mhz: if message.cpu_mhz.is_finite() { message.cpu_mhz } else { 0.0 },
            cpus: message.cpus,
            command: message.command,
            working_directory: message.working_directory,
            scope: match message.scope {
                0 => Scope::Cgroup,
                1 => Scope::System,
                2 => Scope::Inherit,
                _ => return Err("unknown scope"),
            },
            started_unix: message.started_unix,
            notes: message.notes,
            clock: match message.clock {
                0 => Clock::Monotonic,
                4 => Clock::MonotonicRaw,
                7 => Clock::Boottime,
                _ => return Err("unknown clock"),
            },
            target: message.target.map(target).transpose()?.unwrap_or_default(),
            distribution: message.distribution.map(distribution).unwrap_or_default(),
        };
        self.events = message.events.into_iter().map(event).collect::<Result<_, _>>()?;
        self.coverage.events = vec![EventCoverage::default(); self.events.len()];
        Ok(())
    }

    pub(super) fn take_window(
        &mut self,
        message: schema::Window,
        samples: &mut Batches,
    ) -> Result<(), Contradiction> {
        if !message.images.is_empty() {
            if let Some(before) = message.first_image.checked_sub(1) {
                self.reach_image(before).map_err(|_| "images out of order")?;
            }
            if message.first_image as usize != self.images.len() {
                return Err("images out of order");
            }
        }
        for message in message.images {
            self.images.push(image(message)?);
        }
        for message in message.processes {
            self.take_process(message)?;
        }
        let mut memory = Batch::default();
        for packed in message.counts {
            let counts = schema::Counts::decode(packed).map_err(|_| NOT_OF_THE_SCHEMA)?;
            // The memory of a batch that is not kept does for the next one.
            memory = samples.add(self.batch(&counts, memory)?).unwrap_or_default();
        }
        for message in message.calls {
            self.take_calls(&message)?;
        }
        if let Some(message) = message.coverage {
            self.coverage = coverage(message, self.events.len())?;
        }
        self.duration = self.duration.max(Duration::from_nanos(message.end.saturating_sub(message.start)));
        Ok(())
    }

    /// There is a process of this index. Where a part of the file is damaged its description can be among that: then
    /// it is a process of which nothing is known, so that its samples still count.
    fn reach_process(&mut self, index: u32) -> Result<(), Contradiction> {
        let length = self.missing(index, self.processes.len()).ok_or("an unknown process")?;
        self.processes.resize_with(length, Process::default);
        Ok(())
    }

    /// There is an image of this index, in the same sense.
    fn reach_image(&mut self, index: u32) -> Result<(), Contradiction> {
        let length = self.missing(index, self.images.len()).ok_or("an unknown image")?;
        let unknown = || Image {
            name: "[unknown]".to_owned(),
            kind: ImageKind::Unknown,
            identity: ImageIdentity::None,
        };
        self.images.resize_with(length, unknown);
        Ok(())
    }

    /// How long a list that is `known` long has to be for `index` to be in it; `None` where nothing explains that it
    /// is shorter.
    fn missing(&self, index: u32, known: usize) -> Option<usize> {
        let needed = (index as usize).saturating_add(1).max(known);
        (needed == known || self.damage.is_some() && needed <= MOST_UNDESCRIBED).then_some(needed)
    }

    fn take_process(&mut self, message: schema::Process) -> Result<(), Contradiction> {
        let index = message.id as usize;
        if let Some(before) = message.id.checked_sub(1) {
            self.reach_process(before).map_err(|_| "processes out of order")?;
        }
        // Only an earlier process can be a parent, so that no chain of them is a circle.
        let earlier = |reference: u32| match reference.checked_sub(1) {
            None => Ok(None),
            Some(id) if id < message.id => Ok(Some(ProcessId(id))),
            Some(_) => Err("process descends from a later one"),
        };
        let process = Process {
            pid: message.pid,
            parent: earlier(message.parent)?,
            before_exec: earlier(message.before_exec)?,
            started: Timestamp(message.started),
            ended: (message.ended != 0).then_some(Timestamp(message.ended)),
            comm: message.comm,
            app: match message.app.checked_sub(1) {
                None => None,
                Some(id) => {
                    self.reach_image(id).map_err(|_| "process of an unknown image")?;
                    Some(ImageId(id))
                }
            },
            arguments: message.arguments,
            working_directory: Some(message.working_directory).filter(|path| !path.is_empty()),
            folded: message.folded,
            threads: message.threads.into_iter().map(thread).collect(),
            event_totals: match message.event_totals.len() {
                0 => Vec::new(),
                length if length == self.events.len() => message.event_totals,
                _ => return Err("process with totals of other events"),
            },
        };
        match self.processes.get_mut(index) {
            Some(known) => *known = process,
            None => self.processes.push(process),
        }
        Ok(())
    }

    /// The samples of a message, all of whose numbers lead somewhere, in the memory of another batch.
    fn batch(&mut self, message: &schema::Counts, memory: Batch) -> Result<Batch, Contradiction> {
        let (Ok(event), Ok(cpu)) = (u16::try_from(message.event), u16::try_from(message.cpu)) else {
            return Err("event or CPU out of range");
        };
        self.reach_process(message.process)?;
        self.reach_image(message.image)?;
        if usize::from(event) >= self.events.len() {
            return Err("samples of an unknown event");
        }
        let Batch { mut distances, mut samples, mut weights, .. } = memory;
        columns::unpack(&message.offsets, &mut distances)?;
        columns::unpack(&message.samples, &mut samples)?;
        columns::unpack(&message.weights, &mut weights)?;
        let length = distances.len();
        let weighed = if message.period == 0 { length } else { 0 };
        if !(samples.is_empty() || samples.len() == length) || weights.len() != weighed {
            return Err("columns of different lengths");
        }
        let last = distances.iter().try_fold(0_u64, |offset, distance| offset.checked_add(*distance));
        last.ok_or("offset out of range")?;
        let key = Key {
            process: ProcessId(message.process),
            thread: message.thread,
            image: ImageId(message.image),
            offset: ImageOffset(0),
            event: EventId(event),
            cpu,
        };
        Ok(Batch { key, distances, samples, weights, period: message.period })
    }

    fn take_calls(&mut self, message: &schema::Calls) -> Result<(), Contradiction> {
        let (Ok(event), Ok(cpu)) = (u16::try_from(message.event), u16::try_from(message.cpu)) else {
            return Err("event or CPU out of range");
        };
        self.reach_process(message.process)?;
        self.reach_image(message.caller_image)?;
        self.reach_image(message.callee_image)?;
        if usize::from(event) >= self.events.len() {
            return Err("calls of an unknown event");
        }
        let [callers, callees, all_times] =
            [&message.callers, &message.callees, &message.times].map(|column| Numbers::new(column));
        let length = callers.length();
        if callees.length() != length || all_times.length() != length {
            return Err("columns of different lengths");
        }
        let mut caller = 0_u64;
        for ((distance, callee), times) in callers.zip(callees).zip(all_times) {
            let (distance, callee, times) = (distance?, callee?, times?);
            caller = caller.checked_add(distance).ok_or("offset out of range")?;
            let call = Call {
                process: ProcessId(message.process),
                thread: message.thread,
                caller_image: ImageId(message.caller_image),
                caller: ImageOffset(caller),
                callee_image: ImageId(message.callee_image),
                callee: ImageOffset(callee),
                event: EventId(event),
                cpu,
            };
            self.calls.add(call, times);
        }
        Ok(())
    }

    pub(super) fn take_names(
        &mut self,
        message: schema::Names,
        names: &mut impl NamesSink,
    ) -> Result<(), Contradiction> {
        for schema::Package { image, name, version } in message.packages {
            self.reach_image(image)?;
            self.packages.insert(ImageId(image), Package { name, version });
        }
        for message in message.images {
            self.reach_image(message.image)?;
            names.take(self.images.len(), message)?;
        }
        Ok(())
    }

    pub(super) fn take_end(&mut self, message: &schema::End) -> Result<(), Contradiction> {
        let value = u8::try_from(message.value).map_err(|_| "status out of range")?;
        self.duration = Duration::from_nanos(message.duration);
        self.end = Some(match message.kind {
            0 => CommandEnd::Exited(value),
            1 => CommandEnd::Signalled(value),
            2 => CommandEnd::StillRunning,
            3 => CommandEnd::NoCommand,
            _ => return Err("unknown end"),
        });
        Ok(())
    }
}

fn target(message: schema::Target) -> Result<Target, Contradiction> {
    Ok(match message.kind {
        1 => Target::Processes(message.ids),
        2 => Target::Threads(message.ids),
        3 => Target::Cpus(Some(message.ids)),
        4 => Target::Cpus(None),
        5 => Target::Cgroup(message.path),
        _ => return Err("unknown target"),
    })
}

fn thread(message: schema::Thread) -> Thread {
    Thread { tid: message.tid, comm: message.comm }
}

fn distribution(message: schema::Distribution) -> Distribution {
    Distribution { id: message.id, like: message.like, codename: message.codename }
}

fn event(message: schema::Event) -> Result<Event, Contradiction> {
    Ok(Event {
        name: message.name,
        description: message.description,
        unit_mask: message.unit_mask,
        unit_mask_description: message.unit_mask_description,
        sampling: match (message.count, message.frequency) {
            (0, 0) if message.with_leader => Sampling::WithLeader,
            (0, 0) => return Err("event without count and frequency"),
            (0, frequency) => Sampling::Frequency(frequency),
            (count, _) => Sampling::Count(count),
        },
        user: message.user,
        kernel: message.kernel,
        nanoseconds: message.nanoseconds,
        group: message.group.checked_sub(1),
    })
}

fn image(message: schema::Image) -> Result<Image, Contradiction> {
    let kind = match message.kind {
        0 => ImageKind::File,
        1 => ImageKind::Kernel,
        2 => ImageKind::KernelModule,
        3 => ImageKind::Vdso,
        4 => ImageKind::Anonymous,
        5 => ImageKind::Unknown,
        6 => ImageKind::Guest,
        7 => ImageKind::Jit,
        _ => return Err("unknown kind of image"),
    };
    let inode = Inode { device: message.device, number: message.inode, generation: message.generation };
    let identity = match BuildId::new(&message.build_id) {
        Some(id) => ImageIdentity::BuildId(id),
        None if inode != Inode::default() => ImageIdentity::Inode(inode),
        None => match (message.region, message.modified) {
            (Some(region), _) => ImageIdentity::Region(MemoryRegion {
                pid: region.pid,
                start: region.start,
                last: region.last,
            }),
            (None, 0) => ImageIdentity::None,
            (None, time) => ImageIdentity::Modified(time),
        },
    };
    Ok(Image { name: message.name, kind, identity })
}

fn coverage(message: schema::Coverage, events: usize) -> Result<Coverage, Contradiction> {
    if message.events.len() != events {
        return Err("coverage of other events");
    }
    let event = |event: schema::EventCoverage| EventCoverage {
        counted: event.counted_known.then_some(event.counted),
        samples: event.samples,
        weight: event.weight,
        outside_samples: event.outside_samples,
        outside_weight: event.outside_weight,
        time_enabled: event.time_enabled,
        time_running: event.time_running,
    };
    Ok(Coverage {
        events: message.events.into_iter().map(event).collect(),
        lost_records: message.lost_records,
        lost_samples: message.lost_samples,
        throttled: message.throttled,
        left_running: message.left_running,
        idle_time: message.idle_time,
        paused_time: message.paused_time,
        files_left_out: message.files_left_out,
    })
}

fn take_image_names(names: &mut ImageNames, message: schema::ImageNames) -> Result<(), Contradiction> {
    if !message.files.is_empty() && message.first_file as usize != names.files.len() {
        return Err("source files out of order");
    }
    names.segments.extend(message.segments.iter().map(segment));
    names.files.extend(message.files);
    let files = names.files.len();
    if !message.symbols.is_empty() && message.first_symbol as usize != names.symbols.len() {
        return Err("symbols out of order");
    }
    for packed in message.symbols {
        names.symbols.push(symbol(packed, files)?);
    }
    let symbols = names.symbols.len();
    take_offsets(&mut names.offsets, &message.offsets, &message.answers, symbols)?;
    if !message.places.is_empty() {
        if Numbers::new(&message.offsets).length() != message.places.len() {
            return Err("columns of different lengths");
        }
        // Each offset has its place, or an empty one where a part of the file had none.
        names.places.resize_with(names.offsets.len() - message.places.len(), SourcePlace::default);
        for packed in message.places {
            names.places.push(place(packed, files, symbols)?);
        }
    }
    Ok(())
}

/// Adds offsets, which are columns of distances and of answers.
pub(super) fn take_offsets(
    offsets: &mut Vec<(ImageOffset, Result<SymbolId, Unresolved>)>,
    distances: &[u8],
    answers: &[u8],
    symbols: usize,
) -> Result<(), Contradiction> {
    let (distances, answers) = (Numbers::new(distances), Numbers::new(answers));
    let length = distances.length();
    if length != answers.length() {
        return Err("columns of different lengths");
    }
    offsets.reserve(length);
    let mut offset = 0_u64;
    let mut last = offsets.last().map(|(last, _)| last.0);
    for (distance, answer) in distances.zip(answers) {
        offset = offset.checked_add(distance?).ok_or("offset out of range")?;
        if last.is_some_and(|last| last >= offset) {
            return Err("offsets out of order");
        }
        last = Some(offset);
        let answer = u32::try_from(answer?).map_err(|_| "unknown symbol")?;
        let found = match answer.checked_sub(FIRST_SYMBOL_ANSWER) {
            Some(symbol) if (symbol as usize) < symbols => Ok(SymbolId(symbol)),
            Some(_) => return Err("unknown symbol"),
            // A reason that a later version gave: there is no symbol, which is what matters.
            None => Err(REASONS.get(answer as usize).copied().unwrap_or(REASONS[0])),
        };
        offsets.push((ImageOffset(offset), found));
    }
    Ok(())
}

pub(super) fn segment(message: &schema::Segment) -> Segment {
    Segment {
        offset: ImageOffset(message.offset),
        size: message.size,
        address: crate::ImageAddress(message.address),
    }
}

/// Unpacks a symbol of an image that has so many source files.
pub(super) fn symbol(packed: schema::PackedSymbol, files: usize) -> Result<Symbol, Contradiction> {
    let message = schema::Symbol::decode(packed).map_err(|_| NOT_OF_THE_SCHEMA)?;
    Ok(Symbol {
        name: message.name,
        mangled: Some(message.mangled).filter(|name| !name.is_empty()),
        address: crate::ImageAddress(message.address),
        size: message.size,
        // A source that a later version knows is one that this one does not.
        source: NAME_SOURCES.get(message.source as usize).copied().unwrap_or_default(),
        line: line(message.line, files)?,
    })
}

/// Unpacks what the source says of an offset of an image that has so many source files and symbols.
pub(super) fn place(
    packed: schema::PackedSourcePlace,
    files: usize,
    symbols: usize,
) -> Result<SourcePlace, Contradiction> {
    let message = schema::SourcePlace::decode(packed).map_err(|_| NOT_OF_THE_SCHEMA)?;
    let frame = |frame: schema::InlinedFrame| match (frame.function as usize) < symbols {
        true => Ok(InlinedFrame { function: SymbolId(frame.function), call: line(frame.call, files)? }),
        false => Err("unknown inlined function"),
    };
    let inlined = message.inlined.into_iter().map(frame).collect::<Result<_, _>>()?;
    Ok(SourcePlace { line: line(message.line, files)?, inlined })
}

fn line(message: Option<schema::SourceLine>, files: usize) -> Result<Option<SourceLine>, Contradiction> {
    match message {
        None => Ok(None),
        Some(line) if (line.file as usize) < files => {
            let file = SourceFileId(line.file);
            Ok(Some(SourceLine { file, line: line.line, column: line.column }))
        }
        Some(_) => Err("unknown source file"),
    }
}
