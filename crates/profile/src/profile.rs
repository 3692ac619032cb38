//! The profile: records of a run, replayed in the order of time and folded.

mod folding;
mod ksymbols;
mod moves;
mod processes;
mod replay;
mod totals;

use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use folding::Renumbering;
pub(crate) use folding::{Chains, Folded, Folds, Room};
use ksymbols::Ksymbols;
pub use ksymbols::{Ksymbol, KsymbolType};
pub use totals::TaskTotal;
use totals::{Tally, Totals};

use crate::{
    AddressSpace, Count, Counts, Coverage, CpuMode, EventCoverage, Image, ImageId, ImageIdentity, ImageKind,
    ImageNames, ImageOffset, JitSample, Key, Mapping, Process, ProcessId, Record, Sample, TaskRecord,
    Timestamp, VirtualAddress,
};

/// Which processes of those that the events report belong to the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    /// All: the events are opened for the target alone.
    All,
    /// The command and the processes that were found, and those that descend from them.
    Descendants,
}

/// A process id that is in use.
#[derive(Clone, Debug)]
struct Live {
    process: ProcessId,
    /// Shared with the process that forked this one until one of the two maps something.
    space: Arc<AddressSpace>,
    threads: u32,
    /// What it executes was seen from the beginning: by itself, or before it was forked.
    is_known: bool,
    /// Of its whole life, over all programs that it executes.
    tally: Tally,
}

/// Turns records in the order of time into counts per process, image and offset.
///
/// Counts come in windows: what was folded since the last [`Profile::close_window`], and the sum of all closed
/// windows. A recording file takes one window after another while the run goes on.
#[derive(Debug)]
pub struct Profile {
    membership: Membership,
    images: Vec<Image>,
    image_ids: FxHashMap<Image, ImageId>,
    processes: Vec<Process>,
    live: FxHashMap<u32, Live>,
    /// The process that last ended on each CPU.
    exited: FxHashMap<u16, u32>,
    ksymbols: Ksymbols,
    totals: Totals,
    open_window: Counts,
    closed_windows: Counts,
    jit_samples: Vec<JitSample>,
    /// Room for samples that have to be put into order.
    in_order: Vec<Sample>,
    coverage: Coverage,
    /// Images and processes that the last closed window already knew.
    images_closed: usize,
    changed_processes: Vec<ProcessId>,
    is_renumbered: bool,
    /// The kernel is one image without names.
    hides_kernel: bool,
    /// The samples of each thread are kept apart.
    separates_threads: bool,
    kernel: ImageId,
    guest: ImageId,
    unknown: ImageId,
    anonymous: ImageId,
}

/// As many samples of code that compilers may have made are kept apart until [`Profile::take_jit_samples`]. Further ones
/// are folded alone.
const MOST_JIT_SAMPLES: usize = 1 << 18;

/// What a window adds to those before it.
#[derive(Debug)]
pub struct Window {
    /// The images first seen in it; the first of them has this index, the rest follow.
    pub first_image: ImageId,
    /// The processes that are new or changed.
    pub changed_processes: Vec<ProcessId>,
    /// The samples folded in it, in the order of their keys.
    pub counts: Vec<(Key, Count)>,
}

impl Profile {
    /// A profile of `events` events that takes in every process reported.
    pub fn of_all_processes(events: usize) -> Profile {
        Profile::new(events, Membership::All)
    }

    /// A profile of `events` events that takes in the process `command` and all that descend from it, and only
    /// counts the samples of the rest as outside.
    pub fn of_descendants(events: usize, command: u32, started: Timestamp) -> Profile {
        let mut profile = Profile::new(events, Membership::Descendants);
        profile.start_process(command, None, started);
        profile
    }

    /// A profile of `events` events that takes in the processes which were found running ([`Record::Found`]) and all that
    /// descend from them, and only counts the samples of the rest as outside.
    pub fn of_found_processes(events: usize) -> Profile {
        Profile::new(events, Membership::Descendants)
    }

