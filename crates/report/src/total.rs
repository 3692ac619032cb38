//! Totals: how often an event happened in a process, sampled or not.

use oprof_profile::{ProcessId, Recording};

use crate::class::{Class, ClassOfEvent};
use crate::lifetime::Lifetimes;

/// How often an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How often, as well as it is known.
    pub value: u64,
    /// It was counted by the kernel; else it is estimated, wholly or in part, from the samples.
    pub exact: bool,
}

impl Total {
    /// Nothing happened.
    pub(crate) const ZERO: Total = Total { value: 0, exact: true };

    /// The sum; exact where both are.
    pub(crate) fn add(&mut self, other: Total) {
        self.value = self.value.saturating_add(other.value);
        self.exact &= other.exact;
    }
}

/// The totals of each process entry, and which classes are counted exactly at all.
#[derive(Debug)]
pub(crate) struct EntryTotals {
    classes: usize,
    totals: Vec<Total>,
    /// For each class: an exact total is known of at least one process.
    pub(crate) known: Vec<bool>,
}

impl EntryTotals {
    /// The kernel's count is of a whole lifetime and stands at its last entry. Where rows are to tell the entries
    /// of a lifetime apart, what the samples say of the earlier ones is taken off it, so that
    /// `sh -c 'work; exec tool'` does not charge the shell's work to the tool.
    pub(crate) fn new(
        recording: &Recording,
        classes: &[Class],
        lifetimes: &Lifetimes,
        apart: bool,
    ) -> EntryTotals {
        let width = classes.len();
        let weights = weights(recording, classes);
        let counted = |entry: ProcessId, class: &Class| {
            let process = recording.process(entry)?;
            process.event_totals.get(usize::from(class.event.0)).copied()
        };
        let mut known = vec![false; width];
        let mut earlier = vec![0u64; width * lifetimes.len()];
        let entries = || (0..recording.processes.len() as u32).map(ProcessId);
        for entry in entries() {
            let Some(lifetime) = lifetimes.of(entry) else { continue };
            for (index, class) in classes.iter().enumerate() {
                if lifetimes.is_last(entry) {
                    known[index] |= counted(entry, class).is_some();
                } else {
                    let earlier = &mut earlier[lifetime.0 as usize * width + index];
                    *earlier = earlier.saturating_add(weights[entry.0 as usize * width + index]);
                }
            }
        }
        let mut totals = Vec::with_capacity(weights.len());
        for entry in entries() {
            for (index, class) in classes.iter().enumerate() {
                let weight = weights[entry.0 as usize * width + index];
                let total = lifetimes.of(entry).and_then(|lifetime| {
                    let of_lifetime = counted(lifetimes.last(lifetime), class)?;
                    let earlier = earlier[lifetime.0 as usize * width + index];
                    Some(match (lifetimes.is_last(entry), earlier) {
                        (true, _) if !apart => Total { value: of_lifetime, exact: true },
                        (false, _) if !apart => Total::ZERO,
                        (true, 0) => Total { value: of_lifetime, exact: true },
                        (true, _) => {
                            Total { value: of_lifetime.saturating_sub(earlier).max(weight), exact: false }
                        }
                        (false, _) => Total { value: weight, exact: weight == 0 },
                    })
                });
                totals.push(total.unwrap_or(Total { value: weight, exact: false }));
            }
        }
        EntryTotals { classes: width, totals, known }
    }

    /// The totals of an entry, one for each class.
    pub(crate) fn of(&self, entry: usize) -> &[Total] {
        self.totals.get(entry * self.classes..(entry + 1) * self.classes).unwrap_or_default()
    }
}

/// What the samples of each process entry stand for, for each class.
fn weights(recording: &Recording, classes: &[Class]) -> Vec<u64> {
    let width = classes.len();
    let class_of_event = ClassOfEvent::new(classes);
    let mut weights = vec![0u64; width * recording.processes.len()];
    for (key, count) in recording.counts.iter() {
        let Some(class) = class_of_event.get(key.event) else { continue };
        if let Some(weight) = weights.get_mut(key.process.0 as usize * width + class) {
            *weight = weight.saturating_add(count.weight);
        }
    }
    weights
}
