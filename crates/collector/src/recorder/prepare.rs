//! Opening everything before the first sample.

use std::io;
use std::time::Instant;

use oprof_events::EventConfig;
use oprof_profile::{Event, Profile, RAISE_OPEN_FILES, Record, Sampling, Scope, Target, TaskRecord};
use rustix::process::Rlimit;

use super::fork_storm::ForkStorm;
use super::sampled_time::SampledTime;
use super::{Recorder, RecordingPlan};
use crate::attribute;
use crate::buffer_sizes::BufferSizes;
use crate::cgroup::ExistingCgroup;
use crate::clock::{self, now};
use crate::control::control;
use crate::counting::attached;
use crate::counting::counters::Counters;
use crate::descriptions::{Descriptions, Known};
use crate::held_images::HeldImages;
use crate::jit_files::JitFiles;
use crate::launch::Launch;
use crate::place::Place;
use crate::rings::{Limit, Rings, allow_totals};
use crate::running_tasks::{Named, attach, attach_beside, refused};
use crate::sampled_event::{SampledEvent, is_in_hardware};
use crate::settings::RAISE_LOCKED_MEMORY;
use crate::signals::{self, Signals};
use crate::time_order::TimeOrder;
use crate::{Error, bpf, cpus, open_files, precision, probe_privilege, proc_info, user_code, weak_groups};

impl Recorder {
    /// Opens everything, and forks a process for the command, which does not run yet.
    ///
    /// # Errors
    /// Where an event cannot be opened, in the chosen scope or at all, or where no process can be made.
    pub fn prepare(plan: &RecordingPlan) -> Result<Recorder, Error> {
        let mut events: Vec<SampledEvent> = Vec::with_capacity(plan.events.len());
        for config in &plan.events {
            let sampling = match events.iter().any(|event| event.is_sampled_for(config)) {
                true => Sampling::WithLeader,
                false => attribute::sampling(config, plan.sampling)?,
            };
            let exclude_idle = plan.target.is_of_cpus() && config.nanoseconds;
            let mut config = config.clone();
            config.name = user_code::name_as_asked(&config);
            events.push(SampledEvent { config, sampling, exclude_idle });
        }
        probe_privilege::check(&plan.events)?;
        clock::choose(plan.clock, &plan.events)?;
        let mut notes = precision::settle(&mut events)?;
        signals::outlive_file_size_limit();
        // Once, before anything is tried: every try raises the limit, and the command is to get what it was.
        let open_files = open_files::limit();
        let mut refused = None;
        for scope in scopes(plan)? {
            match Recorder::prepare_in(scope, plan, events.clone(), open_files) {
                Err(error) if error.is_permission() => refused = Some(error),
                Ok(mut recorder) => {
                    notes.append(&mut recorder.notes);
                    return Ok(Recorder { notes, ..recorder });
                }
                Err(error) => return Err(error),
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
        if scope == Scope::Inherit && !matches!(plan.target, Target::Threads(_)) {
            let instead = "as root record in the scope cgroup (a command) or system";
            probe_privilege::refuse_inherited(&plan.events, instead)?;
        }
        let signals = Signals::catch().map_err(Error::system("catch signals"))?;
        let launch = match plan.command.is_empty() {
            true => None,
            false => {
                // A command that is not the target itself needs no control group.
                let scope = if plan.target == Target::Command { scope } else { Scope::Inherit };
                Some(Launch::prepare(scope, &plan.command, plan.user.as_ref(), open_files)?)
            }
        };
        let descriptors = open_files::raise();
        let cpus = cpus::chosen(&plan.target)?;
        let named = match &plan.target {
            Target::Processes(pids) => Some(Named::find("process", pids)?),
            Target::Threads(tids) => Some(Named::find("thread", tids)?),
            _ => None,
        };
        let group = match &plan.target {
            Target::Cgroup(path) => Some(ExistingCgroup::open(path)?),
            _ => None,
        };
        let mut notes = Vec::new();
        let followed = Followed { scope, plan, launch: launch.as_ref(), group: group.as_ref(), cpus: &cpus };
        let rings = match followed.open(&mut events, &mut notes) {
            Err(error)
                if scope == Scope::Inherit
                    && error.is_permission()
                    && user_code::leave_out_kernel(events.iter_mut().map(|event| &mut event.config)) =>
            {
                let rings = followed.open(&mut events, &mut notes)?;
                notes.push(user_code::note("sampled"));
                rings
            }
            // One that has user code is refused for the kernel's alone, and would do without.
            Err(Error::Open { source, event }) if scope == Scope::Inherit => {
                let culprit = events.iter().find(|event| user_code::happens_in_kernel(&event.config));
                let culprit = culprit.filter(|_| source.kind() == io::ErrorKind::PermissionDenied);
                let event = culprit.map_or(event, |culprit| culprit.config.name.clone());
                return Err(Error::Open { source, event });
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
            notes.push(format!("{}; {RAISE_LOCKED_MEMORY}", sizes.shrunk_note()));
        }
        if let Some(limit) = rings.left_out {
            let limit = match limit {
                Limit::OpenFiles => format!("the limit of open files; {RAISE_OPEN_FILES} raises it"),
                Limit::LockedMemory => format!("the limit of locked memory; {RAISE_LOCKED_MEMORY}"),
            };
            notes.push(format!("processes have no exact totals because of {limit}"));
        }
        let totals = followed.totals(&events);
        let used = rings.descriptors() + totals.as_ref().map_or(0, Counters::descriptors);
        let (waiting, cgroup) = launch.map(|launch| (launch.waiting, launch.cgroup)).unzip();
        let started = now();
        let mut profile = match (scope, &plan.target, &waiting) {
            (Scope::System, Target::Command, Some(waiting)) => {
                Profile::of_descendants(events.len(), waiting.pid(), started)
            }
            (Scope::System, Target::Processes(_), _) => Profile::of_found_processes(events.len()),
            _ => Profile::of_all_processes(events.len()),
        };
        if plan.separates_threads {
            profile.separate_threads();
        }
        if plan.hides_kernel {
            profile.hide_kernel();
        }
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
            named,
            totals,
            group,
            signals,
            profile,
            images: HeldImages::new(descriptors.saturating_sub(used), plan.build_id_of),
            build_id_of: plan.build_id_of,
            target: plan.target.clone(),
            first_sample: plan.first_sample,
            switched: plan.is_switched(),
            longest: plan.duration,
            controller,
            orders,
            sampled_time: match plan.target.is_of_cpus() {
                true => SampledTime::with_idle_time(cpus.clone()),
                false => SampledTime::default(),
            },
            jit_files: JitFiles::default(),
            command: command.as_ref().map_or(0, |command| command.pid),
            descriptions: Descriptions::new(command),
            started,
            is_clock: events.iter().map(|event| event.config.nanoseconds).collect(),
            in_hardware: events.iter().map(|event| is_in_hardware(&event.config)).collect(),
            cpus,
            last_flush: Instant::now(),
            last_mapping: None,
            storm: ForkStorm::new(Instant::now()),
            _cgroup: cgroup.flatten(),
        })
    }
}

/// The scopes to try, best first.
fn scopes(plan: &RecordingPlan) -> Result<Vec<Scope>, Error> {
    Ok(match plan.target {
        Target::Command => plan.scope.candidates(),
        Target::Processes(_) => {
            let mut scopes = plan.scope.candidates();
            scopes.retain(|scope| *scope != Scope::Cgroup);
            if scopes.is_empty() {
                let why = "the processes run already; use system or inherit".to_owned();
                return Err(Error::Scope { scope: "cgroup", why });
            }
            scopes
        }
        Target::Threads(_) => vec![Scope::Inherit],
        Target::Cpus(_) => vec![Scope::System],
        Target::Cgroup(_) => vec![Scope::Cgroup],
    })
}

/// What is to be followed, and how.
struct Followed<'a> {
    scope: Scope,
    plan: &'a RecordingPlan,
    launch: Option<&'a Launch>,
    group: Option<&'a ExistingCgroup>,
    cpus: &'a [u32],
}