    fn new(events: usize, membership: Membership) -> Profile {
        let mut profile = Profile {
            membership,
            images: Vec::new(),
            image_ids: FxHashMap::default(),
            processes: Vec::new(),
            live: FxHashMap::default(),
            exited: FxHashMap::default(),
            ksymbols: Ksymbols::default(),
            totals: Totals::default(),
            open_window: Counts::default(),
            closed_windows: Counts::default(),
            jit_samples: Vec::new(),
            in_order: Vec::new(),
            coverage: Coverage { events: vec![EventCoverage::default(); events], ..Coverage::default() },
            images_closed: 0,
            changed_processes: Vec::new(),
            is_renumbered: false,
            hides_kernel: false,
            separates_threads: false,
            kernel: ImageId(0),
            guest: ImageId(0),
            unknown: ImageId(0),
            anonymous: ImageId(0),
        };
        let mut special = |name: &str, kind| {
            profile.image_id(Image { name: name.to_owned(), kind, identity: ImageIdentity::None })
        };
        let kernel = special("[kernel]", ImageKind::Kernel);
        let guest = special("[guest]", ImageKind::Guest);
        let unknown = special("[unknown]", ImageKind::Unknown);
        let anonymous = special("[anon]", ImageKind::Anonymous);
        Profile { kernel, guest, unknown, anonymous, ..profile }
    }

    /// Makes all that the kernel does one image without names, which OProfile calls `no-vmlinux`; before anything is
    /// taken in.
    pub fn hide_kernel(&mut self) {
        let image =
            Image { name: "no-vmlinux".to_owned(), kind: ImageKind::Kernel, identity: ImageIdentity::None };
        let before = std::mem::replace(&mut self.images[self.kernel.0 as usize], image.clone());
        self.image_ids.remove(&before);
        self.image_ids.insert(image, self.kernel);
        self.hides_kernel = true;
    }

    /// Keeps the samples of each thread apart; before anything is taken in.
    pub fn separate_threads(&mut self) {
        self.separates_threads = true;
    }

    /// The samples of each thread are kept apart: [`Profile::separate_threads`].
    pub fn threads_are_separate(&self) -> bool {
        self.separates_threads
    }

    /// The kernel has no names: [`Profile::hide_kernel`].
    pub fn kernel_is_hidden(&self) -> bool {
        self.hides_kernel
    }

    #[inline]
    fn sample(&mut self, sample: &Sample) {
        let Some(coverage) = self.coverage.events.get_mut(usize::from(sample.event.0)) else { return };
        let pid = match sample.pid {
            Sample::EXITED => self.exited.get(&sample.cpu).copied().unwrap_or(sample.pid),
            pid => pid,
        };
        let live = match self.live.get(&pid) {
            Some(live) => live,
            None if self.membership == Membership::Descendants => {
                coverage.outside_samples += 1;
                coverage.outside_weight = coverage.outside_weight.saturating_add(sample.weight);
                return;
            }
            None => {
                self.start_process(pid, None, sample.time);
                return self.sample(sample);
            }
        };
        coverage.samples += 1;
        coverage.weight = coverage.weight.saturating_add(sample.weight);
        let as_it_stands = ImageOffset(sample.address.0);
        let process = live.process;
        let (image, offset) = match sample.mode {
            CpuMode::User => live.space.lookup(sample.address).unwrap_or((self.unknown, as_it_stands)),
            CpuMode::Kernel => self.made_code(sample.address).unwrap_or((self.kernel, as_it_stands)),
            CpuMode::Guest => (self.guest, as_it_stands),
        };
        let thread = if self.separates_threads { sample.tid } else { 0 };
        let key = Key { process, thread, image, offset, event: sample.event, cpu: sample.cpu };
        let count = Count { samples: 1, weight: sample.weight };
        self.open_window.add(key, count);
        if self.images[image.0 as usize].may_hold_jit_code() && self.jit_samples.len() < MOST_JIT_SAMPLES {
            self.jit_samples.push(JitSample { time: sample.time, address: sample.address, key, count });
        }
    }

