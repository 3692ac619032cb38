//! The event that is compared.

use std::fmt;

use oprof_profile::Event;

use super::run::DiffRun;
use crate::class::fixed_count;
use crate::printable::printable;

/// The event that is compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    /// As the first recording has it.
    pub(crate) event: Event,
    /// Its index in each run, those before first.
    pub(crate) of_run: Vec<usize>,
    /// The names of other events that all have.
    pub(crate) others: Vec<String>,
}

/// No event is there to compare: the events that each side's recordings have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct NoEvent {
    /// What was asked for, if anything.
    pub asked: Option<String>,
    /// The names of the events that all recordings before have.
    pub before: Vec<String>,
    /// The same of those after.
    pub after: Vec<String>,
}

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| match names {
            [] => "none in all recordings".to_owned(),
            names => names.iter().map(|name| printable(name).into_owned()).collect::<Vec<_>>().join(", "),
        };
        match &self.asked {
            Some(asked) => write!(f, "event '{}' is not on both sides", printable(asked))?,
            None => f.write_str("no event is on both sides")?,
        }
        write!(f, "; before: {}; after: {}", list(&self.before), list(&self.after))?;
        let common = self.before.iter().any(|name| self.after.contains(name));
        f.write_str(if common { "; choose with --event" } else { "; record both with the same -e" })
    }
}

/// Chooses the event that was asked for, else the first of the first recording that all have. Events are the same by
/// their names; where a recording has several of a name, the count and the unit mask tell.
pub(crate) fn choose(before: &[DiffRun], after: &[DiffRun], asked: Option<&str>) -> Result<Chosen, NoEvent> {
    let (of_before, of_after) = (common(before), common(after));
    let mut all: Vec<&Event> =
        of_before.iter().filter(|event| after.iter().all(|run| like(run, event).is_some())).collect();
    let chosen = match asked {
        Some(asked) => all.iter().position(|event| is_asked(event, asked)),
        None => Some(0).filter(|_| !all.is_empty()),
    };
    let Some(event) = chosen.map(|chosen| all.remove(chosen).clone()) else {
        let names = |events: &[Event]| {
            let name = |event: &Event| {
                let namesake = events.iter().find(|other| other.name == event.name && *other != event);
                namesake.map_or_else(|| event.name.clone(), |other| name_beside(event, other))
            };
            events.iter().map(name).collect()
        };
        return Err(NoEvent {
            asked: asked.map(str::to_owned),
            before: names(&of_before),
            after: names(&of_after),
        });
    };
    let of_run = before.iter().chain(after).map(|run| like(run, &event).unwrap_or(0)).collect();
    let others = all.into_iter().map(|other| name_beside(other, &event)).collect();
    Ok(Chosen { event, of_run, others })
}

/// The events of the first run that all have.
fn common(runs: &[DiffRun]) -> Vec<Event> {
    let events = runs.first().map_or(&[][..], DiffRun::events);
    events.iter().filter(|event| runs.iter().all(|run| like(run, event).is_some())).cloned().collect()
}

/// The event of a run that is most like this one, of those that have its name.
fn like(run: &DiffRun, event: &Event) -> Option<usize> {
    let named = run.events().iter().enumerate().filter(|(_, other)| other.name == event.name);
    let differs =
        |other: &Event| (other.unit_mask != event.unit_mask, fixed_count(other) != fixed_count(event));
    named.min_by_key(|(_, other)| differs(other)).map(|(index, _)| index)
}

/// It goes by this name, or by it with its count, and with its unit mask after that: `cycles:100000:0x1`.
fn is_asked(event: &Event, asked: &str) -> bool {
    let count = fixed_count(event).map(|count| format!("{}:{count}", event.name));
    let with_mask = count.as_ref().map(|name| format!("{name}:{:#x}", event.unit_mask));
    event.name == asked || count.as_deref() == Some(asked) || with_mask.as_deref() == Some(asked)
}

/// What to call an event beside another: with its count and unit mask where the names are the same.
fn name_beside(event: &Event, other: &Event) -> String {
    match fixed_count(event) {
        Some(count) if event.name == other.name => format!("{}:{count}:{:#x}", event.name, event.unit_mask),
        _ => event.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use oprof_profile::{NameStyle, Recording, Sampling};

    use super::*;
    use crate::diff::DiffBy;

    fn run(events: &[(&str, u64, u64)]) -> DiffRun {
        let event = |&(name, count, unit_mask): &(&str, u64, u64)| Event {
            name: name.to_owned(),
            description: String::new(),
            unit_mask,
            unit_mask_description: String::new(),
            sampling: Sampling::Count(count),
            user: true,
            kernel: true,
            nanoseconds: false,
            group: None,
        };
        let recording = Recording { events: events.iter().map(event).collect(), ..Recording::default() };
        DiffRun::new("r", &recording, DiffBy::Image, NameStyle::default())
    }

    #[test]
    fn events_of_a_name_are_told_by_count_and_unit_mask() {
        let before = [run(&[("a", 1, 0), ("a", 2, 0), ("b", 1, 0)])];
        let after = [run(&[("b", 1, 0), ("a", 2, 0), ("a", 1, 0)])];
        let of_run = |asked| choose(&before, &after, asked).map(|chosen| chosen.of_run);
        assert_eq!(of_run(None), Ok(vec![0, 2]));
        assert_eq!(of_run(Some("a:2")), Ok(vec![1, 1]));
        assert_eq!(of_run(Some("a:2:0x0")), Ok(vec![1, 1]));
        assert_eq!(of_run(Some("b")), Ok(vec![2, 0]));
        assert_eq!(
            choose(&before, &after, None).map(|chosen| chosen.others),
            Ok(vec!["a:2:0x0".to_owned(), "b".to_owned()])
        );
        assert!(of_run(Some("a:3")).is_err_and(|no| no.to_string().contains("before: a:1:0x0, a:2:0x0, b")));
    }
}
