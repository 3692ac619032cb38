//! The recorder: prepares a command, lets it run, and folds what the kernel reports until it ends.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use oprof_events::EventConfig;
use oprof_profile::{
    Batch, CommandEnd, Event, ImageKind, Profile, Record, Scope, TaskRecord, TaskTotal, Timestamp,
};
use rustix::process::Rlimit;

use crate::attribute::{self, SamplingChoice};
use crate::buffer_sizes::BufferSizes;
use crate::cgroup::Cgroup;
use crate::command::{Running, Waiting};
use crate::descriptions::{Descriptions, Known};
use crate::held_images::{BuildIdReader, HeldImages};
use crate::jit_files::JitFiles;
use crate::launch::Launch;
use crate::parse::Parsed;
use crate::rings::Rings;
use crate::sampled_event::{SampledEvent, is_in_hardware};
use crate::scope::ScopeChoice;
use crate::signals::{self, Signals, Wish};
use crate::time_order::TimeOrder;
use crate::waiter::Waiter;
use crate::{Error, bpf, cpus, open_files, proc_info, user_code};

/// How often what was folded is handed to the recording file.
const FLUSH: Duration = Duration::from_millis(900);
/// How long the recorder sleeps at most, so that buffers are emptied long before they are full.
const ROUND: Duration = Duration::from_millis(200);
/// Rounds are at least this far apart, since a storm of short processes would else wake the recorder for each record.
const GAP: Duration = Duration::from_millis(1);
/// The same while programs are being executed. It is how late the recorder may come to one that has just begun: the
/// shorter, the more arguments of processes that last less than a millisecond are still there to be read.
const GAP_AMONG_PROGRAMS: Duration = Duration::from_micros(250);
/// For how long after one program others are to be expected.
const AMONG_PROGRAMS: Duration = Duration::from_millis(100);

/// The smallest huge page of x86-64, and of arm64 and riscv64 with pages of 4 KB; in bytes.
const HUGE_PAGE: u64 = 2 << 20;

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct Target {
    /// The command and its arguments; at least the command.
    pub command: Vec<OsString>,
    /// The events.
    pub events: Vec<EventConfig>,
    /// How often to sample those whose own text does not say.
    pub sampling: SamplingChoice,
    /// How to follow the command.
    pub scope: ScopeChoice,
    /// Ring buffer for samples, in bytes per CPU, rounded up to a power of two; `None`: as suits the privilege.
    pub buffer: Option<usize>,
    /// Reads build ids, to tell whether a file is the one that was mapped.
    pub build_id_of: BuildIdReader,
}

/// A command that waits to be executed, with everything open that will record it.
#[derive(Debug)]
pub struct Recorder {
    scope: Scope,
    events: Vec<Event>,
    notes: Vec<String>,
    rings: Rings,
    waiting: Option<Waiting>,
    running: Option<Running>,
    signals: Signals,
    order: TimeOrder,
    profile: Profile,
    images: HeldImages,
    jit_files: JitFiles,
    command: u32,
    descriptions: Descriptions,
    started: Timestamp,
    /// Of each event, whether hardware counts it.
    in_hardware: Vec<bool>,
    cpus: u64,
    last_flush: Instant,
    /// When something was last seen to be mapped.
    last_mapping: Option<Instant>,
    /// Last, so that it is removed after all counters bound to it are closed.
    _cgroup: Option<Cgroup>,
}

/// What a recording shows of itself while it goes on.
#[derive(Debug)]
pub struct Progress<'a> {
    /// Everything folded so far.
    pub profile: &'a mut Profile,
    /// Where JIT compilers tell the names of their code.
    pub jit_files: &'a mut JitFiles,
    /// When it was last handed out.
    pub since: Timestamp,
    /// Now.
    pub now: Timestamp,
    /// The command has ended, and nothing more is to come.
    pub is_last: bool,
}

/// What a recorder collected.
#[derive(Debug)]
pub struct Collected {
    /// The profile, its coverage complete.
    pub profile: Profile,
    /// The files of the images in it.
    pub images: HeldImages,
    /// Where JIT compilers told the names of their code.
    pub jit_files: JitFiles,
    /// How the command ended.
    pub end: CommandEnd,
    /// How long it recorded.
    pub duration: Duration,
}

