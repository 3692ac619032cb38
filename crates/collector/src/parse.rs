//! Turns the bytes of one record into what it says: section "PERF_RECORD" of perf_event_open(2).

use oprof_profile::{
    BuildId, CpuMode, EventId, ImageIdentity, Inode, Ksymbol, KsymbolType, Record, Sample, TaskRecord,
    Timestamp, VirtualAddress,
};
use perf_event_open_sys::bindings as kernel;
use rustc_hash::FxHashMap;

use crate::initial_stack;

/// Which optional fields samples have (`perf_event_attr.sample_type`); all have address, ids of process and thread,
/// and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The counter's number comes first in a sample and last in every other record.
    pub(crate) identifier: bool,
    /// The period comes last.
    pub(crate) period: bool,
}

/// What the counters of a ring buffer are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) layout: Layout,
    pub(crate) cpu: u16,
    /// Its samples are of programs that begin.
    pub(crate) program_starts: bool,
    /// It is there to wake the reader; what it holds stands in another buffer, too.
    pub(crate) only_wakes: bool,
    /// What is sampled, where that is but one event; by the counter's number where there are several.
    pub(crate) only: Option<Sampled>,
    /// The event of each counter by the kernel's number.
    pub(crate) events: FxHashMap<u64, Sampled>,
}

/// An event, and what its samples are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sampled {
    pub(crate) event: EventId,
    /// Its fixed period; 0 for none.
    pub(crate) period: u64,
    /// What its group has counted comes last in its samples.
    pub(crate) reads_group: bool,
    /// It is a clock, which counts idle time and time in other code than it is sampled in.
    pub(crate) is_clock: bool,
}

/// What a record says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'r> {
    Sample(Sample),
    /// A sample of a group's leader, with the bytes that say what the group has counted.
    GroupSample(Sample, &'r [u8]),
    Task(TaskRecord),
    /// Of no interest, or not understood.
    Nothing,
}

/// Reads numbers off the front of bytes.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    #[inline]
    fn u64(&mut self) -> Option<u64> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*value))
    }

    #[inline]
    fn u32(&mut self) -> Option<u32> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_ne_bytes(*value))
    }
}

/// What a record, header included, says; nothing where it is too short for what it should say.
#[inline]
pub(crate) fn parse<'r>(record: &'r [u8], source: &Source) -> Parsed<'r> {
    let Some((header, body)) = record.split_first_chunk::<8>().filter(|_| !source.only_wakes) else {
        return Parsed::Nothing;
    };
    let kind = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]);
    let misc = u32::from(u16::from_ne_bytes([header[4], header[5]]));
    let parsed = if kind == kernel::PERF_RECORD_SAMPLE {
        match source.program_starts {
            true => program_start(body).map(Parsed::Task),
            false => sample(body, misc, source),
        }
    } else {
        task_record(kind, body, misc, source).map(Parsed::Task)
    };
    parsed.unwrap_or(Parsed::Nothing)
}

#[inline]
fn sample<'r>(body: &'r [u8], misc: u32, source: &Source) -> Option<Parsed<'r>> {
    let mut cursor = Cursor(body);
    let Sampled { event, period, reads_group, .. } = match source.only {
        Some(only) => {
            if source.layout.identifier {
                cursor.u64()?;
            }
            only
        }
        None => *source.events.get(&cursor.u64()?)?,
    };
    let address = VirtualAddress(cursor.u64()?);
    let pid = cursor.u32()?;
    let tid = cursor.u32()?;
    let time = Timestamp(cursor.u64()?);
    let weight = match source.layout.period {
        true => cursor.u64()?,
        false => period,
    };
    let sample =
        Sample { time, address, weight, pid, tid, cpu: source.cpu, event, mode: mode(misc, address) };
    Some(match reads_group {
        true => Parsed::GroupSample(sample, cursor.0),
        false => Parsed::Sample(sample),
    })
}

/// The arguments of a program that begins; `None` where these did not fit, or nothing was copied.
fn program_start(body: &[u8]) -> Option<TaskRecord> {
    let mut cursor = Cursor(body);
    let (pid, _tid, time) = (cursor.u32()?, cursor.u32()?, Timestamp(cursor.u64()?));
    // PERF_SAMPLE_REGS_ABI_32 and _64; 0 stands for a task without user code.
    let pointer = match cursor.u64()? {
        1 => 4,
        2 => 8,
        _ => return None,
    };
    let stack_pointer = cursor.u64()?;
    let size = usize::try_from(cursor.u64()?).ok()?;
    let stack = cursor.0.get(..size)?;
    let mut rest = Cursor(&cursor.0[size..]);
    let copied = usize::try_from(rest.u64()?).ok()?;
    let arguments = initial_stack::arguments(stack.get(..copied)?, stack_pointer, pointer)?;
    if arguments.last().is_some_and(|last| last == initial_stack::CUT) {
        return None;
    }
    let record = Record::Described { pid, arguments, working_directory: None };
    Some(TaskRecord { time, record })
}

fn mode(misc: u32, address: VirtualAddress) -> CpuMode {
    match misc & kernel::PERF_RECORD_MISC_CPUMODE_MASK {
        kernel::PERF_RECORD_MISC_USER => CpuMode::User,
        kernel::PERF_RECORD_MISC_KERNEL => CpuMode::Kernel,
        kernel::PERF_RECORD_MISC_CPUMODE_UNKNOWN if address.0 >> 63 == 0 => CpuMode::User,
        kernel::PERF_RECORD_MISC_CPUMODE_UNKNOWN => CpuMode::Kernel,
        _ => CpuMode::Guest,
    }
}

