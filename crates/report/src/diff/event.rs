//! The event that is compared.

use std::fmt;

use oprof_profile::Event;

use super::run::DiffRun;
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

/// Chooses the event that was asked for, else the first of the first recording that all have.
pub(crate) fn choose(before: &[DiffRun], after: &[DiffRun], asked: Option<&str>) -> Result<Chosen, NoEvent> {
    let common = |runs: &[DiffRun]| -> Vec<String> {
        let (first, rest) = match runs {
            [first, rest @ ..] => (first, rest),
            [] => return Vec::new(),
        };
        let has = |run: &DiffRun, name: &str| run.events().iter().any(|event| event.name == name);
        let names = first.events().iter().map(|event| event.name.clone());
        names.filter(|name| rest.iter().all(|run| has(run, name))).collect()
    };
    let (of_before, of_after) = (common(before), common(after));
    let mut all: Vec<&String> = of_before.iter().filter(|name| of_after.contains(name)).collect();
    all.dedup();
    let name = match asked {
        Some(asked) => all.iter().find(|name| name.as_str() == asked),
        None => all.first(),
    };
    let Some(name) = name.map(|name| (*name).clone()) else {
        return Err(NoEvent { asked: asked.map(str::to_owned), before: of_before, after: of_after });
    };
    let index = |run: &DiffRun| run.events().iter().position(|event| event.name == name).unwrap_or(0);
    let of_run: Vec<usize> = before.iter().chain(after).map(index).collect();
    let event = before.first().and_then(|run| run.events().get(of_run[0]).cloned());
    let others = all.into_iter().filter(|other| **other != name).cloned().collect();
    match event {
        Some(event) => Ok(Chosen { event, of_run, others }),
        None => Err(NoEvent { asked: asked.map(str::to_owned), before: of_before, after: of_after }),
    }
}