    fn record(&mut self, TaskRecord { time, record }: &TaskRecord) {
        match record {
            Record::Mapped { pid, start, length, file_offset, identity, name } => {
                self.map(*time, *pid, *start, *length, *file_offset, *identity, name);
            }
            Record::Remapped { pid, start, length, file } => {
                self.remap(*time, *pid, *start, *length, file);
            }
            Record::Found { pid, parent, comm, threads, started } => {
                self.find(*pid, *parent, comm, *threads, *started);
            }
            Record::Executed { pid, comm } => self.execute(*time, *pid, comm),
            Record::Renamed { pid, comm } => {
                if let Some(live) = self.member(*pid, *time) {
                    let process = live.process;
                    self.change(process).comm.clone_from(comm);
                }
            }
            Record::ThreadRenamed { pid, tid, comm } => {
                if self.separates_threads
                    && let Some(live) = self.member(*pid, *time)
                {
                    let process = live.process;
                    self.change(process).name_thread(*tid, comm);
                }
            }
            Record::Forked { pid, parent } => self.fork(*time, *pid, *parent),
            Record::ThreadStarted { pid, .. } => {
                if let Some(live) = self.member(*pid, *time) {
                    live.threads = live.threads.saturating_add(1);
                    live.tally.add_task();
                }
            }
            Record::ThreadExited { pid, cpu, .. } => self.exit(*time, *pid, *cpu),
            Record::Described { pid, arguments, working_directory } => {
                if let Some(live) = self.live.get(pid) {
                    let process = live.process;
                    let process = self.change(process);
                    // What could not be read takes nothing away from what is known.
                    if !arguments.is_empty() {
                        process.arguments.clone_from(arguments);
                    }
                    if working_directory.is_some() {
                        process.working_directory.clone_from(working_directory);
                    }
                }
            }
            Record::Counted { pid, event, cpu, value } => {
                self.count(*pid, TaskTotal { event: *event, cpu: *cpu, value: *value });
            }
            Record::Lost { records } => {
                self.coverage.lost_records = self.coverage.lost_records.saturating_add(*records);
            }
            Record::LostSamples { samples } => {
                self.coverage.lost_samples = self.coverage.lost_samples.saturating_add(*samples);
            }
            Record::Throttled => self.coverage.throttled += 1,
            Record::KsymbolRegistered(symbol) => self.ksymbols.register(symbol),
            Record::KsymbolUnregistered { start, length } => self.ksymbols.unregister(*start, *length),
        }
    }

    /// Where an address of the kernel is in code that the kernel has made.
    #[inline]
    fn made_code(&mut self, address: VirtualAddress) -> Option<(ImageId, ImageOffset)> {
        if self.hides_kernel {
            return None;
        }
        let (symbol, offset) = self.ksymbols.lookup(address)?;
        let (name, kind) = (symbol.image_name().to_owned(), ImageKind::KernelModule);
        Some((self.image_id(Image { name, kind, identity: ImageIdentity::None }), offset))
    }

    #[allow(clippy::too_many_arguments)] // the fields of one record
    fn map(
        &mut self,
        time: Timestamp,
        pid: u32,
        start: VirtualAddress,
        length: u64,
        file_offset: u64,
        identity: ImageIdentity,
        name: &str,
    ) {
        if self.member(pid, time).is_none() {
            return;
        }
        let (image, first_offset) = match ImageKind::of_mapping(name) {
            ImageKind::Anonymous => (self.anonymous, start.0),
            ImageKind::Vdso => {
                let identity = ImageIdentity::None;
                (self.image_id(Image { name: "[vdso]".to_owned(), kind: ImageKind::Vdso, identity }), 0)
            }
            kind => (self.image_id(Image { name: name.to_owned(), kind, identity }), file_offset),
        };
        let Some(live) = self.live.get_mut(&pid) else { return };
        Arc::make_mut(&mut live.space).map(Mapping {
            start,
            end: VirtualAddress(start.0.saturating_add(length)),
            image,
            first_offset: ImageOffset(first_offset),
        });
        let (process, is_known) = (live.process, live.is_known);
        let entry = &self.processes[process.0 as usize];
        // The first file that a program maps is the program itself; what is mapped before the first exec that
        // was seen says nothing of the kind.
        let is_file = self.images[image.0 as usize].kind == ImageKind::File;
        if is_file && entry.app.is_none() && is_known {
            self.change(process).app = Some(image);
        }
    }

