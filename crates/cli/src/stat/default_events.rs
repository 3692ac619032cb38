//! The events that are counted when none is named.

use anyhow::Result;
use oprof_events::{EventConfig, EventKind, System};

/// The usual ones, in the order in which they are printed; of whole CPUs the clock is another.
const CLOCK: &str = "task-clock";
const CLOCK_OF_CPUS: &str = "cpu-clock";
const OTHERS: [&str; 7] = [
    "context-switches",
    "cpu-migrations",
    "page-faults",
    "cycles",
    "instructions",
    "branches",
    "branch-misses",
];

/// Those of the usual events that can be counted here, and a sentence on those that cannot.
pub(super) fn default_events(system: &System, of_cpus: bool) -> Result<(Vec<EventConfig>, Vec<String>)> {
    let clock = if of_cpus { CLOCK_OF_CPUS } else { CLOCK };
    let (mut events, mut no_counter, mut not_permitted) = (Vec::new(), Vec::new(), Vec::new());
    let mut refusal = None;
    for name in [clock].into_iter().chain(OTHERS) {
        let resolved = system.resolve(name).unwrap_or_default();
        let before = events.len();
        for event in &resolved {
            match oprof_collector::countable_here(event) {
                Ok(event) => events.push(event),
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        if events.len() == before {
            let is_software = resolved.iter().any(|event| event.kind == EventKind::Software);
            if is_software { &mut not_permitted } else { &mut no_counter }.push(name);
        }
    }
    match refusal {
        Some(error) if events.is_empty() => return Err(error.into()),
        _ => {}
    }
    let mut reasons = Vec::new();
    if !no_counter.is_empty() {
        reasons.push(format!("{} (this machine has no hardware counters to offer)", no_counter.join(", ")));
    }
    if !not_permitted.is_empty() {
        reasons.push(format!("{} (happen in the kernel; run as root)", not_permitted.join(", ")));
    }
    let note = (!reasons.is_empty()).then(|| format!("not counted here: {}", reasons.join("; ")));
    Ok((events, note.into_iter().collect()))
}
