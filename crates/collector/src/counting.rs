//! Counts events, without samples: of a command and all that it starts, of processes, threads, CPUs.
//!
//! A task's counter is inherited by what the task starts and adds up what these count, exactly and without privilege;
//! so the command is followed by inheritance unless asked for otherwise. The counters start with the command's program,
//! not with the steps that lead to it.

pub(crate) mod attached;
pub(crate) mod counters;
mod intervals;
mod processes;
mod reading;

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use oprof_events::EventConfig;
use oprof_profile::{CommandEnd, CountedEvent, CountedInterval, CountedProcess, CountedRun, Scope, Target};
use rustix::process::Rlimit;

use crate::attribute::Start;
use crate::cgroup::{Cgroup, ExistingCgroup};
use crate::command::{Running, Waiting};
use crate::counter::Attachment;
use crate::launch::{Launch, Prelaunch};
use crate::recorder::go_first;
use crate::running_tasks::Named;
use crate::signals::{Signals, Wish};
use crate::waiter::Waiter;
use crate::{Error, cpu_time, cpus, open_files, probe_privilege, user_code, weak_groups};
use counters::Counters;
use intervals::Intervals;
use processes::Processes;
use reading::Reading;

/// How often to look whether attached tasks still run.
const LOOK: Duration = Duration::from_millis(20);
/// How long to sleep where nothing but what wakes us is to be done.
const LONG: Duration = Duration::from_secs(60);

/// What is to be counted.
#[derive(Clone, Debug)]
pub struct CountingPlan {
    /// The events.
    pub events: Vec<EventConfig>,
    /// Whose.
    pub target: Target,
    /// How to follow the command, where that is the target.
    pub scope: Scope,
    /// The command and its arguments: counting ends with it. Empty for none, where the target is something else.
    pub command: Vec<OsString>,
    /// Each process of the command is counted by itself, too.
    pub each_process: bool,
    /// What each CPU or thread counts is told apart, too.
    pub each_place: bool,
    /// How long the stretches of time are that are told one by one.
    pub interval: Option<Duration>,
    /// After so many of these counting ends, whatever still runs.
    pub most_intervals: Option<u64>,
}

/// Counts once or several times; from the first to the last a signal ends it in good order.
#[derive(Debug)]
pub struct CountingSession {
    plan: CountingPlan,
    signals: Signals,
    open_files: Rlimit,
    interrupted: bool,
}

/// What counts.
#[derive(Debug)]
enum Source {
    Sums(Counters),
    EachProcess(Box<Processes>),
}

/// Counters that are open, and the command that waits.
#[derive(Debug)]
pub struct PreparedCount<'s> {
    source: Source,
    attached: Option<Named>,
    waiting: Option<Waiting>,
    events: Vec<CountedEvent>,
    notes: Vec<String>,
    interval: Option<Duration>,
    most_intervals: Option<u64>,
    each_place: bool,
    signals: &'s mut Signals,
    interrupted: &'s mut bool,
    /// Last, so that it is removed after all counters bound to it are closed.
    _cgroup: Option<Cgroup>,
}

impl CountingSession {
    /// Begins a session.
    ///
    /// # Errors
    /// Where signals cannot be caught.
    pub fn new(plan: CountingPlan) -> Result<CountingSession, Error> {
        let signals = Signals::catch().map_err(Error::system("catch signals"))?;
        crate::signals::outlive_file_size_limit();
        let open_files = open_files::limit();
        open_files::raise();
        Ok(CountingSession { plan, signals, open_files, interrupted: false })
    }

    /// A signal has asked for the end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Opens everything; the command does not run yet.
    ///
    /// # Errors
    /// Where an event cannot be opened for this target, or where no process can be made.
    pub fn prepare(&mut self) -> Result<PreparedCount<'_>, Error> {
        let mut events = self.plan.events.clone();
        probe_privilege::check(&events)?;
        if probe_privilege::first(&events).is_some() {
            let instead = match self.plan.target {
                Target::Command if self.plan.each_process => {
                    Some("count them without --per-process, or record them")
                }
                Target::Processes(_) => {
                    Some("record them (record -p), or count its threads (-t) or all (-a)")
                }
                _ => None,
            };
            instead.map_or(Ok(()), |instead| probe_privilege::refuse_inherited(&events, instead))?;
            if self.plan.scope == Scope::Inherit {
                self.plan.scope = Scope::Cgroup;
            }
        }
        let plan = &self.plan;
        let mut notes = Vec::new();
        let mut open =
            |events: &mut [EventConfig]| open_breaking_up(plan, events, self.open_files, &mut notes);
        let Opened { source, attached, launch } = match open(&mut events) {
            Err(error)
                if error.is_permission()
                    && !matches!(plan.target, Target::Cpus(_) | Target::Cgroup(_))
                    && user_code::leave_out_kernel(&mut events) =>
            {
                let opened = open(&mut events)?;
                notes.push(user_code::note("counted"));
                opened
            }
            opened => opened?,
        };
        if let Source::EachProcess(processes) = &source {
            notes.extend(processes.note());
        }
        let (waiting, cgroup) = launch.map(|launch| (launch.waiting, launch.cgroup)).unzip();
        Ok(PreparedCount {
            source,
            attached,
            waiting,
            events: events.iter().map(described).collect(),
            notes,
            interval: plan.interval,
            most_intervals: plan.most_intervals,
            each_place: plan.each_place,
            signals: &mut self.signals,
            interrupted: &mut self.interrupted,
            _cgroup: cgroup.flatten(),
        })
    }
}