    /// The code stays what it was, where it is the file's.
    fn remap(&mut self, time: Timestamp, pid: u32, start: VirtualAddress, length: u64, file: &str) {
        let end = VirtualAddress(start.0.saturating_add(length));
        let images = &self.images;
        let is_file = self.live.get(&pid).is_some_and(|live| {
            live.space.is_held_by(start, end, |image| images[image.0 as usize].name == file)
        });
        if !is_file {
            self.map(time, pid, start, length, 0, ImageIdentity::None, "//anon");
        }
    }

    fn image_id(&mut self, image: Image) -> ImageId {
        if let Some(id) = self.image_ids.get(&image) {
            return *id;
        }
        let id = ImageId(self.images.len() as u32);
        self.images.push(image.clone());
        self.image_ids.insert(image, id);
        id
    }

    /// Ends the window that is open and starts the next; gives what the ended one adds to those before it.
    pub fn close_window(&mut self) -> Window {
        let counts = self.open_window.sorted();
        self.open_window.drain_into(&mut self.closed_windows);
        let first_image = ImageId(self.images_closed as u32);
        self.images_closed = self.images.len();
        let mut changed_processes = std::mem::take(&mut self.changed_processes);
        changed_processes.sort_unstable();
        changed_processes.dedup();
        Window { first_image, changed_processes, counts }
    }

    /// The offsets that were sampled, image by image, ascending and distinct.
    pub fn sampled_offsets(&self) -> Vec<(ImageId, Vec<ImageOffset>)> {
        let mut sampled: Vec<Vec<ImageOffset>> = vec![Vec::new(); self.images.len()];
        for (key, _) in self.closed_windows.iter().chain(self.open_window.iter()) {
            sampled[key.image.0 as usize].push(key.offset);
        }
        let mut images = Vec::new();
        for (index, mut offsets) in sampled.into_iter().enumerate() {
            if !offsets.is_empty() {
                offsets.sort_unstable();
                offsets.dedup();
                images.push((ImageId(index as u32), offsets));
            }
        }
        images
    }

    /// Names those offsets of an image of the kernel that are code which the kernel made ([`Record::KsymbolRegistered`]).
    pub fn name_ksymbols(&self, names: &mut ImageNames) {
        self.ksymbols.name(names);
    }

    /// Whether the kernel told of code that starts at an address, at any time. Samples in it are in an image of their
    /// own, so that one which is not was taken in something else.
    pub fn had_ksymbol(&self, start: VirtualAddress) -> bool {
        self.ksymbols.has_started(start)
    }

    /// The image that holds the kernel's samples, but for code that it made, until [`Profile::split_image`].
    pub fn kernel_image(&self) -> ImageId {
        self.kernel
    }

    /// The images, each at its index.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The processes, each at its index.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// The sum of all closed windows.
    pub fn counts(&self) -> &Counts {
        &self.closed_windows
    }

    /// How far the profile can be trusted so far.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The coverage, to be completed with what only the counters know.
    pub fn coverage_mut(&mut self) -> &mut Coverage {
        &mut self.coverage
    }

    /// Takes the profile apart: images, processes, counts, coverage.
    pub fn into_parts(mut self) -> (Vec<Image>, Vec<Process>, Counts, Coverage) {
        self.open_window.drain_into(&mut self.closed_windows);
        (self.images, self.processes, self.closed_windows, self.coverage)
    }
}

#[cfg(test)]
mod tests;
