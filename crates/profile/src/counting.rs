//! What counting gives, without any sample: the words between who counts and who prints.

use crate::{CommandEnd, Process, Timestamp};

/// An event as it is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedEvent {
    /// The name in its canonical spelling, with `:u` or `:k` where it is counted in user code or the kernel alone.
    pub name: String,
    /// The group that it is counted with; `None` for an event on its own.
    pub group: Option<u32>,
    /// Counted in user mode.
    pub user: bool,
    /// Counted in the kernel.
    pub kernel: bool,
    /// One count is one nanosecond (cpu-clock, task-clock).
    pub nanoseconds: bool,
    /// Factor from the count to `unit`; 1 where the event's PMU names none.
    pub scale: f64,
    /// Unit of the scaled count, such as `Joules`; empty where the event's PMU names none.
    pub unit: String,
}

/// How often an event happened, as far as the kernel had a counter for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCount {
    /// How often it happened while it was counted.
    pub value: u64,
    /// How long it was meant to be counted, in nanoseconds.
    pub time_enabled: u64,
    /// How long it was counted, in nanoseconds: less where events had to share the hardware's counters in turns.
    pub time_running: u64,
}

impl EventCount {
    /// It was counted all the time that it was meant to be.
    pub fn is_complete(&self) -> bool {
        self.time_running >= self.time_enabled
    }

    /// The share of the time in which it was counted: 1.0 without turns.
    pub fn share_counted(&self) -> f64 {
        if self.is_complete() { 1.0 } else { self.time_running as f64 / self.time_enabled as f64 }
    }

    /// How often it happened, for all of the time: exact where it was counted throughout, else in proportion to the
    /// share. `None` where it was meant to be counted and never was.
    pub fn scaled(&self) -> Option<u64> {
        if self.is_complete() {
            return Some(self.value);
        }
        let scaled = u128::from(self.value) * u128::from(self.time_enabled);
        let scaled = scaled.checked_div(u128::from(self.time_running))?;
        Some(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    /// What came since an earlier reading of the same counters.
    pub fn since(&self, earlier: &EventCount) -> EventCount {
        EventCount {
            value: self.value.saturating_sub(earlier.value),
            time_enabled: self.time_enabled.saturating_sub(earlier.time_enabled),
            time_running: self.time_running.saturating_sub(earlier.time_running),
        }
    }

    /// This and what other counters of the event counted.
    pub fn plus(&self, other: &EventCount) -> EventCount {
        EventCount {
            value: self.value.saturating_add(other.value),
            time_enabled: self.time_enabled.saturating_add(other.time_enabled),
            time_running: self.time_running.saturating_add(other.time_running),
        }
    }
}

/// What was counted in one place: on a CPU, or in a task and what it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedPlace {
    /// The CPU's number, or the thread's.
    pub id: u32,
    /// For each event, in their order; `None` for one that this place does not count.
    pub counts: Vec<Option<EventCount>>,
}

/// The counts of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedInterval {
    /// When it ended, in nanoseconds since counting started.
    pub end: u64,
    /// How long it was, in nanoseconds.
    pub duration: u64,
    /// For each event, in their order, what was counted in it.
    pub counts: Vec<EventCount>,
    /// The same of each place, where these were to be told apart.
    pub places: Vec<CountedPlace>,
}

/// A process of the command, from its fork to its end, over all programs that it executed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedProcess {
    /// As it was at its end; its `event_totals` are the counts, empty where they are not known.
    pub process: Process,
    /// When it was forked; of the command itself, when that was executed.
    pub started: Timestamp,
}

impl CountedProcess {
    /// How long it lasted, in nanoseconds; `None` where it outlived the count.
    pub fn wall_time(&self) -> Option<u64> {
        Some(self.process.ended?.0.saturating_sub(self.started.0))
    }
}

/// How long tasks kept CPUs busy, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In their own code.
    pub user: u64,
    /// In the kernel on their behalf.
    pub system: u64,
}

impl CpuTime {
    /// What came since an earlier reading.
    pub fn since(&self, earlier: &CpuTime) -> CpuTime {
        CpuTime {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// What counting once gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountedRun {
    /// For each event, in their order.
    pub counts: Vec<EventCount>,
    /// The same of each place, where these were to be told apart.
    pub places: Vec<CountedPlace>,
    /// How long it was counted, in nanoseconds.
    pub wall_time: u64,
    /// The CPU time of the command and of those of its descendants that were waited for, as the kernel's accounting has
    /// it; `None` where there was no command, or where it goes on.
    pub cpu_time: Option<CpuTime>,
    /// How the command ended; `None` where there was none.
    pub end: Option<CommandEnd>,
    /// The processes, where each was to be counted, in the order of their starts.
    pub processes: Vec<CountedProcess>,
    /// Records of processes that the kernel could not deliver.
    pub lost_records: u64,
}

/// The processes that a profile has followed: its entries joined to whole lives.
pub fn counted_processes(entries: Vec<Process>) -> Vec<CountedProcess> {
    let mut goes_on = vec![false; entries.len()];
    let mut started: Vec<Timestamp> = Vec::with_capacity(entries.len());
    for entry in &entries {
        // An entry comes after the one that it goes on from.
        let before =
            entry.before_exec.map(|before| before.0 as usize).filter(|&before| before < started.len());
        if let Some(before) = before {
            goes_on[before] = true;
        }
        started.push(before.map_or(entry.started, |before| started[before]));
    }
    let lives = entries.into_iter().zip(started).zip(goes_on).filter(|(_, goes_on)| !goes_on);
    lives.map(|((process, started), _)| CountedProcess { process, started }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcessId;

    fn count(value: u64, time_enabled: u64, time_running: u64) -> EventCount {
        EventCount { value, time_enabled, time_running }
    }

    #[test]
    fn what_was_counted_in_turns_is_scaled() {
        assert_eq!(count(1_000, 100, 100).scaled(), Some(1_000));
        assert_eq!(count(1_000, 100, 25).scaled(), Some(4_000));
        assert_eq!(count(1_000, 100, 25).share_counted(), 0.25);
        assert_eq!(count(u64::MAX, u64::MAX, 1).scaled(), Some(u64::MAX));
    }

    #[test]
    fn what_was_never_counted_is_not_nothing() {
        assert_eq!(count(0, 100, 0).scaled(), None);
        assert_eq!(count(0, 100, 0).share_counted(), 0.0);
        // The task never ran, so there was nothing to miss.
        assert_eq!(count(0, 0, 0).scaled(), Some(0));
    }

    #[test]
    fn readings_are_subtracted_and_added() {
        let (early, late) = (count(10, 100, 50), count(25, 300, 200));
        assert_eq!(late.since(&early), count(15, 200, 150));
        assert_eq!(late.since(&early).plus(&early), late);
        assert_eq!(early.since(&late), count(0, 0, 0));
    }

    #[test]
    fn a_process_that_executes_programs_is_one() {
        let entry = |pid, before: Option<u32>, started, ended| Process {
            pid,
            before_exec: before.map(ProcessId),
            started: Timestamp(started),
            ended: Some(Timestamp(ended)),
            ..Process::default()
        };
        let entries = vec![
            entry(1, None, 10, 90),
            entry(2, None, 20, 30),
            entry(2, Some(1), 30, 40),
            entry(2, Some(2), 40, 60),
        ];
        let lives = counted_processes(entries);
        let lives: Vec<_> = lives.iter().map(|life| (life.process.pid, life.wall_time())).collect();
        assert_eq!(lives, [(1, Some(80)), (2, Some(40))]);
    }
}
