//! Turns the parts of a recording into messages.

use prost::Message;
use prost::bytes::Bytes;

use super::batch::{Batch, batches};
use super::{columns, schema};
use crate::{
    Call, Clock, CommandEnd, Count, Coverage, Distribution, Event, EventCoverage, Image, ImageId,
    ImageIdentity, ImageKind, ImageNames, InlinedFrame, Key, NameSource, Package, Process, ProcessId, Run,
    Sampling, Scope, Segment, SourceLine, SourcePlace, Symbol, Target, Thread, Unresolved,
};

/// Answers below this number in [`schema::ImageNames`] are reasons, the rest symbols.
pub(super) const FIRST_SYMBOL_ANSWER: u32 = 16;

pub(super) fn header(run: &Run, events: &[Event]) -> schema::Header {
    schema::Header {
        version: run.version.clone(),
        host: run.host.clone(),
        kernel_release: run.kernel_release.clone(),
        architecture: run.architecture.clone(),
        cpu: run.cpu.clone(),
        cpu_type: run.cpu_type.clone(),
        cpu_mhz: run.cpu_mhz,
        cpus: run.cpus,
        command: run.command.clone(),
        working_directory: run.working_directory.clone(),
        scope: match run.scope {
            Scope::Cgroup => 0,
            Scope::System => 1,
            Scope::Inherit => 2,
        },
        started_unix: run.started_unix,
        notes: run.notes.clone(),
        clock: match run.clock {
            Clock::Monotonic => 0,
            clock => clock.number() as u32,
        },
        events: events.iter().map(event).collect(),
        target: target(&run.target),
        distribution: Some(&run.distribution)
            .filter(|known| **known != Distribution::default())
            .map(distribution),
    }
}

/// The command is what is recorded unless something else is said.
fn target(target: &Target) -> Option<schema::Target> {
    let (kind, ids, path) = match target {
        Target::Command => return None,
        Target::Processes(pids) => (1, pids.clone(), String::new()),
        Target::Threads(tids) => (2, tids.clone(), String::new()),
        Target::Cpus(Some(cpus)) => (3, cpus.clone(), String::new()),
        Target::Cpus(None) => (4, Vec::new(), String::new()),
        Target::Cgroup(path) => (5, Vec::new(), path.clone()),
    };
    Some(schema::Target { kind, ids, path })
}

fn distribution(distribution: &Distribution) -> schema::Distribution {
    schema::Distribution {
        id: distribution.id.clone(),
        like: distribution.like.clone(),
        codename: distribution.codename.clone(),
    }
}

fn event(event: &Event) -> schema::Event {
    let (count, frequency) = match event.sampling {
        Sampling::Count(count) => (count, 0),
        Sampling::Frequency(frequency) => (0, frequency),
        Sampling::WithLeader => (0, 0),
    };
    schema::Event {
        name: event.name.clone(),
        description: event.description.clone(),
        unit_mask: event.unit_mask,
        unit_mask_description: event.unit_mask_description.clone(),
        count,
        frequency,
        user: event.user,
        kernel: event.kernel,
        nanoseconds: event.nanoseconds,
        group: event.group.map_or(0, |group| group.saturating_add(1)),
        with_leader: event.sampling == Sampling::WithLeader,
    }
}

pub(super) fn image(image: &Image) -> schema::Image {
    let mut message = schema::Image {
        name: image.name.clone(),
        kind: match image.kind {
            ImageKind::File => 0,
            ImageKind::Kernel => 1,
            ImageKind::KernelModule => 2,
            ImageKind::Vdso => 3,
            ImageKind::Anonymous => 4,
            ImageKind::Unknown => 5,
            ImageKind::Guest => 6,
            ImageKind::Jit => 7,
        },
        ..schema::Image::default()
    };
    match image.identity {
        ImageIdentity::None => {}
        ImageIdentity::BuildId(id) => message.build_id = id.as_bytes().to_vec(),
        ImageIdentity::Inode(inode) => {
            message.device = inode.device;
            message.inode = inode.number;
            message.generation = inode.generation;
        }
        ImageIdentity::Modified(time) => message.modified = time,
        ImageIdentity::Region(region) => {
            message.region =
                Some(schema::MemoryRegion { pid: region.pid, start: region.start, last: region.last });
        }
    }
    message
}