fn described(event: &EventConfig) -> CountedEvent {
    CountedEvent {
        name: user_code::name_as_asked(event),
        group: event.group.map(|group| group.number),
        user: event.user,
        kernel: event.kernel,
        nanoseconds: event.nanoseconds,
        scale: event.scale,
        unit: event.unit.clone(),
    }
}

/// What is open, and the command that waits.
struct Opened {
    source: Source,
    attached: Option<Named>,
    launch: Option<Launch>,
}

/// Opens everything; groups that may be broken up are where they have to be.
fn open_breaking_up(
    plan: &CountingPlan,
    events: &mut [EventConfig],
    open_files: Rlimit,
    notes: &mut Vec<String>,
) -> Result<Opened, Error> {
    loop {
        let error = match open(plan, events, open_files) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        notes.push(weak_groups::break_up(&mut *events, &error).ok_or(error)?);
    }
}

fn open(plan: &CountingPlan, events: &[EventConfig], open_files: Rlimit) -> Result<Opened, Error> {
    if plan.target == Target::Command && plan.each_process {
        let before = Prelaunch::new(plan.scope, &plan.command, None, open_files)?;
        let cpus = cpus::chosen(&plan.target)?;
        let totals = processes::totals(before.task(), events, &cpus)?;
        let launch = before.fork()?;
        let processes = Processes::open(totals, &launch, &plan.command, events, &cpus)?;
        let source = Source::EachProcess(Box::new(processes));
        return Ok(Opened { source, attached: None, launch: Some(launch) });
    }
    let scope = match plan.target {
        Target::Command => plan.scope,
        _ => Scope::Inherit,
    };
    let launch = match plan.command.is_empty() {
        true => None,
        false => Some(Launch::prepare(scope, &plan.command, None, open_files)?),
    };
    let mut attached = None;
    let counters = match (&plan.target, &launch) {
        (Target::Command, Some(launch)) if plan.scope == Scope::Inherit => {
            let places = [Attachment::Task(launch.waiting.pid(), None)];
            Counters::open(events, &places, true, Start::Executed)?
        }
        (Target::Command, Some(launch)) => {
            let (place, cpus) = (launch.place(), cpus::chosen(&plan.target)?);
            let places: Vec<_> = cpus.iter().flat_map(|cpu| place.on(*cpu)).collect();
            of_cpus(events, &places, plan.scope)?
        }
        (Target::Command, None) => {
            let there_is_none = std::io::Error::new(std::io::ErrorKind::InvalidInput, "there is none");
            return Err(Error::system("count a command")(there_is_none));
        }
        (Target::Processes(pids), _) => {
            let (tasks, counters) = attached::processes(pids, events)?;
            attached = Some(tasks);
            counters
        }
        (Target::Threads(tids), _) => {
            let (tasks, counters) = attached::threads(tids, events)?;
            attached = Some(tasks);
            counters
        }
        (Target::Cgroup(path), _) => {
            let (group, cpus) = (ExistingCgroup::open(path)?, cpus::chosen(&plan.target)?);
            let places: Vec<_> = cpus.iter().map(|cpu| Attachment::Cgroup(group.directory(), *cpu)).collect();
            of_cpus(events, &places, Scope::Cgroup)?
        }
        (Target::Cpus(_), _) => {
            let places: Vec<_> = cpus::chosen(&plan.target)?.into_iter().map(Attachment::Cpu).collect();
            of_cpus(events, &places, Scope::System)?
        }
    };
    Ok(Opened { source: Source::Sums(counters), attached, launch })
}

