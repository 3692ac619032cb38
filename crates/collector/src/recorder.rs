//! The recorder: prepares a command or looks at what runs already, and folds what the kernel reports until the end.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use oprof_events::EventConfig;
use oprof_profile::{
    Batch, CommandEnd, Event, ImageKind, Profile, Record, Scope, Target, TaskRecord, TaskTotal, Timestamp,
};
use rustix::process::Rlimit;

use crate::attribute::{self, SamplingChoice};
use crate::buffer_sizes::BufferSizes;
use crate::cgroup::Cgroup;
use crate::command::{Running, Waiting};
use crate::control::{Controller, Order, Orders, control};
use crate::descriptions::{Descriptions, Known};
use crate::held_images::{BuildIdReader, HeldImages};
use crate::jit_files::JitFiles;
use crate::launch::Launch;
use crate::parse::Parsed;
use crate::place::Place;
use crate::rings::Rings;
use crate::running_processes::RunningProcesses;
use crate::sampled_event::{SampledEvent, is_in_hardware};
use crate::scope::ScopeChoice;
use crate::signals::{self, Signals, Wish};
use crate::time_order::{self, TimeOrder};
use crate::waiter::Waiter;
use crate::{Error, bpf, cpus, idle_time, open_files, proc_info, user_code};

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

/// While what runs already is read the buffers are emptied each time that so many records have come of it.
const DRAINED_AMONG: usize = 1_000;

/// The smallest huge page of x86-64, and of arm64 and riscv64 with pages of 4 KB; in bytes.
const HUGE_PAGE: u64 = 2 << 20;

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct RecordingPlan {
    /// Whose events.
    pub target: Target,
    /// The command and its arguments: recording ends with it. Empty for none, where the target is something else.
    pub command: Vec<OsString>,
    /// The events.
    pub events: Vec<EventConfig>,
    /// How often to sample those whose own text does not say.
    pub sampling: SamplingChoice,
    /// How to follow the command, where that is the target.
    pub scope: ScopeChoice,
    /// After this time recording ends: the command is told to.
    pub duration: Option<Duration>,
    /// Ring buffer for samples, in bytes per CPU, rounded up to a power of two; `None`: as suits the privilege.
    pub buffer: Option<usize>,
    /// Reads build ids, to tell whether a file is the one that was mapped.
    pub build_id_of: BuildIdReader,
}

/// Everything is open that will record; a command waits to be executed.
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
    build_id_of: BuildIdReader,
    /// Whose events; how long.
    target: Target,
    longest: Option<Duration>,
    controller: Controller,
    orders: Orders,
    started: Timestamp,
    /// How long the CPUs had been idle by then, in nanoseconds; where that is of interest.
    idle_before: Option<u64>,
    /// Of each event, whether hardware counts it.
    in_hardware: Vec<bool>,
    /// Of each event, whether it counts time.
    is_clock: Vec<bool>,
    cpus: Vec<u32>,
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
    /// Why.
    pub reason: Reason,
}

