//! Opening the counters and buffers of a recording.

use std::io;

use oprof_events::{EventConfig, Group};
use oprof_profile::{EventId, Sampling, Scope};
use perf_event_open_sys::bindings::{PERF_SAMPLE_READ, perf_event_attr};

use super::{Limit, Ring, Rings};
use crate::attribute::{self, Start};
use crate::buffer_sizes::BufferSizes;
use crate::counter::{Attachment, Counter};
use crate::exec_tracepoint;
use crate::parse::{Layout, Sampled, Source};
use crate::place::Place;
use crate::ring_buffer::RingBuffer;
use crate::sampled_event::{SampledEvent, is_in_hardware};
use crate::{Error, open_files, probe_privilege};

/// More counters than this for the exact totals of processes would slow down every fork too much: each process
/// inherits all of them.
const MOST_TASK_TOTALS: usize = 64;
/// More hardware events than this leave no hardware counters for exact totals.
const MOST_HARDWARE_WITH_TOTALS: usize = 2;

impl Rings {
    /// Opens everything, without starting to count.
    pub(crate) fn open(
        place: Place<'_>,
        events: &[SampledEvent],
        cpus: &[u32],
        mut sizes: BufferSizes,
    ) -> Result<Rings, Error> {
        let asked = sizes;
        let wants_totals = place.totals_of.is_some() && wants_task_totals(events, cpus.len());
        let mut left_out = None;
        loop {
            let error = match Rings::open_with(place, events, cpus, sizes, left_out.is_none()) {
                Ok(_) if left_out.is_none() && !open_files::have_room() => {
                    left_out = Some(Limit::OpenFiles);
                    continue;
                }
                Ok(mut rings) => {
                    rings.shrunk_to = (sizes.samples != asked.samples).then_some(sizes);
                    rings.left_out = left_out.filter(|_| wants_totals);
                    return Ok(rings);
                }
                Err(error) => error,
            };
            let limit = Limit::of(&error);
            match limit {
                Some(Limit::LockedMemory) if sizes.samples > BufferSizes::SMALL => sizes = sizes.halved(),
                // A machine of many CPUs takes many counters: those that could be done without go first.
                Some(_) if left_out.is_none() => (left_out, sizes) = (limit, asked),
                _ => return Err(error),
            }
        }
    }

    fn open_with(
        place: Place<'_>,
        events: &[SampledEvent],
        cpus: &[u32],
        sizes: BufferSizes,
        with_extras: bool,
    ) -> Result<Rings, Error> {
        let mut rings = Rings { inherited: place.inherits, ..Rings::default() };
        let totals_of = place.totals_of.filter(|_| with_extras && wants_task_totals(events, cpus.len()));
        let configs: Vec<&EventConfig> = events.iter().map(|event| &event.config).collect();
        // Whether the kernel can read build ids is the same on all CPUs.
        let mut build_ids = true;
        for &cpu in cpus {
            // A task would leave to its children what wakes, too.
            let wakes_apart = with_extras && !place.inherits;
            if !place.samples_tell_tasks() {
                let watermark = if wakes_apart { sizes.tasks / 4 } else { attribute::LONGER_THAN_A_FORK };
                rings.open_tasks(place, cpu, sizes.tasks, watermark, &mut build_ids)?;
            }
            rings.open_samples(place, cpu, sizes.samples, events, &mut build_ids)?;
            if let Some(pid) = totals_of {
                rings.open_task_totals(pid, &configs, Start::Enabled, cpu, sizes.totals)?;
            }
        }
        if with_extras && !place.samples_tell_tasks() && !place.inherits {
            rings.open_wakers(place, cpus)?;
        }
        rings.build_ids = build_ids;
        if events.iter().any(|event| event.config.kernel) {
            rings.open_ksymbols();
        }
        if rings.rings.iter().all(|ring| ring.event.is_none()) {
            let event = events.first().map_or_else(String::new, |event| event.config.spec.clone());
            return Err(Error::Open { event, source: io::Error::from_raw_os_error(libc::ENODEV) });
        }
        Ok(rings)
    }

