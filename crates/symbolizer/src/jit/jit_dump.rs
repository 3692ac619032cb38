//! Reads jitdump files: what a compiler made, when, and of which source lines.
//!
//! Facts: tools/perf/Documentation/jitdump-specification.txt in the kernel's sources.

use std::sync::Arc;

use oprof_profile::{NameSource, Timestamp, VirtualAddress};

use super::code_space::{CodeSpace, JitCode, JitFunction, JitLine};
use super::{LONGEST_NAME, MOST_BYTES};

/// `JiTD` in the byte order of the machine that wrote it.
const MAGIC: u32 = 0x4A69_5444;
const VERSION: u32 = 1;
/// The file's header: magic, version, size of the header, ELF machine, padding, process, time, flags.
const HEADER: usize = 40;
/// JITDUMP_FLAGS_ARCH_TIMESTAMP: times are in a unit of the processor's.
const ARCH_TIMESTAMP: u64 = 1;

/// Each record starts with its kind, its size (this included) and its time.
const PREFIX: usize = 16;
const JIT_CODE_LOAD: u32 = 0;
const JIT_CODE_MOVE: u32 = 1;
const JIT_CODE_DEBUG_INFO: u32 = 2;

/// Behind the prefix of JIT_CODE_LOAD: process, thread, address twice, size, index; then name and code.
const LOAD: usize = 40;
/// Behind the prefix of JIT_CODE_MOVE: process, thread, address, old address, new one, size, index.
const MOVE: usize = 48;
/// As much of a JIT_CODE_DEBUG_INFO as is read. An entry takes about 60 bytes.
const MOST_DEBUG_INFO: usize = 1 << 20;

/// V8 counts the header of the ELF file that others make of its code before the first byte of that (`kElfHeaderSize` in
/// its perf-jit.cc).
const V8_SHIFT: u32 = 64;

/// The bytes of one dump that are read. Most of a dump is code, which is passed over.
const MOST_READ: u64 = 4 << 30;

/// What happened to code.
#[derive(Debug)]
enum Change {
    Load(VirtualAddress, Arc<JitFunction>),
    Move(VirtualAddress, VirtualAddress),
}

/// The code of one process, as far as its dump has been read.
///
/// Questions come in the order of time: after one about a moment, none may come about an earlier one.
#[derive(Debug, Default)]
pub struct JitDump {
    space: CodeSpace,
    /// What was read and lies behind the latest question, with its time.
    upcoming: Vec<(Timestamp, Change)>,
    upcoming_bytes: usize,
    is_sorted: bool,
    /// Lines of code whose load is still to come.
    lines: Option<(u64, Box<[JitLine]>)>,
    /// The source file that was named last, as a dump repeats it.
    file: Arc<str>,
    /// The latest time read.
    until: Timestamp,
    form: Option<Form>,
    partial: Vec<u8>,
    /// How many of the next bytes are of no interest.
    skip: u64,
    read: u64,
    /// It is no dump, or breaks off in a way that hides where the next record starts.
    is_damaged: bool,
}

/// How the numbers of a dump are written.
#[derive(Clone, Copy, Debug)]
struct Form {
    is_swapped: bool,
    has_times: bool,
}

impl Form {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?);
        Some(if self.is_swapped { number.swap_bytes() } else { number })
    }

    fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let number = u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?);
        Some(if self.is_swapped { number.swap_bytes() } else { number })
    }
}