/// Counters of what runs on CPUs.
fn of_cpus(events: &[EventConfig], places: &[Attachment<'_>], scope: Scope) -> Result<Counters, Error> {
    Counters::open(events, places, false, Start::Enabled).map_err(|error| match error {
        // What is refused here is the scope, not the event.
        Error::Open { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
            Error::refused_scope(scope, &source)
        }
        error => error,
    })
}

impl PreparedCount<'_> {
    /// The events as they were opened.
    pub fn events(&self) -> &[CountedEvent] {
        &self.events
    }

    /// What a user should know of how they were opened, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Lets the command run and counts to its end; without one until a signal comes, or until all that is counted has
    /// ended. `tell` gets each interval as it ends, where some were asked for, and says whether to go on: where it does
    /// not, counting ends, unless a command still runs.
    ///
    /// # Errors
    /// Where the command cannot be executed, or waiting fails.
    pub fn count(
        mut self,
        mut tell: impl FnMut(&CountedInterval) -> ControlFlow<()>,
    ) -> Result<CountedRun, Error> {
        let failed = Error::system("wait for the command");
        let waiter = Waiter::new().map_err(&failed)?;
        self.signals.fds().iter().try_for_each(|fd| waiter.add(fd)).map_err(&failed)?;
        if let Source::EachProcess(processes) = &self.source {
            processes.wait_with(&waiter).map_err(&failed)?;
            go_first();
        }
        self.source.enable()?;
        let start = Instant::now();
        let cpu_time = cpu_time::of_children();
        let mut running = self.waiting.take().map(Waiting::go).transpose()?;
        running.iter().try_for_each(|running| waiter.add(running.pidfd())).map_err(&failed)?;
        let mut intervals = self.interval.map(|length| Intervals::new(length, start));
        let mut told = 0;
        let end = loop {
            let longest = self.longest_sleep(intervals.as_ref(), running.is_none());
            waiter.wait(longest).map_err(&failed)?;
            let wish = self.signals.take();
            *self.interrupted |= wish != Wish::None;
            match wish {
                Wish::None => {}
                Wish::Stop => break running.as_ref().map(|_| CommandEnd::StillRunning),
                _ if running.is_none() => break None,
                Wish::LetCommandEnd => {}
                Wish::EndCommand => running.iter().for_each(Running::terminate),
            }
            if let Some(end) = running.as_mut().and_then(Running::end) {
                break Some(end);
            }
            if running.is_none() && self.attached.as_ref().is_some_and(|attached| !attached.is_running()) {
                break None;
            }
            if let Source::EachProcess(processes) = &mut self.source {
                processes.round();
            }
            if let Some(intervals) = &mut intervals
                && intervals.is_due()
            {
                told += 1;
                if self.most_intervals.is_some_and(|most| told >= most) {
                    break running.as_ref().map(|_| CommandEnd::StillRunning);
                }
                let answer = tell(&intervals.next(Instant::now(), self.source.read(self.each_place)));
                if answer.is_break() && running.is_none() {
                    break None;
                }
            }
        };
        let (wall_time, ended) = (start.elapsed(), Instant::now());
        self.source.disable();
        let (reading, processes, lost_records) = self.source.finish(self.each_place);
        if let Some(mut intervals) = intervals {
            let _ = tell(&intervals.next(ended, reading.clone()));
        }
        let Reading { counts, places } = reading;
        let has_ended = matches!(end, Some(CommandEnd::Exited(_) | CommandEnd::Signalled(_)));
        let cpu_time = has_ended.then(|| cpu_time::of_children().since(&cpu_time));
        let wall_time = nanoseconds(wall_time);
        Ok(CountedRun { counts, places, wall_time, cpu_time, end, processes, lost_records })
    }

    fn longest_sleep(&self, intervals: Option<&Intervals>, without_command: bool) -> Duration {
        let mut longest = match &self.source {
            Source::EachProcess(processes) => processes.longest_sleep(),
            Source::Sums(_) if without_command && self.attached.is_some() => LOOK,
            Source::Sums(_) => LONG,
        };
        if let Some(intervals) = intervals {
            longest = longest.min(intervals.left());
        }
        longest
    }
}

impl Source {
    fn enable(&self) -> Result<(), Error> {
        match self {
            Source::Sums(counters) => counters.enable(),
            Source::EachProcess(processes) => processes.enable(),
        }
    }

    fn disable(&self) {
        match self {
            Source::Sums(counters) => counters.disable(),
            Source::EachProcess(processes) => processes.disable(),
        }
    }

    fn read(&self, each_place: bool) -> Reading {
        let (counts, places) = match self {
            Source::Sums(counters) if each_place => (counters.read(), counters.read_places()),
            Source::Sums(counters) => (counters.read(), Vec::new()),
            Source::EachProcess(processes) => (processes.read(), Vec::new()),
        };
        Reading { counts, places }
    }

    fn finish(self, each_place: bool) -> (Reading, Vec<CountedProcess>, u64) {
        match self {
            Source::Sums(_) => (self.read(each_place), Vec::new(), 0),
            Source::EachProcess(processes) => {
                let (counts, processes, lost_records) = processes.finish();
                (Reading { counts, places: Vec::new() }, processes, lost_records)
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