    /// Opens counters that tell what each task counts that descends from `task`, without samples; in each they start with
    /// the first program that it executes.
    pub(crate) fn open_totals(
        task: u32,
        events: &[EventConfig],
        cpus: &[u32],
        size: usize,
    ) -> Result<Rings, Error> {
        let mut rings = Rings::default();
        let events: Vec<&EventConfig> = events.iter().collect();
        for &cpu in cpus {
            rings.open_task_totals(task, &events, Start::Executed, cpu, size)?;
        }
        Ok(rings)
    }

    /// Opens, too, what tells of the processes themselves, in buffers of `size` bytes; where it is permitted to see how
    /// programs begin, of `size_with_stacks`.
    pub(crate) fn open_task_records(
        &mut self,
        place: Place<'_>,
        cpus: &[u32],
        size: usize,
        size_with_stacks: usize,
    ) -> Result<(), Error> {
        let mut build_ids = false;
        for &cpu in cpus {
            let starts = program_starts(place, cpu);
            let size = if starts.is_some() { size_with_stacks } else { size };
            self.open_tasks(place, cpu, size, attribute::LONGER_THAN_A_FORK, &mut build_ids)?;
            let ring = self.rings.last_mut().expect("just added");
            if let Some(starts) = starts
                && starts.write_into(&ring.owner).is_ok()
            {
                ring.source.program_starts = true;
                self.program_starts.push(starts);
            }
        }
        Ok(())
    }

    /// Opens what wakes the recorder by each mapping, beside what tells of tasks and wakes seldom: it can be shut off while
    /// processes are forked so fast that waking for them would cost more than all else.
    fn open_wakers(&mut self, place: Place<'_>, cpus: &[u32]) -> Result<(), Error> {
        let attr = attribute::tasks(false, false, attribute::LONGER_THAN_A_FORK);
        let failed = |source| Error::Open { event: "task records".to_owned(), source };
        for &cpu in cpus {
            for attachment in place.told_on(cpu) {
                let owner = Counter::open(&attr, attachment).map_err(failed)?;
                let source = Source { cpu: cpu as u16, only_wakes: true, ..Source::default() };
                self.add_ring(owner, source, cpu, rustix::param::page_size(), None)?;
            }
        }
        Ok(())
    }

    fn open_tasks(
        &mut self,
        place: Place<'_>,
        cpu: u32,
        size: usize,
        watermark: usize,
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
        let open = |attachment| {
            let open = |build_ids| {
                Counter::open(&attribute::tasks(build_ids, place.inherits, watermark), attachment)
            };
            with_build_ids(build_ids, open).map_err(failed)
        };
        let mut counters =
            place.told_on(cpu).into_iter().map(open).collect::<Result<Vec<_>, _>>()?.into_iter();
        let Some(owner) = counters.next() else { return Ok(()) };
        let source = Source { cpu: cpu as u16, ..Source::default() };
        self.add_ring(owner, source, cpu, size, None)?;
        let owner = &self.rings.last().expect("just added").owner;
        for counter in counters {
            counter.write_into(owner).map_err(Error::system("join counters of one CPU"))?;
            self.telling.push(counter);
        }
        Ok(())
    }

