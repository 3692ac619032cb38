//! The counters and ring buffers of one recording, for all its CPUs.

mod open;

use std::os::fd::OwnedFd;

use oprof_profile::{EventId, Record, TaskRecord, TaskTotal};

use crate::Error;
use crate::buffer_sizes::BufferSizes;
use crate::counter::{Counter, Reading};
use crate::group_readings::GroupReadings;
use crate::parse::{Parsed, Source, parse};
use crate::ring_buffer::RingBuffer;

pub(crate) use open::{allow_totals, open_in_group};

/// A ring buffer, the counter that owns it, and what writes into it.
#[derive(Debug)]
struct Ring {
    buffer: RingBuffer,
    owner: Counter,
    /// The event that the owner samples; none where it samples none.
    event: Option<EventId>,
    source: Source,
}

/// The counters and ring buffers of one recording.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    rings: Vec<Ring>,
    /// The counters that share a ring buffer with another.
    sharing: Vec<(EventId, Counter)>,
    /// Those that tell of tasks and share a ring buffer with another that does.
    telling: Vec<Counter>,
    /// What samples the programs that begin, where that is permitted.
    program_starts: Vec<Counter>,
    task_totals: Vec<(EventId, u16, Counter)>,
    /// Those that tell of code which the kernel makes.
    ksymbols: Vec<Counter>,
    /// Records that the buffers, but for those of totals, told to be lost.
    told_lost: u64,
    /// What groups had counted of which only the leader is sampled.
    group_readings: GroupReadings,
    /// Tasks inherit the counters.
    inherited: bool,
    /// The kernel does not report what each task counted.
    only_sums: bool,
    /// The kernel reads build ids of what is mapped.
    build_ids: bool,
    /// Where those report to, apart from everything else: the kernel lets a task that ends write into the buffers of
    /// all CPUs, though each is made for the writes of one, so that two tasks that end at once can leave a buffer in
    /// a state in which nothing more arrives. Seen in 5 of 180 runs of 2,000 processes, when it was the task records'.
    total_rings: Vec<(RingBuffer, Source)>,
    /// The buffers had to be made this much smaller than asked for.
    pub(crate) shrunk_to: Option<BufferSizes>,
    /// The limit for which the exact totals of processes are left out.
    pub(crate) left_out: Option<Limit>,
}

/// A limit on what a process may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// RLIMIT_NOFILE.
    OpenFiles,
    /// RLIMIT_MEMLOCK and kernel.perf_event_mlock_kb.
    LockedMemory,
}

impl Rings {
    /// From now on the kernel tells of code that it makes; false where it does not.
    pub(crate) fn watch_ksymbols(&self) -> bool {
        !self.ksymbols.is_empty() && self.ksymbols.iter().all(|counter| counter.enable().is_ok())
    }

    /// Adds a buffer that no counter writes into.
    pub(crate) fn add_synthetic(&mut self, buffer: RingBuffer, owner: Counter, source: Source) {
        self.rings.push(Ring { buffer, owner, event: Some(EventId(0)), source });
    }

    /// The buffers, to be filled by hand.
    pub(crate) fn synthetic(&mut self) -> impl Iterator<Item = &mut RingBuffer> {
        self.rings.iter_mut().map(|ring| &mut ring.buffer)
    }

    /// How many descriptors all of it takes.
    pub(crate) fn descriptors(&self) -> usize {
        self.counters().count()
    }

    fn counters(&self) -> impl Iterator<Item = &Counter> {
        self.reporting().chain(self.task_totals.iter().map(|(_, _, counter)| counter))
    }

    /// Those that write into the buffers, but for those of totals.
    fn reporting(&self) -> impl Iterator<Item = &Counter> {
        let owners = self.rings.iter().map(|ring| &ring.owner);
        let sharing = self.sharing.iter().map(|(_, counter)| counter);
        owners.chain(sharing).chain(&self.telling).chain(&self.program_starts).chain(&self.ksymbols)
    }

    /// Starts to count.
    pub(crate) fn enable(&self) -> Result<(), Error> {
        self.counters().try_for_each(Counter::enable).map_err(Error::system("start the counters"))
    }

    /// Lets mappings wake the recorder from now on, or not, where that can be told from what tells of tasks.
    pub(crate) fn wake_by_mappings(&self, wake: bool) {
        let wakers = self.rings.iter().filter(|ring| ring.source.only_wakes).map(|ring| &ring.owner);
        // Where that fails it stays as it was, which costs time and nothing else.
        wakers.for_each(|waker| drop(if wake { waker.enable() } else { waker.disable() }));
    }

    /// Starts to tell of tasks.
    pub(crate) fn enable_task_records(&self) -> Result<(), Error> {
        let owners = self.rings.iter().filter(|ring| ring.event.is_none()).map(|ring| &ring.owner);
        let mut owners = owners.chain(&self.telling).chain(&self.program_starts);
        owners.try_for_each(Counter::enable).map_err(Error::system("start the counters"))
    }

