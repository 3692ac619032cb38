//! The counters and ring buffers of one recording, for all its CPUs.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use oprof_events::{EventConfig, EventKind};
use oprof_profile::{EventId, Sampling, Scope};
use perf_event_open_sys::bindings::{
    PERF_COUNT_SW_CGROUP_SWITCHES, PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_CPU_MIGRATIONS,
    perf_event_attr,
};

use crate::Error;
use crate::attribute;
use crate::counter::{Attachment, Counter, Reading};
use crate::parse::{Layout, Parsed, Source, parse};
use crate::ring_buffer::RingBuffer;

/// More counters than this for the exact totals of processes would slow down every fork too much: each process
/// inherits all of them.
const MOST_TASK_TOTALS: usize = 64;
/// More hardware events than this leave no hardware counters for exact totals.
const MOST_HARDWARE_WITH_TOTALS: usize = 2;

/// An event and how it is sampled.
#[derive(Clone, Debug)]
pub(crate) struct SampledEvent {
    pub(crate) config: EventConfig,
    pub(crate) sampling: Sampling,
}

/// What the counters are attached to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) scope: Scope,
    /// The control group, in cgroup scope.
    pub(crate) cgroup: Option<BorrowedFd<'a>>,
    /// The command's process.
    pub(crate) pid: u32,
}

impl Place<'_> {
    fn on(&self, cpu: u32) -> Attachment<'_> {
        match (self.scope, self.cgroup) {
            (Scope::Cgroup, Some(directory)) => Attachment::Cgroup(directory, cpu),
            (Scope::Inherit, _) => Attachment::Task(self.pid, cpu),
            _ => Attachment::Cpu(cpu),
        }
    }

    fn inherits(&self) -> bool {
        self.scope == Scope::Inherit
    }
}

/// How much ring buffer each CPU gets, in bytes; powers of two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BufferSizes {
    pub(crate) samples: usize,
    pub(crate) tasks: usize,
}

/// A ring buffer, the counter that owns it, and what writes into it.
#[derive(Debug)]
struct Ring {
    buffer: RingBuffer,
    owner: Counter,
    source: Source,
}

/// The counters and ring buffers of one recording.
#[derive(Debug, Default)]
pub(crate) struct Rings {
    rings: Vec<Ring>,
    /// The counters that share a ring buffer with another.
    sharing: Vec<(EventId, Counter)>,
    /// Of each ring in `rings`, the event of its owner; none for task records.
    owners: Vec<Option<EventId>>,
    task_totals: Vec<(EventId, Counter)>,
    /// The buffers had to be made this much smaller than asked for.
    pub(crate) shrunk_to: Option<BufferSizes>,
}

