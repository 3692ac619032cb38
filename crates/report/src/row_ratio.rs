//! What the events of a group say together, row by row.
//!
//! Events of a group are counted at the same time or not at all, so that their ratio holds also where they were counted in
//! turns with others. Between events on their own it holds where each was counted all the time.

use oprof_profile::{Event, Recording};

use crate::cell::Cell;
use crate::class::Class;
use crate::relation::{Related, Relation, relations};
use crate::rows::Row;

/// With fewer samples of either event than this a ratio says nothing: its error would be a third and more.
const FEWEST_SAMPLES: u64 = 20;

/// An event that was counted for this share of the time was counted all the time but for moments.
const COUNTED_ALWAYS: f64 = 0.99;

/// What a class says together with another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowRatio {
    /// The class.
    pub(crate) class: usize,
    /// The other.
    of: usize,
    factor: f64,
    /// The unit: `per cycle`.
    pub(crate) unit: String,
}

impl RowRatio {
    /// What stands in a row; of few samples nothing.
    pub(crate) fn of(&self, row: &Row) -> Cell<'static> {
        let (Some(count), Some(of)) = (row.counts.get(self.class), row.counts.get(self.of)) else {
            return Cell::Unknown;
        };
        if count.samples.min(of.samples) < FEWEST_SAMPLES || of.weight == 0 {
            return Cell::Unknown;
        }
        Cell::Ratio(count.weight as f64 / of.weight as f64 * self.factor)
    }
}

/// The ratios of all classes whose events are in one group.
pub(crate) fn of_groups(recording: &Recording, classes: &[Class]) -> Vec<RowRatio> {
    let event = |class: usize| recording.events.get(usize::from(classes[class].event.0));
    let mut ratios = Vec::new();
    for class in 0..classes.len() {
        let Some(group) = event(class).and_then(|event| event.group) else { continue };
        let members: Vec<(usize, &Event)> = (0..classes.len())
            .filter_map(|class| Some((class, event(class)?)))
            .filter(|(_, event)| event.group == Some(group))
            .collect();
        let events: Vec<Related<'_>> = members.iter().map(|(_, event)| related(event)).collect();
        let Some(index) = members.iter().position(|(member, _)| *member == class) else { continue };
        for Relation { other, factor, unit } in relations(index, &events) {
            ratios.push(RowRatio { class, of: members[other].0, factor, unit });
        }
    }
    ratios
}

/// The ratios of classes whose events are in no group, where each was counted all the time: then both are of the same
/// code, though not of the same moments.
pub(crate) fn of_separate(recording: &Recording, classes: &[Class]) -> Vec<RowRatio> {
    let event = |class: usize| recording.events.get(usize::from(classes[class].event.0));
    let always = |class: usize| {
        let coverage = recording.coverage.events.get(usize::from(classes[class].event.0));
        coverage.is_none_or(|coverage| coverage.running() >= COUNTED_ALWAYS)
    };
    let members: Vec<(usize, &Event)> = (0..classes.len())
        .filter(|class| classes[*class].axes == crate::class::Axes::default() && always(*class))
        .filter_map(|class| Some((class, event(class)?)))
        .filter(|(_, event)| event.group.is_none() && event.is_sampled())
        .collect();
    let events: Vec<Related<'_>> = members.iter().map(|(_, event)| related(event)).collect();
    let mut ratios = Vec::new();
    for (index, (class, _)) in members.iter().enumerate() {
        for Relation { other, factor, unit } in relations(index, &events) {
            ratios.push(RowRatio { class: *class, of: members[other].0, factor, unit });
        }
    }
    ratios
}

fn related(event: &Event) -> Related<'_> {
    let Event { name, user, kernel, nanoseconds, .. } = event;
    Related { name, user: *user, kernel: *kernel, nanoseconds: *nanoseconds }
}