impl Recorder {
    /// Forks a process for the command and opens everything for it; the command does not run yet.
    ///
    /// # Errors
    /// Where an event cannot be opened, in the chosen scope or at all, or where no process can be made.
    pub fn prepare(target: &Target) -> Result<Recorder, Error> {
        let mut events = Vec::with_capacity(target.events.len());
        for config in &target.events {
            let sampling = attribute::sampling(config, target.sampling)?;
            let mut config = config.clone();
            config.name = user_code::name_as_asked(&config);
            events.push(SampledEvent { config, sampling });
        }
        signals::outlive_file_size_limit();
        // Once, before anything is tried: every try raises the limit, and the command is to get what it was.
        let open_files = open_files::limit();
        let mut refused = None;
        for scope in target.scope.candidates() {
            match Recorder::prepare_in(scope, target, events.clone(), open_files) {
                Err(error) if error.is_permission() => refused = Some(error),
                prepared => return prepared,
            }
        }
        Err(refused.expect("there is at least one scope to try"))
    }

    /// Prepares everything in one scope; `open_files` is the limit that the command gets.
    fn prepare_in(
        scope: Scope,
        target: &Target,
        mut events: Vec<SampledEvent>,
        open_files: Rlimit,
    ) -> Result<Recorder, Error> {
        let signals = Signals::catch().map_err(Error::system("catch signals"))?;
        let launch = Launch::prepare(scope, &target.command, open_files)?;
        let descriptors = open_files::raise();
        let cpus = cpus::online().map_err(Error::system("list the CPUs"))?;
        let place = launch.place();
        let mut notes = Vec::new();
        let sizes = buffer_sizes(target.buffer, scope);
        let rings = match Rings::open(place, &events, &cpus, sizes) {
            Err(error)
                if scope == Scope::Inherit
                    && error.is_permission()
                    && user_code::leave_out_kernel(events.iter_mut().map(|event| &mut event.config)) =>
            {
                let rings = Rings::open(place, &events, &cpus, sizes)?;
                notes.push(user_code::note("sampled"));
                rings
            }
            // What is refused here is the scope, not the event.
            Err(Error::Open { source, .. })
                if scope != Scope::Inherit && source.kind() == io::ErrorKind::PermissionDenied =>
            {
                return Err(Error::refused_scope(scope, &source));
            }
            rings => rings?,
        };
        if let Some(sizes) = rings.shrunk_to {
            notes.push(format!(
                "ring buffers are only {} KB per CPU: kernel.perf_event_mlock_kb and ulimit -l allow no more",
                sizes.samples >> 10
            ));
        }
        let used = rings.fds().count() * 2 + events.len() * cpus.len() * 2 + cpus.len();
        let Launch { waiting, cgroup, .. } = launch;
        let started = now();
        let mut profile = match scope {
            Scope::System => Profile::of_descendants(events.len(), waiting.pid(), started),
            _ => Profile::of_all_processes(events.len()),
        };
        if rings.tell_each_task() {
            profile.expect_totals(&rings.task_totals());
        }
        let command = Known {
            pid: waiting.pid(),
            arguments: target.command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
            working_directory: proc_info::working_directory(waiting.pid()),
        };
        Ok(Recorder {
            scope,
            events: events.iter().map(described).collect(),
            notes,
            order: with_loaded_programs(&rings),
            rings,
            waiting: Some(waiting),
            running: None,
            signals,
            profile,
            images: HeldImages::new(descriptors.saturating_sub(used), target.build_id_of),
            jit_files: JitFiles::default(),
            command: command.pid,
            descriptions: Descriptions::new(command),
            started,
            in_hardware: events.iter().map(|event| is_in_hardware(&event.config)).collect(),
            cpus: cpus.len() as u64,
            last_flush: Instant::now(),
            last_mapping: None,
            _cgroup: cgroup,
        })
    }

