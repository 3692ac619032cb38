//! The kernel's tracepoints: thousands, of which none needs to be tried.

use oprof_events::{Error, EventGroup, ListedEvent, System};

use super::entry::{Entry, State};
use super::layout::{PLAIN_WIDTH, columns};
use super::refusal::Machine;
use super::trial;
use crate::paragraph::wrapped;

/// An event that happens in kernel code alone, as tracepoints do.
const IN_KERNEL_CODE: &str = "context-switches";

/// The tracepoints that match, by subsystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tracepoints {
    /// They can be opened.
    Open(Vec<Subsystem>),
    /// They cannot, for this reason.
    Refused(String, Vec<Subsystem>),
    /// Not even their names can be read, for this reason.
    Unreadable(String),
}

/// A subsystem with the full names of its tracepoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subsystem {
    pub(crate) name: String,
    pub(crate) tracepoints: Vec<String>,
}

impl Tracepoints {
    /// Sorts the listed ones by subsystem, and tries an event that the kernel permits as it permits them.
    pub(crate) fn read(system: &System, machine: &Machine, listed: Vec<ListedEvent>) -> Tracepoints {
        let Some(one) = listed.first().map(|event| event.spec.clone()) else {
            // None match, or none can be read. A name without control files stands for all.
            return match system.resolve("sched:sched_switch") {
                Err(Error::Tracefs { reason, .. }) => Tracepoints::Unreadable(unreadable(&reason)),
                _ => Tracepoints::Open(Vec::new()),
            };
        };
        let subsystems = by_subsystem(listed);
        // To close a tracepoint takes the kernel tens of milliseconds: it waits until no CPU can still be in it. Without
        // the raw data, which nobody asks for here, they need what any event in kernel code needs
        // (perf_trace_event_perm in kernel/trace/trace_event_perf.c).
        let resolved = system.resolve(&one).and_then(|_| system.resolve(IN_KERNEL_CODE));
        match resolved.map(|configs| trial::state(&configs, machine)) {
            Ok(_) if !system.pmus().iter().any(|pmu| pmu.name == "tracepoint") => {
                Tracepoints::Refused("this kernel does not have them".to_owned(), subsystems)
            }
            Ok(State::Refused(reason)) => Tracepoints::Refused(reason, subsystems),
            Ok(_) => Tracepoints::Open(subsystems),
            Err(Error::Tracefs { reason, .. }) => Tracepoints::Refused(unreadable(&reason), subsystems),
            Err(error) => Tracepoints::Refused(error.to_string(), subsystems),
        }
    }

    /// They as entries, each in the state of all.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let (state, subsystems) = match self {
            Tracepoints::Open(subsystems) => (State::Samples, subsystems.as_slice()),
            Tracepoints::Refused(reason, subsystems) => {
                (State::Refused(reason.clone()), subsystems.as_slice())
            }
            Tracepoints::Unreadable(_) => (State::Untried, &[][..]),
        };
        let entry = |name: &String| Entry {
            name: name.clone(),
            aliases: Vec::new(),
            description: String::new(),
            group: "tracepoints".to_owned(),
            table_event: None,
            configs: Vec::new(),
            state: state.clone(),
        };
        subsystems.iter().flat_map(|subsystem| &subsystem.tracepoints).map(entry).collect()
    }

    /// None match.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Tracepoints::Open(subsystems) | Tracepoints::Refused(_, subsystems) => subsystems.is_empty(),
            Tracepoints::Unreadable(_) => true,
        }
    }

    /// The lines of the list: every tracepoint by name, or the subsystems alone.
    pub(crate) fn lines(&self, by_name: bool, width: Option<usize>) -> Vec<String> {
        let (title, subsystems) = match self {
            Tracepoints::Unreadable(reason) => {
                return wrapped(&format!("tracepoints: none: {reason}"), 4, width);
            }
            Tracepoints::Open(subsystems) if subsystems.is_empty() => return Vec::new(),
            Tracepoints::Refused(reason, subsystems) => {
                (format!("tracepoints: none can be opened: {reason}"), subsystems)
            }
            Tracepoints::Open(subsystems) if by_name => ("tracepoints:".to_owned(), subsystems),
            Tracepoints::Open(subsystems) => (summary(subsystems), subsystems),
        };
        let mut lines = wrapped(&title, 4, width);
        if by_name {
            let names = subsystems.iter().flat_map(|subsystem| &subsystem.tracepoints);
            lines.extend(names.map(|name| format!("  {name}")));
        } else {
            let cell =
                |subsystem: &Subsystem| format!("{} ({})", subsystem.name, subsystem.tracepoints.len());
            let cells: Vec<_> = subsystems.iter().map(cell).collect();
            lines.extend(columns(&cells, width.unwrap_or(PLAIN_WIDTH)));
        }
        lines
    }
}

fn summary(subsystems: &[Subsystem]) -> String {
    let all: usize = subsystems.iter().map(|subsystem| subsystem.tracepoints.len()).sum();
    let example = subsystems.iter().find(|subsystem| subsystem.name == "sched").unwrap_or(&subsystems[0]);
    format!(
        "tracepoints: {all} in {} subsystems; those of one: oprof list {}:",
        subsystems.len(),
        example.name
    )
}

/// They come sorted.
fn by_subsystem(listed: Vec<ListedEvent>) -> Vec<Subsystem> {
    let mut subsystems: Vec<Subsystem> = Vec::new();
    for event in listed {
        let EventGroup::Tracepoint(name) = event.group else { continue };
        if subsystems.last().is_none_or(|last| last.name != name) {
            subsystems.push(Subsystem { name, tracepoints: Vec::new() });
        }
        subsystems.last_mut().expect("just added").tracepoints.push(event.spec);
    }
    subsystems
}

/// Why tracefs cannot be read, and what would help.
fn unreadable(reason: &str) -> String {
    match reason.contains("ermission denied") {
        true => "tracefs is for root alone; run as root, or see `oprof doctor`".to_owned(),
        false => "tracefs is not mounted; as root: mount -t tracefs nodev /sys/kernel/tracing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Subsystem> {
        let subsystem = |name: &str, tracepoints: &[&str]| Subsystem {
            name: name.to_owned(),
            tracepoints: tracepoints.iter().map(|&name| name.to_owned()).collect(),
        };
        vec![
            subsystem("irq", &["irq:irq_handler_entry"]),
            subsystem("sched", &["sched:sched_switch", "sched:sched_waking"]),
        ]
    }

    #[test]
    fn without_a_word_subsystems_are_counted() {
        let lines = Tracepoints::Open(some()).lines(false, None);
        assert_eq!(
            lines,
            ["tracepoints: 3 in 2 subsystems; those of one: oprof list sched:", "  irq (1)      sched (2)"]
        );
    }

    #[test]
    fn with_a_word_each_has_a_line() {
        let lines = Tracepoints::Open(some()).lines(true, Some(20));
        let names = ["  irq:irq_handler_entry", "  sched:sched_switch", "  sched:sched_waking"];
        assert_eq!(lines[0], "tracepoints:");
        assert_eq!(lines[1..], names, "names are never cut");
    }

    #[test]
    fn what_cannot_be_read_is_one_line_with_its_cure() {
        let lines =
            Tracepoints::Unreadable(unreadable("No such file or directory (os error 2)")).lines(false, None);
        assert_eq!(
            lines,
            [
                "tracepoints: none: tracefs is not mounted; as root: mount -t tracefs nodev /sys/kernel/tracing"
            ]
        );
        assert!(unreadable("Permission denied (os error 13)").contains("root alone"));
    }
}
