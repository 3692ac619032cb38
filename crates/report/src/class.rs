//! Classes: the column groups of a report.

use oprof_profile::{Count, Event, EventId, Key, Recording, Sampling};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::options::Options;

/// A column group of a report: one event, and where these are told apart one CPU, process or thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The event; where unit masks are not told apart, the first of those that are one.
    pub event: EventId,
    /// Shares are taken of the events that samples stand for, not of the samples: a counter sampled by frequency
    /// adapts its period, so that its samples differ in what they are worth, and so do those of one that is read with
    /// the samples of another. (A clock's period stays the same.)
    pub weighted: bool,
    /// The CPU, the process and the thread, where they are told apart.
    pub axes: Axes,
}

/// The CPU, the process and the thread of a class; `None` where these are not told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Axes {
    /// The CPU.
    pub cpu: Option<u16>,
    /// The process (thread group).
    pub process: Option<u32>,
    /// The thread.
    pub thread: Option<u32>,
}

/// What column groups tell apart beside events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Separation {
    /// CPUs.
    pub cpus: bool,
    /// Processes.
    pub processes: bool,
    /// Threads.
    pub threads: bool,
    /// Events that only their unit masks tell apart are one.
    pub merges_unit_masks: bool,
}

impl Separation {
    /// What is told apart in fact: what is one for all samples is not, and where each process is one thread it stands for the
    /// thread.
    pub(crate) fn in_fact(self, recording: &Recording) -> Separation {
        let axes_of = AxesOf::new(recording, self);
        let mut seen: FxHashSet<Axes> = FxHashSet::default();
        if self.cpus || self.processes || self.threads {
            seen.extend(recording.counts.iter().map(|(key, _)| axes_of.get(&key)));
        }
        let first = seen.iter().next().copied().unwrap_or_default();
        let varies = |differ: fn(&Axes, &Axes) -> bool| seen.iter().any(|axes| differ(axes, &first));
        let processes = varies(|a, b| a.process != b.process);
        let is_process = |axes: &Axes| axes.thread == axes.process;
        Separation {
            cpus: varies(|a, b| a.cpu != b.cpu),
            processes,
            threads: varies(|a, b| a.thread != b.thread) && !(processes && seen.iter().all(is_process)),
            merges_unit_masks: self.merges_unit_masks,
        }
    }
}

/// In which order classes stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassOrder {
    /// Every event, in the order in which they were asked for.
    AsAsked,
    /// By CPU, process and thread, then by name, unit mask and count, events without a sample left out. Those that are
    /// read with the samples of others, which OProfile does not have, come after all others.
    ByName,
    /// As OProfile has them: the same, but by unit mask before the name, and by count as text: 100000 before 20000.
    OfOprofile,
}

impl ClassOrder {
    /// The order in OProfile's layouts.
    pub(crate) fn of_oprofile(options: &Options) -> ClassOrder {
        if options.oprofile_order { ClassOrder::OfOprofile } else { ClassOrder::ByName }
    }
}

impl Class {
    /// The class of an event.
    pub(crate) fn of(id: EventId, event: &Event) -> Class {
        let weighted = match event.sampling {
            Sampling::Count(_) => false,
            Sampling::Frequency(_) => !event.nanoseconds,
            Sampling::WithLeader => true,
        };
        Class { event: id, weighted, axes: Axes::default() }
    }

    /// It has no samples of its own, but is read with those of another event.
    pub(crate) fn is_read(&self, recording: &Recording) -> bool {
        let event = recording.events.get(usize::from(self.event.0));
        event.is_some_and(|event| !event.is_sampled())
    }

    /// What shares are taken of.
    pub fn measure(&self, count: Count) -> u64 {
        if self.weighted { count.weight } else { count.samples }
    }
}

/// The fixed count of an event, where it has one: a clock that is sampled by frequency has one, in nanoseconds.
pub(crate) fn fixed_count(event: &Event) -> Option<u64> {
    match event.sampling {
        Sampling::Count(count) => Some(count),
        Sampling::Frequency(hertz) if event.nanoseconds => Some(1_000_000_000 / hertz.max(1)),
        Sampling::Frequency(_) | Sampling::WithLeader => None,
    }
}

/// The classes of a recording; never empty where it has an event.
pub(crate) fn classes(recording: &Recording, order: ClassOrder, separation: Separation) -> Vec<Class> {
    let canonical = canonical_events(recording, separation);
    let events = recording.events.iter().zip(0..u16::MAX);
    let all: Vec<Class> = events
        .filter(|(_, id)| canonical[usize::from(*id)] == *id)
        .map(|(event, id)| Class::of(EventId(id), event))
        .collect();
    if order == ClassOrder::AsAsked {
        return all;
    }
    let axes_of = AxesOf::new(recording, separation);
    let mut sampled: FxHashSet<(u16, Axes)> = FxHashSet::default();
    for (key, count) in recording.counts.iter().filter(|(_, count)| count.samples > 0) {
        let Some(event) = canonical.get(usize::from(key.event.0)) else { continue };
        if count.samples > 0 {
            sampled.insert((*event, axes_of.get(&key)));
        }
    }
    if sampled.is_empty() {
        sampled.extend(all.iter().map(|class| (class.event.0, Axes::default())));
    }
    let of_event = |&(event, axes): &(u16, Axes)| {
        all.iter().find(|class| class.event.0 == event).map(|class| Class { axes, ..*class })
    };
    let mut classes: Vec<Class> = sampled.iter().filter_map(of_event).collect();
    classes.sort_by_cached_key(|class| {
        let event = &recording.events[usize::from(class.event.0)];
        let (name, count) = (event.name.clone(), fixed_count(event));
        let (first_mask, mask, text) = match order {
            ClassOrder::OfOprofile => (event.unit_mask, 0, count.map(|count| count.to_string())),
            _ => (0, event.unit_mask, None),
        };
        (class.is_read(recording), class.axes, first_mask, name, mask, text, count, class.event.0)
    });
    classes
}

