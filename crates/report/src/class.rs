//! Classes: the events of a recording as column groups.

use oprof_profile::{Count, Event, EventId, Recording, Sampling};

/// A column group of a report: one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The event.
    pub event: EventId,
    /// Shares are taken of the events that samples stand for, not of the samples: a counter sampled by frequency
    /// adapts its period, so that its samples differ in what they are worth, and so do those of one that is read with
    /// the samples of another. (A clock's period stays the same.)
    pub weighted: bool,
}

/// In which order classes stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClassOrder {
    /// Every event, in the order in which they were asked for.
    AsAsked,
    /// By name, unit mask and count, events without a sample left out: OProfile's. Those that are read with the samples of
    /// others, which OProfile does not have, come after all others.
    ByName,
}

impl Class {
    /// The class of an event.
    pub(crate) fn of(id: EventId, event: &Event) -> Class {
        let weighted = match event.sampling {
            Sampling::Count(_) => false,
            Sampling::Frequency(_) => !event.nanoseconds,
            Sampling::WithLeader => true,
        };
        Class { event: id, weighted }
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
pub(crate) fn classes(recording: &Recording, order: ClassOrder) -> Vec<Class> {
    let all: Vec<Class> =
        recording.events.iter().zip(0..u16::MAX).map(|(event, id)| Class::of(EventId(id), event)).collect();
    if order == ClassOrder::AsAsked {
        return all;
    }
    let mut sampled = vec![false; all.len()];
    for (key, count) in recording.counts.iter() {
        if let Some(sampled) = sampled.get_mut(usize::from(key.event.0)) {
            *sampled |= count.samples > 0;
        }
    }
    let any = sampled.contains(&true);
    let mut classes: Vec<Class> =
        all.into_iter().filter(|class| !any || sampled[usize::from(class.event.0)]).collect();
    classes.sort_by_key(|class| {
        let event = &recording.events[usize::from(class.event.0)];
        (class.is_read(recording), &event.name, event.unit_mask, fixed_count(event))
    });
    classes
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
        let order: Vec<u16> =
            classes(&recording, ClassOrder::ByName).iter().map(|class| class.event.0).collect();
        assert_eq!(order, [3, 2, 1, 0]);
        assert!(classes(&recording, ClassOrder::AsAsked).iter().map(|class| class.event.0).eq(0..4));
    }
}