pub(super) fn process(id: ProcessId, process: &Process) -> schema::Process {
    let reference = |id: Option<ProcessId>| id.map_or(0, |id| id.0 + 1);
    schema::Process {
        id: id.0,
        pid: process.pid,
        parent: reference(process.parent),
        before_exec: reference(process.before_exec),
        started: process.started.0,
        ended: process.ended.map_or(0, |time| time.0),
        comm: process.comm.clone(),
        app: process.app.map_or(0, |id| id.0 + 1),
        arguments: process.arguments.clone(),
        working_directory: process.working_directory.clone().unwrap_or_default(),
        event_totals: process.event_totals.clone(),
        folded: process.folded,
        threads: process.threads.iter().map(thread).collect(),
    }
}

fn thread(thread: &Thread) -> schema::Thread {
    schema::Thread { tid: thread.tid, comm: thread.comm.clone() }
}

/// Folded samples, with what they share said once.
pub(super) fn counts(entries: &[(Key, Count)]) -> Vec<schema::PackedCounts> {
    batches(entries.to_vec()).iter().map(|batch| packed(&counts_of_batch(batch))).collect()
}

/// The samples of a batch.
fn counts_of_batch(batch: &Batch) -> schema::Counts {
    let Batch { key, distances, samples, weights, period } = batch;
    schema::Counts {
        process: key.process.0,
        thread: key.thread,
        image: key.image.0,
        event: key.event.0.into(),
        cpu: key.cpu.into(),
        offsets: columns::pack(distances.iter().copied()),
        samples: columns::pack(samples.iter().copied()),
        weights: columns::pack(weights.iter().copied()),
        period: *period,
    }
}

/// Folded calls, with what neighbours share said once.
pub(super) fn calls(entries: &[(Call, u64)]) -> Vec<schema::Calls> {
    let group =
        |call: &Call| (call.process, call.thread, call.event, call.cpu, call.caller_image, call.callee_image);
    let mut sorted = entries.to_vec();
    sorted.sort_unstable_by_key(|(call, _)| (group(call), call.caller, call.callee));
    sorted
        .chunk_by(|a, b| group(&a.0) == group(&b.0))
        .map(|entries| {
            let call = &entries[0].0;
            schema::Calls {
                process: call.process.0,
                thread: call.thread,
                event: call.event.0.into(),
                cpu: call.cpu.into(),
                caller_image: call.caller_image.0,
                callee_image: call.callee_image.0,
                callers: columns::pack(columns::distances(entries.iter().map(|(call, _)| call.caller.0))),
                callees: columns::pack(entries.iter().map(|(call, _)| call.callee.0)),
                times: columns::pack(entries.iter().map(|(_, times)| *times)),
            }
        })
        .collect()
}

pub(super) fn coverage(coverage: &Coverage) -> schema::Coverage {
    let event = |event: &EventCoverage| schema::EventCoverage {
        counted_known: event.counted.is_some(),
        counted: event.counted.unwrap_or(0),
        samples: event.samples,
        weight: event.weight,
        outside_samples: event.outside_samples,
        outside_weight: event.outside_weight,
        time_enabled: event.time_enabled,
        time_running: event.time_running,
    };
    schema::Coverage {
        events: coverage.events.iter().map(event).collect(),
        lost_records: coverage.lost_records,
        lost_samples: coverage.lost_samples,
        throttled: coverage.throttled,
        left_running: coverage.left_running,
        idle_time: coverage.idle_time,
        paused_time: coverage.paused_time,
        files_left_out: coverage.files_left_out,
    }
}