/// For each event the one that it is a part of: where unit masks are not told apart the first of its name and count, else
/// itself.
fn canonical_events(recording: &Recording, separation: Separation) -> Vec<u16> {
    let same = |a: &Event, b: &Event| {
        separation.merges_unit_masks
            && a.name == b.name
            && a.sampling == b.sampling
            && a.nanoseconds == b.nanoseconds
            && a.group == b.group
    };
    let events = &recording.events;
    let first =
        |event: &Event| events.iter().position(|other| std::ptr::eq(other, event) || same(other, event));
    events
        .iter()
        .map(|event| first(event).and_then(|first| u16::try_from(first).ok()).unwrap_or(u16::MAX))
        .collect()
}

/// Finds what classes tell apart of a sample.
#[derive(Debug)]
struct AxesOf {
    separation: Separation,
    pids: Vec<u32>,
}

impl AxesOf {
    fn new(recording: &Recording, separation: Separation) -> AxesOf {
        AxesOf { separation, pids: recording.processes.iter().map(|process| process.pid).collect() }
    }

    fn get(&self, key: &Key) -> Axes {
        let Separation { cpus, processes, threads, .. } = self.separation;
        let pid = || self.pids.get(key.process.0 as usize).copied();
        Axes {
            cpu: cpus.then_some(key.cpu),
            process: processes.then(pid).flatten(),
            thread: threads.then_some(key.thread),
        }
    }
}

/// Finds the class of a sample.
#[derive(Debug)]
pub(crate) struct ClassOfKey {
    axes_of: AxesOf,
    canonical: Vec<u16>,
    /// Of classes that tell events apart only.
    of_event: ClassOfEvent,
    of_axes: FxHashMap<(u16, Axes), usize>,
}

impl ClassOfKey {
    /// For classes made with the same separation.
    pub(crate) fn new(recording: &Recording, classes: &[Class], separation: Separation) -> ClassOfKey {
        ClassOfKey {
            axes_of: AxesOf::new(recording, separation),
            canonical: canonical_events(recording, separation),
            of_event: ClassOfEvent::new(classes),
            of_axes: classes
                .iter()
                .zip(0..)
                .map(|(class, slot)| ((class.event.0, class.axes), slot))
                .collect(),
        }
    }

    /// The index of the sample's class; `None` where it has none, as of an event that a damaged recording does not list.
    pub(crate) fn get(&self, key: &Key) -> Option<usize> {
        let event = *self.canonical.get(usize::from(key.event.0))?;
        let Separation { cpus, processes, threads, .. } = self.axes_of.separation;
        match cpus || processes || threads {
            true => self.of_axes.get(&(event, self.axes_of.get(key))).copied(),
            false => self.of_event.get(EventId(event)),
        }
    }
}

/// Finds the class of an event.
#[derive(Debug)]
pub(crate) struct ClassOfEvent(Vec<Option<usize>>);

impl ClassOfEvent {
    pub(crate) fn new(classes: &[Class]) -> ClassOfEvent {
        let events = classes.iter().map(|class| usize::from(class.event.0) + 1).max().unwrap_or(0);
        let mut index = vec![None; events];
        for (class, slot) in classes.iter().zip(0..) {
            index[usize::from(class.event.0)] = Some(slot);
        }
        ClassOfEvent(index)
    }

    /// The index of the event's class; `None` where it has none, as of an event that a damaged recording does not
    /// list.
    pub(crate) fn get(&self, event: EventId) -> Option<usize> {
        self.0.get(usize::from(event.0)).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, unit_mask: u64, count: u64) -> Event {
        Event {
            name: name.to_owned(),
            description: String::new(),
            unit_mask,
            unit_mask_description: String::new(),
            sampling: Sampling::Count(count),
            user: true,
            kernel: true,
            nanoseconds: false,
            group: None,
        }
    }

    #[test]
    fn by_name_means_name_then_unit_mask_then_count_as_a_number() {
        let events =
            vec![event("b", 0, 1), event("a", 2, 100_000), event("a", 2, 20_000), event("a", 1, 500_000)];
        let recording = Recording { events, ..Recording::default() };
        let apart = Separation::default();
        let order: Vec<u16> =
            classes(&recording, ClassOrder::ByName, apart).iter().map(|class| class.event.0).collect();
        assert_eq!(order, [3, 2, 1, 0]);
        let order =
            |order| classes(&recording, order, apart).iter().map(|class| class.event.0).collect::<Vec<_>>();
        assert_eq!(order(ClassOrder::AsAsked), [0, 1, 2, 3]);
        // The unit mask comes first: b has 0; then 100000 stands before 20000, as text does.
        assert_eq!(order(ClassOrder::OfOprofile), [0, 3, 1, 2]);
    }
}