fn task_record(kind: u32, body: &[u8], misc: u32, source: &Source) -> Option<TaskRecord> {
    // Behind the record's own fields stand process, thread, time and perhaps the counter's number (sample_id_all).
    let trailer = if source.layout.identifier { 24 } else { 16 };
    let body_length = match kind {
        kernel::PERF_RECORD_KSYMBOL => ksymbol_length(body)?,
        _ => body.len().checked_sub(trailer)?,
    };
    if body.len() < body_length + trailer {
        return None;
    }
    let (body, mut id) = (&body[..body_length], Cursor(&body[body_length..]));
    let task = (id.u32()?, id.u32()?);
    let time = Timestamp(id.u64()?);
    let mut cursor = Cursor(body);
    let record = match kind {
        kernel::PERF_RECORD_MMAP2 => mapped(&mut cursor, misc)?,
        kernel::PERF_RECORD_COMM => {
            let (pid, tid) = (cursor.u32()?, cursor.u32()?);
            let comm = text(cursor.0);
            if misc & kernel::PERF_RECORD_MISC_COMM_EXEC != 0 {
                Record::Executed { pid, comm }
            } else if pid == tid {
                Record::Renamed { pid, comm }
            } else {
                Record::ThreadRenamed { pid, tid, comm }
            }
        }
        kernel::PERF_RECORD_FORK => {
            let (pid, parent, tid) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            if pid == parent { Record::ThreadStarted { pid, tid } } else { Record::Forked { pid, parent } }
        }
        kernel::PERF_RECORD_EXIT => {
            let (pid, _parent, tid) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            Record::ThreadExited { pid, tid, cpu: source.cpu }
        }
        kernel::PERF_RECORD_READ => {
            let (pid, tid) = (cursor.u32()?, cursor.u32()?);
            // A task that ends reports itself. Where two of them wrote over one another (see `Rings`) they differ.
            if (pid, tid) != task {
                return None;
            }
            let (value, _enabled, _running, id) =
                (cursor.u64()?, cursor.u64()?, cursor.u64()?, cursor.u64()?);
            let event = source.events.get(&id)?.event;
            Record::Counted { pid, event, cpu: source.cpu, value }
        }
        kernel::PERF_RECORD_LOST => {
            let _id = cursor.u64()?;
            Record::Lost { records: cursor.u64()? }
        }
        kernel::PERF_RECORD_LOST_SAMPLES => Record::LostSamples { samples: cursor.u64()? },
        kernel::PERF_RECORD_THROTTLE => Record::Throttled,
        kernel::PERF_RECORD_KSYMBOL => ksymbol(&mut cursor)?,
        _ => return None,
    };
    Some(TaskRecord { time, record })
}

fn mapped(cursor: &mut Cursor<'_>, misc: u32) -> Option<Record> {
    let (pid, _tid) = (cursor.u32()?, cursor.u32()?);
    let (start, length, file_offset) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
    let identity = if misc & kernel::PERF_RECORD_MISC_MMAP_BUILD_ID != 0 {
        let (field, rest) = cursor.0.split_first_chunk::<24>()?;
        cursor.0 = rest;
        let bytes = field[4..].get(..usize::from(field[0]))?;
        BuildId::new(bytes).map_or(ImageIdentity::None, ImageIdentity::BuildId)
    } else {
        let (major, minor, number, generation) = (cursor.u32()?, cursor.u32()?, cursor.u64()?, cursor.u64()?);
        let device = u64::from(major) << 32 | u64::from(minor);
        match number {
            0 => ImageIdentity::None,
            _ => ImageIdentity::Inode(Inode { device, number, generation }),
        }
    };
    let _protection_and_flags = cursor.u64()?;
    let name = text(cursor.0);
    Some(Record::Mapped { pid, start: VirtualAddress(start), length, file_offset, identity, name })
}

/// Code that the kernel made or frees. Types that this does not know are left to `/proc/kallsyms`.
fn ksymbol(cursor: &mut Cursor<'_>) -> Option<Record> {
    let (start, length, kind_and_flags) = (VirtualAddress(cursor.u64()?), cursor.u32()?, cursor.u32()?);
    let [kind_low, kind_high, flags_low, flags_high] = kind_and_flags.to_ne_bytes();
    let kind = u32::from(u16::from_ne_bytes([kind_low, kind_high]));
    let flags = u32::from(u16::from_ne_bytes([flags_low, flags_high]));
    if flags & kernel::PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER != 0 {
        return Some(Record::KsymbolUnregistered { start, length });
    }
    let kind = match kind {
        kernel::PERF_RECORD_KSYMBOL_TYPE_BPF => KsymbolType::Bpf,
        kernel::PERF_RECORD_KSYMBOL_TYPE_OOL => KsymbolType::OutOfLine,
        _ => return None,
    };
    Some(Record::KsymbolRegistered(Ksymbol { start, length, kind, name: text(cursor.0) }))
}

/// The length of the fields of PERF_RECORD_KSYMBOL: 16 bytes and a name, filled up to a multiple of eight.
///
/// What follows is not always the trailer alone. Where several listen to an event, `perf_event_ksymbol_output` in
/// kernel/events/core.c adds the size of the trailer to the record anew for each of them.
fn ksymbol_length(body: &[u8]) -> Option<usize> {
    let name = body.get(16..)?;
    Some(16 + (name.iter().position(|byte| *byte == 0)? + 1).next_multiple_of(8))
}

/// A name, which ends at its first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

#[cfg(test)]
mod tests;
