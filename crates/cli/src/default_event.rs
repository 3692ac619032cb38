//! The event that is sampled when none is named.

use anyhow::Result;
use oprof_collector::Opening;
use oprof_events::{EventConfig, System};

/// Cycles where this machine counts them; else cpu-clock, with a line that says so (`doing`: sampling, counting).
pub(crate) fn default_event(system: &System, doing: &str) -> Result<(Vec<EventConfig>, Vec<String>)> {
    if let Some(cycles) = system.default_event()
        && cycles.iter().any(|event| {
            matches!(oprof_collector::opening_here(event), Ok(Opening::Samples | Opening::UserSamples))
        })
    {
        return Ok((cycles, Vec::new()));
    }
    let note =
        format!("this machine has no hardware counters to offer: {doing} cpu-clock in place of cycles");
    Ok((system.resolve("cpu-clock")?, vec![note]))
}
