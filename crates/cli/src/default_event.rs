//! The event that is sampled when none is named.

use anyhow::Result;
use oprof_events::{EventConfig, System};

/// Cycles where this machine counts them; else cpu-clock, with a line that says so.
pub(crate) fn default_event(system: &System) -> Result<(Vec<EventConfig>, Option<String>)> {
    if let Some(cycles) = system.default_event()
        && cycles.iter().any(|event| opens(event))
    {
        return Ok((cycles, None));
    }
    let note = "this machine has no hardware counters to offer: sampling cpu-clock in place of cycles";
    Ok((system.resolve("cpu-clock")?, Some(note.to_owned())))
}

/// The kernel takes it, or refuses it only for the lack of a privilege, which is said later with its cure.
fn opens(event: &EventConfig) -> bool {
    match oprof_collector::sample_here(event) {
        Ok(()) => true,
        Err(oprof_collector::Error::Open { source, .. }) => source.kind() == std::io::ErrorKind::PermissionDenied,
        Err(_) => false,
    }
}