impl Rings {
    /// Opens everything, without starting to count.
    pub(crate) fn open(
        place: Place<'_>,
        events: &[SampledEvent],
        cpus: &[u32],
        mut sizes: BufferSizes,
    ) -> Result<Rings, Error> {
        let asked = sizes;
        loop {
            match Rings::open_with(place, events, cpus, sizes) {
                // Without privilege there is a limit on locked memory, shared with others of the same user.
                Err(Error::RingBuffer { ref source, .. })
                    if source.kind() == io::ErrorKind::PermissionDenied && sizes.samples > 16 << 10 =>
                {
                    sizes =
                        BufferSizes { samples: sizes.samples / 2, tasks: (sizes.tasks / 2).max(16 << 10) };
                }
                Ok(mut rings) => {
                    rings.shrunk_to = (sizes.samples != asked.samples).then_some(sizes);
                    return Ok(rings);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn open_with(
        place: Place<'_>,
        events: &[SampledEvent],
        cpus: &[u32],
        sizes: BufferSizes,
    ) -> Result<Rings, Error> {
        let mut rings = Rings::default();
        // One bit of attribute for every kernel: whether it can read build ids is the same on all CPUs.
        let mut build_ids = true;
        for &cpu in cpus {
            rings.open_tasks(place, cpu, sizes.tasks, &mut build_ids)?;
            rings.open_samples(place, cpu, sizes.samples, events)?;
        }
        if rings.owners.iter().all(Option::is_none) {
            let event = events.first().map_or_else(String::new, |event| event.config.spec.clone());
            return Err(Error::Open { event, source: io::Error::from_raw_os_error(libc::ENODEV) });
        }
        if !place.inherits() && wants_task_totals(events, cpus.len()) {
            rings.open_task_totals(place.pid, events, cpus)?;
        }
        Ok(rings)
    }

    fn open_tasks(
        &mut self,
        place: Place<'_>,
        cpu: u32,
        size: usize,
        build_ids: &mut bool,
    ) -> Result<(), Error> {
        let failed = |source: io::Error| match (place.scope, source.raw_os_error()) {
            // Groups have perf events only once somebody has enabled a controller at the root of the hierarchy:
            // systemd does, a bare init does not (`css_tryget_online_from_dir` in kernel/cgroup/cgroup.c).
            (Scope::Cgroup, Some(libc::ENOENT)) => Error::Scope {
                scope: "cgroup",
                why: "a new control group has no perf events here; as root once: echo +pids > \
                      /sys/fs/cgroup/cgroup.subtree_control"
                    .to_owned(),
            },
            _ => Error::Open { event: "task records".to_owned(), source },
        };
        let open = |build_ids| Counter::open(&attribute::tasks(place.inherits(), build_ids), place.on(cpu));
        let owner = match open(*build_ids) {
            // A kernel before 5.12 refuses the unknown bit.
            Err(error) if *build_ids && error.raw_os_error() == Some(libc::EINVAL) => {
                *build_ids = false;
                open(false).map_err(failed)?
            }
            opened => opened.map_err(failed)?,
        };
        let source = Source { cpu: cpu as u16, ..Source::default() };
        self.add_ring(owner, source, cpu, size, None)
    }

    fn open_samples(
        &mut self,
        place: Place<'_>,
        cpu: u32,
        size: usize,
        events: &[SampledEvent],
    ) -> Result<(), Error> {
        let here: Vec<_> = events
            .iter()
            .enumerate()
            .map(|(index, event)| (EventId(index as u16), event))
            .filter(|(_, event)| event.config.cpus.as_ref().is_none_or(|cpus| cpus.contains(&cpu)))
            .collect();
        let layout = Layout {
            identifier: events.len() > 1,
            period: events.iter().any(|event| matches!(event.sampling, Sampling::Frequency(_))),
        };
        let mut opened = Vec::with_capacity(here.len());
        let mut source = Source { layout, cpu: cpu as u16, ..Source::default() };
        for (id, event) in here {
            let attr = attribute::samples(&event.config, event.sampling, layout, place.inherits(), size / 4);
            let counter = open_event(&attr, place.on(cpu), event)?;
            let period = match event.sampling {
                Sampling::Count(count) => count,
                Sampling::Frequency(_) => 0,
            };
            source.events.insert(kernel_id(&counter)?, (id, period));
            if events.len() == 1 {
                source.only = Some((id, period));
            }
            opened.push((id, counter));
        }
        let mut opened = opened.into_iter();
        let Some((id, owner)) = opened.next() else { return Ok(()) };
        self.add_ring(owner, source, cpu, size, Some(id))?;
        let owner = &self.rings.last().expect("just added").owner;
        for (id, counter) in opened {
            counter.write_into(owner).map_err(Error::system("join counters of one CPU"))?;
            self.sharing.push((id, counter));
        }
        Ok(())
    }

    fn add_ring(
        &mut self,
        owner: Counter,
        source: Source,
        cpu: u32,
        size: usize,
        event: Option<EventId>,
    ) -> Result<(), Error> {
        let buffer = RingBuffer::map(&owner, size).map_err(|source| Error::RingBuffer {
            cpu,
            kilobytes: size >> 10,
            source,
        })?;
        self.rings.push(Ring { buffer, owner, source });
        self.owners.push(event);
        Ok(())
    }

    /// Counters that the command's processes inherit, for exact totals of each; they write into the buffers of the
    /// task records.
    fn open_task_totals(&mut self, pid: u32, events: &[SampledEvent], cpus: &[u32]) -> Result<(), Error> {
        let task_rings = self.rings.iter_mut().zip(&self.owners).filter(|(_, owner)| owner.is_none());
        for (&cpu, (ring, _)) in cpus.iter().zip(task_rings) {
            for (index, event) in events.iter().enumerate() {
                if event.config.cpus.as_ref().is_some_and(|cpus| !cpus.contains(&cpu)) {
                    continue;
                }
                let id = EventId(index as u16);
                let attr = attribute::task_totals(&event.config);
                let counter = open_event(&attr, Attachment::Task(pid, cpu), event)?;
                counter.write_into(&ring.owner).map_err(Error::system("join counters of one CPU"))?;
                ring.source.events.insert(kernel_id(&counter)?, (id, 0));
                self.task_totals.push((id, counter));
            }
        }
        Ok(())
    }

    fn counters(&self) -> impl Iterator<Item = &Counter> {
        let owners = self.rings.iter().map(|ring| &ring.owner);
        owners.chain(self.sharing.iter().chain(&self.task_totals).map(|(_, counter)| counter))
    }

    /// Starts to count.
    pub(crate) fn enable(&self) -> Result<(), Error> {
        self.counters().try_for_each(Counter::enable).map_err(Error::system("start the counters"))
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
    pub(crate) fn drain(&mut self, mut take: impl FnMut(Parsed)) {
        for ring in &mut self.rings {
            let source = &ring.source;
            ring.buffer.drain(|record| take(parse(record, source)));
        }
    }

    /// What each event's sampling counters have counted, summed over CPUs.
    pub(crate) fn readings(&self, events: usize) -> Vec<Reading> {
        let owners = self.owners.iter().zip(&self.rings);
        let owners = owners.filter_map(|(event, ring)| Some((event.as_ref()?, &ring.owner)));
        sum(events, owners.chain(self.sharing.iter().map(|(id, counter)| (id, counter))))
    }

    /// What the command's processes have counted together, where exact totals are kept.
    pub(crate) fn task_totals(&self, events: usize) -> Option<Vec<Reading>> {
        (!self.task_totals.is_empty())
            .then(|| sum(events, self.task_totals.iter().map(|(id, counter)| (id, counter))))
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

fn open_event(
    attr: &perf_event_attr,
    attachment: Attachment<'_>,
    event: &SampledEvent,
) -> Result<Counter, Error> {
    Counter::open(attr, attachment).map_err(|source| Error::Open { event: event.config.spec.clone(), source })
}

fn kernel_id(counter: &Counter) -> Result<u64, Error> {
    Ok(counter.read().map_err(Error::system("read a counter"))?.id)
}

fn wants_task_totals(events: &[SampledEvent], cpus: usize) -> bool {
    events.len() * cpus <= MOST_TASK_TOTALS
        && events.iter().filter(|event| is_in_hardware(&event.config)).count() <= MOST_HARDWARE_WITH_TOTALS
}

/// The event takes one of the hardware's counters.
pub(crate) fn is_in_hardware(event: &EventConfig) -> bool {
    !matches!(event.kind, EventKind::Software | EventKind::Tracepoint)
}

/// The event happens in the kernel's code alone: nothing of it is left for those who may not look there.
pub(crate) fn happens_in_kernel(event: &EventConfig) -> bool {
    const IN_KERNEL: [u32; 3] =
        [PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_CPU_MIGRATIONS, PERF_COUNT_SW_CGROUP_SWITCHES];
    match event.kind {
        EventKind::Tracepoint => true,
        EventKind::Software => IN_KERNEL.iter().any(|number| u64::from(*number) == event.config),
        _ => false,
    }
}