    /// Starts or stops to take samples; of tasks it is told as before, where that does not hang on samples.
    pub(crate) fn switch_samples(&self, on: bool) -> Result<(), Error> {
        let owners = self.rings.iter().filter(|ring| ring.event.is_some()).map(|ring| &ring.owner);
        let mut counters = owners.chain(self.sharing.iter().map(|(_, counter)| counter));
        let totals = self.task_totals.iter().map(|(_, _, counter)| counter);
        match on {
            true => counters.chain(totals).try_for_each(Counter::enable),
            // A counter whose CPU has gone offline has stopped by itself.
            false => {
                counters.by_ref().chain(totals).for_each(|counter| drop(counter.disable()));
                Ok(())
            }
        }
        .map_err(Error::system("start the counters"))
    }

    /// The kernel reads build ids of what is mapped.
    pub(crate) fn tells_build_ids(&self) -> bool {
        self.build_ids
    }

    /// Stops counting.
    pub(crate) fn disable(&self) {
        // A counter whose CPU has gone offline has stopped by itself.
        self.counters().for_each(|counter| drop(counter.disable()));
    }

    /// The descriptors that become readable when records are waiting.
    pub(crate) fn fds(&self) -> impl Iterator<Item = &OwnedFd> {
        self.rings.iter().map(|ring| ring.owner.fd())
    }

    /// Hands on all records that are waiting.
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Parsed<'_>)) {
        let Rings { told_lost, group_readings, inherited, .. } = self;
        for ring in &mut self.rings {
            ring.buffer.drain(|record| {
                let parsed = parse(record, &ring.source);
                match &parsed {
                    Parsed::Task(TaskRecord { record: Record::Lost { records }, .. }) => {
                        *told_lost = told_lost.saturating_add(*records);
                    }
                    Parsed::Task(TaskRecord { record: Record::ThreadExited { tid, .. }, .. }) => {
                        group_readings.end(*tid);
                    }
                    Parsed::GroupSample(sample, readings) => {
                        let take = |sample| take(Parsed::Sample(sample));
                        return group_readings.split(sample, readings, &ring.source, *inherited, take);
                    }
                    _ => {}
                }
                take(parsed);
            });
        }
        group_readings.end_round();
        for (buffer, source) in &mut self.total_rings {
            buffer.sweep(|record| take(parse(record, source)));
        }
    }

    /// How many records were lost that the buffers did not tell of.
    pub(crate) fn lost_untold(&self) -> u64 {
        let readings = self.reporting().filter_map(|counter| counter.read().ok());
        readings.fold(0_u64, |sum, reading| sum.saturating_add(reading.lost)).saturating_sub(self.told_lost)
    }

    /// What each event's sampling counters have counted, summed over CPUs.
    pub(crate) fn readings(&self, events: usize) -> Vec<Reading> {
        let owners = self.rings.iter().filter_map(|ring| Some((ring.event.as_ref()?, &ring.owner)));
        sum(events, owners.chain(self.sharing.iter().map(|(id, counter)| (id, counter))))
    }

    /// The kernel reports what each task counted.
    pub(crate) fn tell_each_task(&self) -> bool {
        !self.only_sums && !self.task_totals.is_empty()
    }

    /// What the command's processes have counted together, each event's counters of all CPUs summed.
    pub(crate) fn task_readings(&self, events: usize) -> Vec<Reading> {
        sum(events, self.task_totals.iter().map(|(id, _, counter)| (id, counter)))
    }

    /// The descriptors that become readable when tasks have told what they counted.
    pub(crate) fn total_fds(&self) -> impl Iterator<Item = &OwnedFd> {
        self.task_totals.iter().map(|(_, _, counter)| counter.fd())
    }

    /// What the command's processes have counted together, counter by counter; none where exact totals are not kept.
    pub(crate) fn task_totals(&self) -> Vec<TaskTotal> {
        let total = |(event, cpu, counter): &(EventId, u16, Counter)| {
            let value = counter.read().map_or(0, |reading| reading.value);
            TaskTotal { event: *event, cpu: *cpu, value }
        };
        self.task_totals.iter().map(total).collect()
    }
}

fn sum<'a>(events: usize, counters: impl Iterator<Item = (&'a EventId, &'a Counter)>) -> Vec<Reading> {
    let mut sums = vec![Reading::default(); events];
    for (id, counter) in counters {
        // A counter of a CPU that has gone offline reads as an error; what the others counted stands.
        let Ok(reading) = counter.read() else { continue };
        let sum = &mut sums[usize::from(id.0)];
        sum.value = sum.value.saturating_add(reading.value);
        sum.time_enabled = sum.time_enabled.saturating_add(reading.time_enabled);
        sum.time_running = sum.time_running.saturating_add(reading.time_running);
    }
    sums
}