    /// How the command is followed.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The events as they were opened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What a user should know of how they were opened, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// When counting started.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Starts to count and lets the command run; returns once it was executed.
    ///
    /// # Errors
    /// Where the command cannot be executed.
    pub fn start(&mut self) -> Result<(), Error> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        self.started = now();
        self.rings.enable()?;
        self.running = Some(waiting.go()?);
        Ok(())
    }

    /// Records until the command has ended, or until a second signal; `flush` gets what was folded about once a
    /// second.
    ///
    /// # Errors
    /// Where waiting for records fails.
    pub fn record(mut self, mut flush: impl FnMut(Progress<'_>)) -> Result<Collected, Error> {
        let failed = Error::system("wait for records");
        let waiter = self.waiter().map_err(&failed)?;
        go_first();
        let mut since = self.started;
        // To watch a buffer takes the notice of what is in it already.
        self.round();
        self.last_flush = Instant::now();
        let end = loop {
            let round = Instant::now();
            let longest = if self.descriptions.is_waiting() { GAP_AMONG_PROGRAMS } else { ROUND };
            waiter.wait(longest).map_err(&failed)?;
            match self.signals.take() {
                Wish::None | Wish::LetCommandEnd => {}
                Wish::EndCommand => self.running.iter().for_each(Running::terminate),
                Wish::Stop => break CommandEnd::StillRunning,
            }
            if let Some(end) = self.running.as_mut().and_then(Running::end) {
                break end;
            }
            self.round();
            if self.last_flush.elapsed() >= FLUSH {
                let now = now();
                let (profile, jit_files) = (&mut self.profile, &mut self.jit_files);
                flush(Progress { profile, jit_files, since, now, is_last: false });
                since = now;
                self.last_flush = Instant::now();
            }
            std::thread::sleep(self.gap().saturating_sub(round.elapsed()));
        };
        let mut collected = self.finish(end);
        let (profile, jit_files) = (&mut collected.profile, &mut collected.jit_files);
        flush(Progress { profile, jit_files, since, now: now(), is_last: true });
        Ok(collected)
    }

    /// How far apart rounds have to be for now.
    fn gap(&self) -> Duration {
        match self.last_mapping {
            Some(seen) if seen.elapsed() < AMONG_PROGRAMS => GAP_AMONG_PROGRAMS,
            _ => GAP,
        }
    }

    /// One look at all buffers.
    fn round(&mut self) {
        let began = now();
        self.drain();
        let batch = self.order.end_round(began);
        self.profile.apply(batch);
    }

    fn drain(&mut self) {
        let (order, images, descriptions) = (&mut self.order, &mut self.images, &mut self.descriptions);
        let jit_files = &mut self.jit_files;
        let mut mapped = false;
        self.rings.drain(|parsed| match parsed {
            Parsed::Sample(sample) => order.push_sample(sample),
            Parsed::Task(mut record) => {
                if let Some(remapped) = remapped(&record.record) {
                    record.record = remapped;
                }
                match &record.record {
                    Record::Mapped { pid, start, length, identity, name, .. } => {
                        mapped = true;
                        let open = || images.open_file(name, *identity, *pid, *start, *length);
                        if !jit_files.see(name, *pid, record.time, open) {
                            images.see(name, *identity, *pid, *start, *length);
                        }
                    }
                    Record::Executed { pid, .. } => {
                        jit_files.executed(*pid);
                        descriptions.executed(*pid, record.time);
                    }
                    Record::Forked { pid, .. } => jit_files.executed(*pid),
                    _ => {}
                }
                order.push_record(record);
            }
            Parsed::Nothing => {}
        });
        if mapped {
            self.last_mapping = Some(Instant::now());
        }
        descriptions.read(|record| order.push_record(record));
    }

    fn finish(mut self, end: CommandEnd) -> Collected {
        self.rings.disable();
        let duration = now().since(self.started);
        self.round();
        let last: &Batch = self.order.finish();
        self.profile.apply(last);
        let coverage = self.profile.coverage_mut();
        coverage.lost_records = coverage.lost_records.saturating_add(self.rings.lost_untold());
        let mut readings = self.rings.readings(self.events.len());
        let left_running = self.profile.processes().iter().filter(|process| process.ended.is_none()).count();
        let totals = self.rings.task_totals();
        if self.rings.tell_each_task() {
            self.profile.complete_totals(self.command, &totals);
        }
        let sums = (!totals.is_empty()).then(|| self.sums(&totals));
        let coverage = self.profile.coverage_mut();
        for (index, sum) in sums.into_iter().flatten().enumerate() {
            let (reading, event) = (&mut readings[index], &mut coverage.events[index]);
            if self.scope == Scope::System {
                // What the rest of the system did is nobody's question, and no measure either: a clock counts while a
                // CPU is idle, and its timer may rest meanwhile.
                (event.outside_samples, event.outside_weight) = (0, 0);
                reading.value = sum;
            } else {
                // While the kernel throttles a sampling counter it stands still; one that only counts goes on.
                reading.value = reading.value.max(sum);
            }
        }
        coverage.left_running = left_running as u64;
        for (index, (event, reading)) in coverage.events.iter_mut().zip(readings).enumerate() {
            event.counted = Some(reading.value);
            // What the software counts never has to share a counter; and in a task the counter of each CPU is enabled
            // while the task runs on another.
            if self.in_hardware[index] && self.scope != Scope::Inherit {
                event.time_enabled = reading.time_enabled;
                event.time_running = reading.time_running;
            } else if self.in_hardware[index] {
                event.time_enabled = reading.time_enabled / self.cpus.max(1);
                event.time_running = reading.time_running.min(event.time_enabled);
            }
        }
        Collected { profile: self.profile, images: self.images, jit_files: self.jit_files, end, duration }
    }

    /// For each event the sum of its totals.
    fn sums(&self, totals: &[TaskTotal]) -> Vec<u64> {
        let mut sums = vec![0_u64; self.events.len()];
        for total in totals {
            let sum = &mut sums[usize::from(total.event.0)];
            *sum = sum.saturating_add(total.value);
        }
        sums
    }

    /// Everything to wait for: records, the end of the command, signals.
    fn waiter(&self) -> io::Result<Waiter> {
        let waiter = Waiter::new()?;
        self.rings.fds().try_for_each(|fd| waiter.add_records(fd))?;
        self.signals.fds().iter().try_for_each(|fd| waiter.add(fd))?;
        self.running.iter().try_for_each(|running| waiter.add(running.pidfd()))?;
        Ok(waiter)
    }
}