/// Why a recording shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It does so about once a second.
    Routine,
    /// Somebody asked for it: [`Order::Dump`].
    Dump,
    /// It has ended, and nothing more is to come.
    Last,
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
    /// Opens everything, and forks a process for the command, which does not run yet.
    ///
    /// # Errors
    /// Where an event cannot be opened, in the chosen scope or at all, or where no process can be made.
    pub fn prepare(plan: &RecordingPlan) -> Result<Recorder, Error> {
        let mut events = Vec::with_capacity(plan.events.len());
        for config in &plan.events {
            let sampling = attribute::sampling(config, plan.sampling)?;
            let exclude_idle = plan.target.is_of_cpus() && config.nanoseconds;
            let mut config = config.clone();
            config.name = user_code::name_as_asked(&config);
            events.push(SampledEvent { config, sampling, exclude_idle });
        }
        signals::outlive_file_size_limit();
        // Once, before anything is tried: every try raises the limit, and the command is to get what it was.
        let open_files = open_files::limit();
        let mut refused = None;
        let scopes = match plan.target {
            Target::Command => plan.scope.candidates(),
            _ => vec![Scope::System],
        };
        for scope in scopes {
            match Recorder::prepare_in(scope, plan, events.clone(), open_files) {
                Err(error) if error.is_permission() => refused = Some(error),
                prepared => return prepared,
            }
        }
        Err(refused.expect("there is at least one scope to try"))
    }

    /// Prepares everything in one scope; `open_files` is the limit that the command gets.
    fn prepare_in(
        scope: Scope,
        plan: &RecordingPlan,
        mut events: Vec<SampledEvent>,
        open_files: Rlimit,
    ) -> Result<Recorder, Error> {
        let signals = Signals::catch().map_err(Error::system("catch signals"))?;
        let launch = match plan.command.is_empty() {
            true => None,
            false => Some(Launch::prepare(scope, &plan.command, open_files)?),
        };
        let descriptors = open_files::raise();
        let cpus = cpus_of(&plan.target)?;
        let place = match (&launch, &plan.target) {
            (Some(launch), Target::Command) => launch.place(),
            (None, Target::Command) => {
                let there_is_none = io::Error::new(io::ErrorKind::InvalidInput, "there is none");
                return Err(Error::system("record a command")(there_is_none));
            }
            _ => Place { scope, cgroup: None, pid: 0, totals: false },
        };
        let mut notes = Vec::new();
        let sizes = buffer_sizes(plan.buffer, scope);
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
        let (waiting, cgroup) = launch.map(|launch| (launch.waiting, launch.cgroup)).unzip();
        let started = now();
        let mut profile = match (scope, &plan.target, &waiting) {
            (Scope::System, Target::Command, Some(waiting)) => {
                Profile::of_descendants(events.len(), waiting.pid(), started)
            }
            _ => Profile::of_all_processes(events.len()),
        };
        if rings.tell_each_task() {
            profile.expect_totals(&rings.task_totals());
        }
        let command = waiting.as_ref().map(|waiting| Known {
            pid: waiting.pid(),
            arguments: plan.command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
            working_directory: proc_info::working_directory(waiting.pid()),
        });
        let (controller, orders) = control().map_err(Error::system("make an eventfd"))?;
        Ok(Recorder {
            scope,
            events: events.iter().map(described).collect(),
            notes,
            order: with_loaded_programs(&rings),
            rings,
            waiting,
            running: None,
            signals,
            profile,
            images: HeldImages::new(descriptors.saturating_sub(used), plan.build_id_of),
            build_id_of: plan.build_id_of,
            target: plan.target.clone(),
            longest: plan.duration,
            controller,
            orders,
            idle_before: None,
            jit_files: JitFiles::default(),
            command: command.as_ref().map_or(0, |command| command.pid),
            descriptions: Descriptions::new(command),
            started,
            is_clock: events.iter().map(|event| event.config.nanoseconds).collect(),
            in_hardware: events.iter().map(|event| is_in_hardware(&event.config)).collect(),
            cpus,
            last_flush: Instant::now(),
            last_mapping: None,
            _cgroup: cgroup.flatten(),
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

    /// What tells it what to do while it records.
    pub fn controller(&self) -> Controller {
        self.controller.clone()
    }

    /// When counting started.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Takes in what runs already, starts to count and lets the command run; returns once it was executed.
    ///
    /// # Errors
    /// Where the command cannot be executed.
    pub fn start(&mut self) -> Result<(), Error> {
        if self.target != Target::Command {
            self.rings.enable_task_records()?;
            self.take_in_running_processes();
        }
        self.idle_before = if self.target.is_of_cpus() { idle_time::of_cpus(&self.cpus) } else { None };
        self.started = now();
        self.rings.enable()?;
        self.running = self.waiting.take().map(Waiting::go).transpose()?;
        Ok(())
    }

    fn take_in_running_processes(&mut self) {
        let by_build_id = self.rings.tells_build_ids();
        let mut running = RunningProcesses::new(self.build_id_of, by_build_id);
        let mut since_drained = 0;
        running.read_all(|records| {
            since_drained += records.len();
            let Recorder { order, images, descriptions, jit_files, .. } = self;
            for record in records {
                take_task_record(record, order, images, descriptions, jit_files);
            }
            if since_drained >= DRAINED_AMONG {
                since_drained = 0;
                self.drain();
            }
        });
    }

    /// Records until the command has ended, or until a second signal; without a command until the first one, or until the
    /// controller says so. `flush` gets what was folded about once a second.
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
        let began = Instant::now();
        let mut is_over = false;
        let end = loop {
            let round = Instant::now();
            let longest = if self.descriptions.is_waiting() { GAP_AMONG_PROGRAMS } else { ROUND };
            let left = self.longest.filter(|_| !is_over).map(|whole| whole.saturating_sub(began.elapsed()));
            waiter.wait(left.map_or(longest, |left| left.min(longest))).map_err(&failed)?;
            let time_is_up = left.is_some() && self.longest.is_some_and(|whole| began.elapsed() >= whole);
            is_over |= time_is_up;
            match self.signals.take() {
                Wish::None if !time_is_up => {}
                _ if self.running.is_none() => break CommandEnd::NoCommand,
                Wish::LetCommandEnd => {}
                Wish::None | Wish::EndCommand => self.running.iter().for_each(Running::terminate),
                Wish::Stop => break CommandEnd::StillRunning,
            }
            if let Some(end) = self.obey(&mut since, &mut flush)? {
                break end;
            }
            if let Some(end) = self.running.as_mut().and_then(Running::end) {
                break end;
            }
            self.round();
            if self.last_flush.elapsed() >= FLUSH {
                self.show(Reason::Routine, &mut since, &mut flush);
            }
            std::thread::sleep(self.gap().saturating_sub(round.elapsed()));
        };
        let mut collected = self.finish(end);
        let (profile, jit_files) = (&mut collected.profile, &mut collected.jit_files);
        flush(Progress { profile, jit_files, since, now: now(), reason: Reason::Last });
        Ok(collected)
    }

    /// Hands out what was folded.
    fn show(&mut self, reason: Reason, since: &mut Timestamp, flush: &mut impl FnMut(Progress<'_>)) {
        let now = now();
        let (profile, jit_files) = (&mut self.profile, &mut self.jit_files);
        flush(Progress { profile, jit_files, since: *since, now, reason });
        *since = now;
        self.last_flush = Instant::now();
    }

    /// Carries out the orders since the last time; gives an end where one of them is to end.
    fn obey(
        &mut self,
        since: &mut Timestamp,
        flush: &mut impl FnMut(Progress<'_>),
    ) -> Result<Option<CommandEnd>, Error> {
        for (order, done) in self.orders.take() {
            match order {
                Order::Enable => self.rings.switch_samples(true)?,
                Order::Disable => self.rings.switch_samples(false)?,
                Order::Dump => {
                    // What was sampled until now is held back until nothing earlier can come.
                    self.round();
                    std::thread::sleep(time_order::SLACK);
                    self.round();
                    self.round();
                    self.show(Reason::Dump, since, flush);
                }
                Order::Stop => {
                    let _ = done.send(());
                    return Ok(Some(match self.running {
                        Some(_) => CommandEnd::StillRunning,
                        None => CommandEnd::NoCommand,
                    }));
                }
            }
            // Who does not wait for it need not be told.
            let _ = done.send(());
        }
        Ok(None)
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
        let Recorder { rings, order, images, descriptions, jit_files, .. } = self;
        let mut mapped = false;
        rings.drain(|parsed| match parsed {
            Parsed::Sample(sample) => order.push_sample(sample),
            Parsed::Task(record) => {
                mapped |= take_task_record(record, order, images, descriptions, jit_files)
            }
            Parsed::Nothing => {}
        });
        if mapped {
            self.last_mapping = Some(Instant::now());
        }
        self.descriptions.read(|record| self.order.push_record(record));
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
        // What outlives the recording of a system is no surprise.
        coverage.left_running = if self.target == Target::Command { left_running as u64 } else { 0 };
        let idle = self.idle_before.zip(idle_time::of_cpus(&self.cpus));
        coverage.idle_time = idle.map_or(0, |(before, after)| after.saturating_sub(before));
        for (index, (event, reading)) in coverage.events.iter_mut().zip(readings).enumerate() {
            event.counted = Some(match self.is_clock[index] && self.target.is_of_cpus() {
                // A clock goes on while a CPU is idle, of which no samples are taken.
                true => reading.value.saturating_sub(coverage.idle_time),
                false => reading.value,
            });
            // What the software counts never has to share a counter; and in a task the counter of each CPU is enabled
            // while the task runs on another.
            if self.in_hardware[index] && self.scope != Scope::Inherit {
                event.time_enabled = reading.time_enabled;
                event.time_running = reading.time_running;
            } else if self.in_hardware[index] {
                event.time_enabled = reading.time_enabled / self.cpus.len().max(1) as u64;
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
        waiter.add(self.orders.fd())?;
        Ok(waiter)
    }
}

/// Sees to the files that a record names, and puts it in order; true for a mapping.
fn take_task_record(
    mut record: TaskRecord,
    order: &mut TimeOrder,
    images: &mut HeldImages,
    descriptions: &mut Descriptions,
    jit_files: &mut JitFiles,
) -> bool {
    if let Some(remapped) = remapped(&record.record) {
        record.record = remapped;
    }
    match &record.record {
        Record::Mapped { pid, start, length, identity, name, .. } => {
            let open = || images.open_file(name, *identity, *pid, *start, *length);
            if !jit_files.see(name, *pid, record.time, open) {
                images.see(name, *identity, *pid, *start, *length);
            }
        }
        Record::Executed { pid, .. } => {
            jit_files.executed(*pid);
            descriptions.executed(*pid, record.time);
        }
        Record::Forked { pid, .. } | Record::Found { pid, .. } => jit_files.executed(*pid),
        _ => {}
    }
    let is_mapping = matches!(record.record, Record::Mapped { .. });
    order.push_record(record);
    is_mapping
}

/// The CPUs on which to open the events.
fn cpus_of(target: &Target) -> Result<Vec<u32>, Error> {
    let online = cpus::online().map_err(Error::system("list the CPUs"))?;
    let Target::Cpus(Some(wanted)) = target else { return Ok(online) };
    match wanted.iter().find(|cpu| !online.contains(cpu)) {
        Some(cpu) => Err(Error::NoSuchCpu { cpu: *cpu, online: cpus::list(&online) }),
        None => Ok(wanted.clone()),
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
