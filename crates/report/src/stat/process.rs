//! The counts of single processes.

use oprof_profile::{CountedProcess, EventCount};

use super::command_of;

/// What a process counted of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessCount {
    /// How often the event happened in it.
    pub value: u64,
    /// It was counted throughout; else in turns, and scaled as the total was.
    pub exact: bool,
    /// What its counters had, before any scaling.
    pub raw: u64,
}

/// What one process counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatProcess {
    /// Its process id.
    pub pid: u32,
    /// Its command line, as it was last; a name in brackets where that was gone too soon.
    pub command: String,
    /// How long it lasted, in nanoseconds; `None` where it outlived the count.
    pub wall_time: Option<u64>,
    /// For each event; empty where that is not known.
    pub counts: Vec<ProcessCount>,
}

/// The processes, by the first event's count.
pub(super) fn processes(counted: &[CountedProcess], totals: &[EventCount]) -> Vec<StatProcess> {
    let mut processes: Vec<StatProcess> = counted
        .iter()
        .map(|process| StatProcess {
            pid: process.process.pid,
            command: command_of(process),
            wall_time: process.wall_time(),
            counts: process
                .process
                .event_totals
                .iter()
                .zip(totals)
                .map(|(raw, total)| count(*raw, total))
                .collect(),
        })
        .collect();
    // Stable: those of equal counts stay in the order in which they began.
    processes.sort_by_key(|process| std::cmp::Reverse(process.counts.first().map(|count| count.value)));
    processes
}

/// A process's share of the time in which its event was counted is not known, only that of all together.
fn count(raw: u64, total: &EventCount) -> ProcessCount {
    let scaled = EventCount { value: raw, ..*total }.scaled();
    ProcessCount { value: scaled.unwrap_or(raw), exact: total.is_complete(), raw }
}