/// Lets this thread run before others where that is permitted: on a busy machine a process can be over, and its file
/// deleted, before the recorder gets its turn. The command was forked before and is not affected.
pub(crate) fn go_first() {
    // On Linux the priority is the thread's own (setpriority(2), "C library/kernel differences").
    let _ = rustix::process::setpriority_process(None, -10);
}

/// What is in order before the command runs: the BPF programs that are loaded. From the moment when these are asked for
/// the kernel reports others.
fn with_loaded_programs(rings: &Rings) -> TimeOrder {
    let mut order = TimeOrder::default();
    if rings.watch_ksymbols() {
        let time = now();
        let records = bpf::loaded().into_iter().map(Record::KsymbolRegistered);
        records.for_each(|record| order.push_record(TaskRecord { time, record }));
    }
    order
}

/// The time on the recording's clock.
pub(crate) fn now() -> Timestamp {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Timestamp(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// What a mapping is that may be a program's code on huge pages, if it is that. As those are as large as they are, few
/// other mappings have to be looked at.
fn remapped(record: &Record) -> Option<Record> {
    let Record::Mapped { pid, start, length, name, .. } = record else { return None };
    let is_huge = *length > 0 && (start.0 | length) % HUGE_PAGE == 0;
    if !is_huge || ImageKind::of_mapping(name) != ImageKind::Anonymous {
        return None;
    }
    let file = proc_info::file_around(*pid, start.0, start.0.saturating_add(*length))?;
    Some(Record::Remapped { pid: *pid, start: *start, length: *length, file })
}

fn described(event: &SampledEvent) -> Event {
    Event {
        name: event.config.name.clone(),
        description: event.config.description.clone(),
        unit_mask: event.config.unit_mask,
        unit_mask_description: event.config.unit_mask_description.clone(),
        sampling: event.sampling,
        user: event.config.user,
        kernel: event.config.kernel,
        nanoseconds: event.config.nanoseconds,
    }
}

fn buffer_sizes(asked: Option<usize>, scope: Scope) -> BufferSizes {
    // 516 KB per CPU is what the kernel grants every user by default (kernel.perf_event_mlock_kb).
    let (samples, tasks, totals) = match scope {
        Scope::Inherit => (256 << 10, 128 << 10, 64 << 10),
        _ => (1 << 20, 256 << 10, 256 << 10),
    };
    let samples = asked.map_or(samples, |size| size.max(rustix::param::page_size()).next_power_of_two());
    BufferSizes { samples, tasks, totals }
}