impl Followed<'_> {
    /// Opens the events and the buffers for them; groups that may be broken up are where they have to be.
    fn open(&self, events: &mut [SampledEvent], notes: &mut Vec<String>) -> Result<Rings, Error> {
        loop {
            let error = match self.open_as_they_are(events) {
                Ok(rings) => return Ok(rings),
                Err(error) => error,
            };
            let configs = events.iter_mut().map(|event| &mut event.config);
            notes.push(weak_groups::break_up(configs, &error).ok_or(error)?);
        }
    }

    fn open_as_they_are(&self, events: &[SampledEvent]) -> Result<Rings, Error> {
        let Followed { scope, plan, .. } = *self;
        let sizes = buffer_sizes(plan.buffer, scope);
        let open = |place: Place<'_>| Rings::open(place, events, self.cpus, sizes);
        match (&plan.target, self.launch, self.group) {
            (Target::Command, Some(launch), _) => {
                let place = launch.place();
                // What tells of tasks must go on while no samples are taken.
                let told = if plan.is_switched() { place.tasks } else { &[] };
                open(Place { told, ..place })
            }
            (Target::Command, None, _) => {
                let there_is_none = io::Error::new(io::ErrorKind::InvalidInput, "there is none");
                Err(Error::system("record a command")(there_is_none))
            }
            (Target::Processes(pids), ..) if scope == Scope::Inherit => {
                let attached = attach(pids, |threads| {
                    open(Place { scope, tasks: threads, told: threads, inherits: true, ..Place::CPUS })
                });
                attached.map_err(|error| refused("process", pids, error))
            }
            (Target::Threads(tids), ..) => {
                // What one thread maps is mapped for all of its process.
                let attached = attach_beside(tids, |threads| {
                    open(Place { scope, tasks: tids, told: threads, ..Place::CPUS })
                });
                attached.map_err(|error| refused("thread", tids, error))
            }
            (Target::Cgroup(_), _, Some(group)) => {
                open(Place { scope, cgroup: Some(group.directory()), ..Place::CPUS })
            }
            _ => open(Place::CPUS),
        }
    }

    /// Counters that tell what processes count which are sampled among others; none where there would be too many.
    fn totals(&self, events: &[SampledEvent]) -> Option<Counters> {
        let Target::Processes(pids) = &self.plan.target else { return None };
        if self.scope != Scope::System || !allow_totals(events) {
            return None;
        }
        let events: Vec<EventConfig> = events.iter().map(|event| event.config.clone()).collect();
        attached::processes(pids, &events).ok().map(|(_, counters)| counters)
    }
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
        group: event.config.group.map(|group| group.number),
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
