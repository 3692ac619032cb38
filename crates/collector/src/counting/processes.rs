//! Counts of each process of a command: what each of its tasks tells at its end.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use oprof_events::EventConfig;
use oprof_profile::{CountedProcess, EventCount, Profile, Record, counted_processes};

use crate::clock::now;
use crate::descriptions::{Descriptions, Known};
use crate::launch::Launch;
use crate::parse::Parsed;
use crate::place::Place;
use crate::rings::Rings;
use crate::sampled_event::is_in_hardware;
use crate::time_order::TimeOrder;
use crate::waiter::Waiter;
use crate::{Error, proc_info};

/// How long to sleep at most, so that buffers are emptied long before they are full.
const ROUND: Duration = Duration::from_millis(20);
/// Looks at the buffers are at least this far apart: a storm of short processes would else wake us for each record, and
/// the later we come to a program that has just begun, the more likely it is gone with its arguments.
const GAP: Duration = Duration::from_micros(250);

/// Ring buffers for each CPU, in bytes. Together the two stay below the 516 KB that the kernel grants every user by
/// default (kernel.perf_event_mlock_kb).
const TASKS: usize = 128 << 10;
const TOTALS: usize = 256 << 10;
/// For those whom no limit holds.
const TASKS_WITH_STACKS: usize = 1 << 20;

/// Follows the processes of a command.
#[derive(Debug)]
pub(super) struct Processes {
    rings: Rings,
    order: TimeOrder,
    profile: Profile,
    descriptions: Descriptions,
    command: u32,
    /// For each event, on how many CPUs it has a counter and whether that is one of the hardware's.
    counters: Vec<(u64, bool)>,
    last_round: Instant,
}

/// Opens the counters that a command's processes are to inherit from `task`, which forks the first of them: so that
/// every one of these reports what it counted, the first one, too.
pub(super) fn totals(task: u32, events: &[EventConfig], cpus: &[u32]) -> Result<Rings, Error> {
    if let Some(event) = events.iter().find(|event| event.count_only && event.cpus.is_some()) {
        return Err(Error::CountsCpus { event: event.spec.clone() });
    }
    Rings::open_totals(task, events, cpus, TOTALS)
}

impl Processes {
    /// Opens what tells of the processes of a command that waits; `rings` has the counters from which its own come.
    pub(super) fn open(
        mut rings: Rings,
        launch: &Launch,
        command: &[OsString],
        events: &[EventConfig],
        cpus: &[u32],
    ) -> Result<Processes, Error> {
        let place = launch.place();
        let place = Place { told: place.tasks, ..place };
        rings.open_task_records(place, cpus, TASKS, TASKS_WITH_STACKS)?;
        let mut profile = Profile::of_all_processes(events.len());
        if rings.tell_each_task() {
            profile.expect_totals(&rings.task_totals());
        }
        let pid = launch.waiting.pid();
        let known = Known {
            pid,
            arguments: command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
            working_directory: proc_info::working_directory(pid),
        };
        let places = |event: &EventConfig| {
            let is_counted = |cpu: &&u32| event.cpus.as_ref().is_none_or(|cpus| cpus.contains(cpu));
            cpus.iter().filter(is_counted).count() as u64
        };
        Ok(Processes {
            rings,
            order: TimeOrder::default(),
            profile,
            descriptions: Descriptions::new(Some(known)),
            command: pid,
            counters: events.iter().map(|event| (places(event), is_in_hardware(event))).collect(),
            last_round: Instant::now(),
        })
    }

    /// What a user should know of the kernel here.
    pub(super) fn note(&self) -> Option<String> {
        (!self.rings.tell_each_task()).then(|| {
            "this kernel does not tell what each process counted: that takes Linux 6.13, and 6.19 or its repair in \
             an older one for all of them"
                .to_owned()
        })
    }

    pub(super) fn wait_with(&self, waiter: &Waiter) -> io::Result<()> {
        self.rings.fds().try_for_each(|fd| waiter.add_records(fd))?;
        if self.rings.tell_each_task() {
            self.rings.total_fds().try_for_each(|fd| waiter.add_records(fd))?;
        }
        Ok(())
    }

    /// Starts to tell of processes; their counts start with the command's program.
    pub(super) fn enable(&self) -> Result<(), Error> {
        self.rings.enable_task_records()
    }

    pub(super) fn disable(&self) {
        self.rings.disable();
    }

    pub(super) fn longest_sleep(&self) -> Duration {
        if self.descriptions.is_waiting() { GAP } else { ROUND }
    }

    /// One look at all buffers.
    pub(super) fn round(&mut self) {
        std::thread::sleep(GAP.saturating_sub(self.last_round.elapsed()));
        self.last_round = Instant::now();
        self.drain();
    }

    fn drain(&mut self) {
        let began = now();
        let (order, descriptions) = (&mut self.order, &mut self.descriptions);
        self.rings.drain(|parsed| {
            if let Parsed::Task(record) = parsed {
                match record.record {
                    Record::Executed { pid, .. } => descriptions.executed(pid, record.time),
                    // Which files they map is of no interest.
                    Record::Mapped { .. } => return,
                    _ => {}
                }
                order.push_record(record);
            }
        });
        descriptions.read(|record| order.push_record(record));
        self.profile.apply(self.order.end_round(began));
    }

    /// What all of them have counted together.
    pub(super) fn read(&self) -> Vec<EventCount> {
        let readings = self.rings.task_readings(self.counters.len());
        let counts = readings.iter().zip(&self.counters).map(|(reading, &(counters, in_hardware))| {
            // Of a task the counter of each CPU is enabled while it runs on another.
            let time_enabled = reading.time_enabled / counters.max(1);
            // What the software counts never has to wait for a counter; of the rest rounding and the moments of reading
            // leave less than a thousandth.
            let is_complete = !in_hardware || reading.time_running >= time_enabled - time_enabled / 1_000;
            let time_running = if is_complete { time_enabled } else { reading.time_running };
            EventCount { value: reading.value, time_enabled, time_running }
        });
        counts.collect()
    }

    /// The counts together, those of each process, and how many records were lost on the way.
    pub(super) fn finish(mut self) -> (Vec<EventCount>, Vec<CountedProcess>, u64) {
        self.drain();
        self.profile.apply(self.order.finish());
        let coverage = self.profile.coverage_mut();
        coverage.lost_records = coverage.lost_records.saturating_add(self.rings.lost_untold());
        if self.rings.tell_each_task() {
            self.profile.complete_totals(self.command, &self.rings.task_totals());
        }
        let counts = self.read();
        let (_, entries, _, coverage) = self.profile.into_parts();
        (counts, counted_processes(entries), coverage.lost_records)
    }
}