/// The names of one image, in messages of at most `most` symbols and offsets each.
/// Files come before the symbols whose lines are in them, and those before the offsets that they hold.
pub(super) fn names(image: ImageId, names: &ImageNames, most: usize) -> Vec<schema::ImageNames> {
    let part = || schema::ImageNames { image: image.0, ..schema::ImageNames::default() };
    let mut messages = Vec::new();
    if !names.segments.is_empty() {
        let segment = |segment: &Segment| schema::Segment {
            offset: segment.offset.0,
            size: segment.size,
            address: segment.address.0,
        };
        let segments = names.segments.iter().map(segment).collect();
        messages.push(schema::ImageNames { segments, ..part() });
    }
    for (index, files) in names.files.chunks(most).enumerate() {
        let first_file = (index * most) as u32;
        messages.push(schema::ImageNames { first_file, files: files.to_vec(), ..part() });
    }
    for (index, symbols) in names.symbols.chunks(most).enumerate() {
        let first_symbol = (index * most) as u32;
        let symbols = symbols.iter().map(|it| packed(&symbol(it))).collect();
        messages.push(schema::ImageNames { first_symbol, symbols, ..part() });
    }
    for (index, offsets) in names.offsets.chunks(most).enumerate() {
        let mut message = part();
        message.offsets = columns::pack(columns::distances(offsets.iter().map(|(offset, _)| offset.0)));
        message.answers = columns::pack(offsets.iter().map(|(_, found)| match found {
            Ok(symbol) => u64::from(FIRST_SYMBOL_ANSWER + symbol.0),
            Err(reason) => reason_number(*reason).into(),
        }));
        let places = names.places.iter().skip(index * most).take(offsets.len());
        message.places = places.map(|it| packed(&place(it))).collect();
        messages.push(message);
    }
    messages
}

fn packed(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

pub(super) fn package(image: ImageId, package: &Package) -> schema::Package {
    schema::Package { image: image.0, name: package.name.clone(), version: package.version.clone() }
}

fn symbol(symbol: &Symbol) -> schema::Symbol {
    let source = NAME_SOURCES.iter().position(|source| *source == symbol.source);
    schema::Symbol {
        name: symbol.name.clone(),
        mangled: symbol.mangled.clone().unwrap_or_default(),
        address: symbol.address.0,
        size: symbol.size,
        source: source.unwrap_or(0) as u32,
        line: symbol.line.map(line),
    }
}

fn place(place: &SourcePlace) -> schema::SourcePlace {
    let frame = |frame: &InlinedFrame| schema::InlinedFrame {
        function: frame.function.0,
        call: frame.call.map(line),
    };
    schema::SourcePlace { line: place.line.map(line), inlined: place.inlined.iter().map(frame).collect() }
}

fn line(line: SourceLine) -> schema::SourceLine {
    schema::SourceLine { file: line.file.0, line: line.line, column: line.column }
}

/// What can tell a name, each at the number that stands for it in a file.
pub(super) const NAME_SOURCES: [NameSource; 14] = [
    NameSource::Unrecorded,
    NameSource::SymbolTable,
    NameSource::DebugFile,
    NameSource::MiniDebugInfo,
    NameSource::DynamicSymbols,
    NameSource::Plt,
    NameSource::GoFunctions,
    NameSource::UnwindTable,
    NameSource::Dwarf,
    NameSource::Kallsyms,
    NameSource::PerfMap,
    NameSource::JitDump,
    NameSource::Bpf,
    NameSource::OutOfLine,
];

fn reason_number(reason: Unresolved) -> u32 {
    REASONS.iter().position(|known| *known == reason).map_or(0, |index| index as u32)
}

/// The reasons why an offset has no symbol, each at the number that stands for it in a file.
pub(super) const REASONS: [Unresolved; 10] = [
    Unresolved::NoSymbols,
    Unresolved::NoSymbolAtOffset,
    Unresolved::Deleted,
    Unresolved::BuildIdMismatch,
    Unresolved::Unreadable,
    Unresolved::KernelRestricted,
    Unresolved::NoMapping,
    Unresolved::Anonymous,
    Unresolved::TooManyOpenFiles,
    Unresolved::NamesMissing,
];

pub(super) fn end(duration_ns: u64, end: CommandEnd) -> schema::End {
    let (kind, value) = match end {
        CommandEnd::Exited(status) => (0, status.into()),
        CommandEnd::Signalled(signal) => (1, signal.into()),
        CommandEnd::StillRunning => (2, 0),
        CommandEnd::NoCommand => (3, 0),
    };
    schema::End { duration: duration_ns, kind, value }
}