impl JitDump {
    /// Takes in the next bytes of the file.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        self.read = self.read.saturating_add(bytes.len() as u64);
        self.is_damaged |= self.read > MOST_READ;
        while !self.is_damaged && !bytes.is_empty() {
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
            self.skip -= skipped as u64;
            bytes = &bytes[skipped..];
            let wanted = self.wanted();
            let taken = wanted.saturating_sub(self.partial.len()).min(bytes.len());
            self.partial.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            // What is wanted grows once a prefix is there.
            if self.skip == 0 && self.partial.len() >= self.wanted() {
                let whole = std::mem::take(&mut self.partial);
                self.take(&whole);
            }
        }
    }

    /// How many bytes make the next step.
    fn wanted(&self) -> usize {
        let Some(form) = self.form else { return HEADER };
        let (Some(kind), Some(size)) = (form.u32(&self.partial, 0), form.u32(&self.partial, 4)) else {
            return PREFIX;
        };
        let most = match kind {
            JIT_CODE_LOAD => PREFIX + LOAD + LONGEST_NAME,
            JIT_CODE_MOVE => PREFIX + MOVE,
            JIT_CODE_DEBUG_INFO => MOST_DEBUG_INFO,
            _ => PREFIX,
        };
        (size as usize).clamp(PREFIX, most)
    }

    /// Takes in the header, or a record as far as it is of interest.
    fn take(&mut self, bytes: &[u8]) {
        let Some(form) = self.form else {
            self.header(bytes);
            return;
        };
        let number = |at| form.u32(bytes, at).unwrap_or_default();
        let (kind, size) = (number(0), number(4) as usize);
        if size < PREFIX {
            self.is_damaged = true;
            return;
        }
        self.skip = (size - bytes.len().min(size)) as u64;
        let time = Timestamp(form.u64(bytes, 8).unwrap_or_default());
        if form.has_times {
            self.until = self.until.max(time);
        }
        let body = &bytes[PREFIX..];
        let change = match kind {
            JIT_CODE_LOAD => self.load(form, body),
            JIT_CODE_MOVE => moved(form, body),
            JIT_CODE_DEBUG_INFO => {
                self.lines = self.debug_info(form, body);
                None
            }
            _ => None,
        };
        if let Some(change) = change {
            self.change(time, change, form.has_times);
        }
    }

    fn header(&mut self, bytes: &[u8]) {
        let magic = bytes.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes));
        let is_swapped = magic == Some(MAGIC.swap_bytes());
        let form = Form { is_swapped, has_times: true };
        let size = form.u32(bytes, 8).unwrap_or_default() as usize;
        if !(is_swapped || magic == Some(MAGIC)) || form.u32(bytes, 4) != Some(VERSION) || size < HEADER {
            self.is_damaged = true;
            return;
        }
        let flags = form.u64(bytes, 32).unwrap_or_default();
        self.form = Some(Form { has_times: flags & ARCH_TIMESTAMP == 0, ..form });
        self.skip = (size - HEADER) as u64;
    }

    fn load(&mut self, form: Form, body: &[u8]) -> Option<Change> {
        let (address, size) = (form.u64(body, 16)?, form.u64(body, 24)?);
        let name = body.get(LOAD..)?;
        let length = name.iter().position(|&byte| byte == 0).unwrap_or(name.len()).min(LONGEST_NAME);
        let lines = self.lines.take().filter(|lines| lines.0 == address).map(|lines| lines.1);
        let function = JitFunction {
            name: String::from_utf8_lossy(&name[..length]).into(),
            size,
            source: NameSource::JitDump,
            lines: lines.unwrap_or_default(),
        };
        let is_code = address != 0 && !function.name.is_empty();
        is_code.then(|| Change::Load(VirtualAddress(address), Arc::new(function)))
    }

    /// The lines of the code that is loaded next: its address, their number, and for each its address, line,
    /// discriminator and file. A file named by the byte 255 alone is the one before. What is no text is no name of a
    /// file: V8 has been seen to write memory that it had freed.
    fn debug_info(&mut self, form: Form, body: &[u8]) -> Option<(u64, Box<[JitLine]>)> {
        let start = form.u64(body, 0)?;
        let count = form.u64(body, 8)?;
        let mut rest = body.get(16..)?;
        let mut lines = Vec::new();
        for _ in 0..count {
            let (Some(address), Some(line)) = (form.u64(rest, 0), form.u32(rest, 8)) else { break };
            let Some(name) = rest.get(16..) else { break };
            let Some(length) = name.iter().position(|&byte| byte == 0) else { break };
            let (name, behind) = (&name[..length], &name[length + 1..]);
            rest = behind;
            if name != b"\xff" {
                let text =
                    std::str::from_utf8(name).ok().filter(|text| is_file_name(text)).unwrap_or_default();
                if *self.file != *text {
                    self.file = text.into();
                }
            }
            if self.file.is_empty() {
                continue;
            }
            if let Some(offset) = address.checked_sub(start).and_then(|offset| u32::try_from(offset).ok()) {
                lines.push(JitLine { offset, line, file: Arc::clone(&self.file) });
            }
        }
        lines.sort_by_key(|line| line.offset);
        if lines.first().is_some_and(|first| first.offset == V8_SHIFT) {
            lines.iter_mut().for_each(|line| line.offset -= V8_SHIFT);
        }
        Some((start, lines.into()))
    }

    fn change(&mut self, time: Timestamp, change: Change, has_times: bool) {
        if !has_times {
            self.apply(change);
            return;
        }
        if let Change::Load(_, function) = &change {
            self.upcoming_bytes += function.bytes();
        }
        self.is_sorted &= self.upcoming.last().is_none_or(|last| last.0 <= time);
        self.upcoming.push((time, change));
        if self.upcoming_bytes > MOST_BYTES {
            // Nobody asks. What comes of it is that answers about the past are answers about now.
            self.advance(Timestamp(u64::MAX));
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Load(start, function) => {
                self.space.insert(start, function);
            }
            Change::Move(from, to) => self.space.relocate(from, to),
        }
    }

    /// No question will be about a moment before `time`.
    pub fn advance(&mut self, time: Timestamp) {
        if !self.is_sorted {
            self.upcoming.sort_by_key(|change| change.0);
            self.is_sorted = true;
        }
        let past = self.upcoming.partition_point(|change| change.0 <= time);
        if past == 0 {
            return;
        }
        let rest = self.upcoming.split_off(past);
        for (_, change) in std::mem::replace(&mut self.upcoming, rest) {
            if let Change::Load(_, function) = &change {
                self.upcoming_bytes = self.upcoming_bytes.saturating_sub(function.bytes());
            }
            self.apply(change);
        }
    }

    /// The function that was at an address at a time, by what has been read.
    pub fn lookup(&mut self, address: VirtualAddress, time: Timestamp) -> Option<JitCode> {
        self.advance(time);
        self.space.lookup(address)
    }

    /// The only function that ever was at an address; `None` where there were several, or none.
    pub fn lookup_only(&mut self, address: VirtualAddress) -> Option<JitCode> {
        self.advance(Timestamp(u64::MAX));
        self.space.lookup(address).filter(|_| !self.space.is_reused(address))
    }

    /// Up to when the dump is known; the end of time where nothing more is to be learnt from it, or where its records
    /// have no times that can be compared.
    pub fn until(&self) -> Timestamp {
        match self.form {
            Some(Form { has_times: false, .. }) => Timestamp(u64::MAX),
            _ if self.is_damaged => Timestamp(u64::MAX),
            _ => self.until,
        }
    }
}

fn is_file_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.contains(char::is_control)
}

fn moved(form: Form, body: &[u8]) -> Option<Change> {
    Some(Change::Move(VirtualAddress(form.u64(body, 16)?), VirtualAddress(form.u64(body, 24)?)))
}

#[cfg(test)]
mod tests;