    fn open_samples(
        &mut self,
        place: Place<'_>,
        cpu: u32,
        size: usize,
        events: &[SampledEvent],
        build_ids: &mut bool,
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
        let attachments = place.on(cpu);
        let mut opened: Vec<(EventId, Counter)> = Vec::with_capacity(here.len() * attachments.len());
        let mut source = Source { layout, cpu: cpu as u16, ..Source::default() };
        for attachment in attachments {
            let first = opened.len();
            let mut leaders: Vec<(Group, usize)> = Vec::new();
            for (id, event) in &here {
                let mut attr = attribute::samples(event, layout, place.inherits, size / 4);
                let counter = if place.samples_tell_tasks() && opened.len() == first {
                    let open = |build_ids| {
                        attribute::tell_tasks(&mut attr, build_ids, attribute::LONGER_THAN_A_FORK);
                        Counter::open(&attr, attachment)
                    };
                    let refused = |source| Error::Open { event: event.config.spec.clone(), source };
                    with_build_ids(build_ids, open)
                        .map_err(|source| leads_no_tasks(refused(source), event, &attr, attachment))?
                } else {
                    let leader = leaders.iter().find(|(group, _)| event.config.group == Some(*group));
                    open_in_group(&attr, attachment, &event.config, leader.map(|&(_, at)| &opened[at].1))
                        .map_err(|error| leads_no_tasks(error, event, &attr, attachment))?
                };
                if let Some(group) = event.config.group
                    && leaders.iter().all(|(known, _)| *known != group)
                {
                    leaders.push((group, opened.len()));
                }
                let period = match event.sampling {
                    Sampling::Count(count) => count,
                    Sampling::Frequency(_) | Sampling::WithLeader => 0,
                };
                let (reads_group, is_clock) = (event.reads_group(), event.config.nanoseconds);
                let sampled = Sampled { event: *id, period, reads_group, is_clock };
                source.events.insert(kernel_id(&counter)?, sampled);
                if events.len() == 1 {
                    source.only = Some(sampled);
                }
                opened.push((*id, counter));
            }
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

    /// Lets each CPU's buffer tell of code that the kernel makes, where that is permitted.
    ///
    /// Such records are of the whole system: the kernel gives them to the events of the CPU and to those of the task that
    /// loads a program, but to those of a control group only while one of its tasks runs (`perf_iterate_sb` in
    /// kernel/events/core.c). Programs are loaded and unloaded by anybody, so it takes events of the CPU in every scope.
    /// Without privilege they are refused; then names are those that `/proc/kallsyms` knows at the end.
    fn open_ksymbols(&mut self) {
        let mut cpu_before = None;
        for ring in self.rings.iter().filter(|ring| !ring.source.only_wakes) {
            // The first ring of a CPU is the one that tells of tasks.
            if cpu_before.replace(ring.source.cpu) == Some(ring.source.cpu) {
                continue;
            }
            let attr = attribute::ksymbols(ring.source.layout);
            let opened = Counter::open(&attr, Attachment::Cpu(ring.source.cpu.into()));
            let Ok(counter) = opened.and_then(|counter| counter.write_into(&ring.owner).map(|()| counter))
            else {
                return self.ksymbols.clear();
            };
            self.ksymbols.push(counter);
        }
    }

    fn add_ring(
        &mut self,
        owner: Counter,
        source: Source,
        cpu: u32,
        size: usize,
        event: Option<EventId>,
    ) -> Result<(), Error> {
        let buffer = map(&owner, cpu, size)?;
        self.rings.push(Ring { buffer, owner, event, source });
        Ok(())
    }

    /// Counters that the command's processes inherit, for exact totals of each. Beside samples they stay out of groups,
    /// which may have no more room.
    fn open_task_totals(
        &mut self,
        pid: u32,
        events: &[&EventConfig],
        start: Start,
        cpu: u32,
        size: usize,
    ) -> Result<(), Error> {
        let first = self.task_totals.len();
        let mut source = Source { cpu: cpu as u16, ..Source::default() };
        let mut leaders: Vec<(Group, usize)> = Vec::new();
        for (index, event) in events.iter().enumerate() {
            if event.cpus.as_ref().is_some_and(|cpus| !cpus.contains(&cpu)) {
                continue;
            }
            let id = EventId(index as u16);
            let group = event.group.filter(|_| start == Start::Executed);
            let leader = leaders.iter().find(|(known, _)| group == Some(*known));
            let leader = leader.map(|&(_, at)| &self.task_totals[at].2);
            let open = |each| {
                let attr = attribute::task_totals(event, start, size / 4, each);
                open_in_group(&attr, Attachment::Task(pid, Some(cpu)), event, leader)
            };
            let counter = match open(!self.only_sums) {
                Err(Error::Open { source, .. })
                    if !self.only_sums && source.raw_os_error() == Some(libc::EINVAL) =>
                {
                    self.only_sums = true;
                    open(false)
                }
                opened => opened,
            }?;
            if let Some(group) = group
                && leader.is_none()
            {
                leaders.push((group, self.task_totals.len()));
            }
            source.events.insert(kernel_id(&counter)?, Sampled { event: id, ..Sampled::default() });
            self.task_totals.push((id, cpu as u16, counter));
        }
        if self.only_sums {
            return Ok(());
        }
        let Some(((_, _, owner), sharing)) = self.task_totals[first..].split_first() else { return Ok(()) };
        let buffer = map(owner, cpu, size)?;
        for (_, _, counter) in sharing {
            counter.write_into(owner).map_err(Error::system("join counters of one CPU"))?;
        }
        self.total_rings.push((buffer, source));
        Ok(())
    }
}

/// Opens an event behind the leader of its group, if it has one already.
pub(crate) fn open_in_group(
    attr: &perf_event_attr,
    attachment: Attachment<'_>,
    event: &EventConfig,
    leader: Option<&Counter>,
) -> Result<Counter, Error> {
    let mut attr = *attr;
    // The leader starts the group. Members that are started after it do not count until the task is switched to again,
    // where they are of another of the software's PMUs than the leader: `{task-clock,page-faults}` (seen with Linux 6.18).
    attr.set_disabled(u64::from(leader.is_none()));
    Counter::open_with(&attr, attachment, leader).map_err(|source| {
        // By itself it would do: so it is the group.
        let alone = leader.is_some() && Counter::open(&attr, attachment).is_ok();
        match alone {
            true => Error::Group { event: event.spec.clone() },
            false => Error::Open { event: event.spec.clone(), source },
        }
    })
}

/// Kernels before 6.13 refuse samples that read counters which tasks inherit; then it is that, and not the event.
fn leads_no_tasks(
    error: Error,
    event: &SampledEvent,
    attr: &perf_event_attr,
    attachment: Attachment<'_>,
) -> Error {
    let mut alone = *attr;
    alone.sample_type &= !u64::from(PERF_SAMPLE_READ);
    match error {
        Error::Open { event: spec, source }
            if event.reads_group()
                && attr.inherit() == 1
                && source.raw_os_error() == Some(libc::EINVAL)
                && Counter::open(&alone, attachment).is_ok() =>
        {
            Error::LeadsNoTasks { event: spec }
        }
        error => error,
    }
}

/// What samples the programs that begin on a CPU; for those who may (root, as a rule).
fn program_starts(place: Place<'_>, cpu: u32) -> Option<Counter> {
    let attr =
        attribute::program_starts(exec_tracepoint::id()?, exec_tracepoint::STACK_POINTER?, place.inherits);
    Counter::open(&attr, *place.on(cpu).first()?).ok()
}

fn map(owner: &Counter, cpu: u32, size: usize) -> Result<RingBuffer, Error> {
    let kilobytes = size >> 10;
    RingBuffer::map(owner, size).map_err(|source| Error::RingBuffer { cpu, kilobytes, source })
}

fn kernel_id(counter: &Counter) -> Result<u64, Error> {
    Ok(counter.read().map_err(Error::system("read a counter"))?.id)
}

/// Opens a counter whose attribute asks for build ids, or without these where the kernel does not know the bit.
fn with_build_ids(
    build_ids: &mut bool,
    mut open: impl FnMut(bool) -> io::Result<Counter>,
) -> io::Result<Counter> {
    match open(*build_ids) {
        Err(error) if *build_ids && error.raw_os_error() == Some(libc::EINVAL) => {
            let opened = open(false)?;
            *build_ids = false;
            Ok(opened)
        }
        opened => opened,
    }
}

impl Limit {
    /// The limit that an error comes from, if from one of these.
    fn of(error: &Error) -> Option<Limit> {
        match error {
            // Without privilege there is a limit on locked memory, shared with others of the same user.
            Error::RingBuffer { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(Limit::LockedMemory)
            }
            Error::Open { source, .. } if source.raw_os_error() == Some(libc::EMFILE) => {
                Some(Limit::OpenFiles)
            }
            _ => None,
        }
    }
}

fn wants_task_totals(events: &[SampledEvent], cpus: usize) -> bool {
    events.len() * cpus <= MOST_TASK_TOTALS && allow_totals(events)
}

/// Tasks may inherit these events for exact totals: none is a probe, and the hardware has counters left beside those that
/// sample.
pub(crate) fn allow_totals(events: &[SampledEvent]) -> bool {
    probe_privilege::first(events.iter().map(|event| &event.config)).is_none()
        && events.iter().filter(|event| is_in_hardware(&event.config)).count() <= MOST_HARDWARE_WITH_TOTALS
}
