//! The kernel's software events, which exist on every machine.

use crate::config::{EventConfig, EventKind, TYPE_SOFTWARE};

/// A software event.
#[derive(Debug)]
pub(crate) struct SoftwareEvent {
    /// Canonical name first, then the other names in use.
    pub(crate) names: &'static [&'static str],
    /// Number in `enum perf_sw_ids` of the kernel's `include/uapi/linux/perf_event.h`.
    pub(crate) id: u64,
    /// What is counted.
    pub(crate) description: &'static str,
}

const fn event(names: &'static [&'static str], id: u64, description: &'static str) -> SoftwareEvent {
    SoftwareEvent { names, id, description }
}

/// All software events but bpf-output (10), which only a BPF program can raise.
pub(crate) const SOFTWARE_EVENTS: [SoftwareEvent; 11] = [
    event(&["cpu-clock"], 0, "nanoseconds of CPU time, by a timer on each CPU"),
    event(&["task-clock"], 1, "nanoseconds of CPU time, by each task's own clock"),
    event(&["page-faults", "faults"], 2, "page faults of either kind"),
    event(&["context-switches", "cs"], 3, "switches from one task to another"),
    event(&["cpu-migrations", "migrations"], 4, "moves of a task to another CPU"),
    event(&["minor-faults"], 5, "page faults served from memory"),
    event(&["major-faults"], 6, "page faults that waited for storage"),
    event(&["alignment-faults"], 7, "misaligned accesses that the kernel handled"),
    event(&["emulation-faults"], 8, "instructions that the kernel emulated"),
    event(&["dummy"], 9, "nothing; carries records of mappings and processes"),
    event(&["cgroup-switches"], 11, "switches to a task of another cgroup"),
];

/// Nanoseconds per sample by default: 997 a second, a prime that does not fall into step with timers of round rates.
const DEFAULT_NANOSECONDS: u64 = 1_003_009;
/// The kernel lifts shorter periods of its clock events to this (`perf_swevent_start_hrtimer`).
const MIN_NANOSECONDS: u64 = 10_000;

/// The event of this name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static SoftwareEvent> {
    SOFTWARE_EVENTS.iter().find(|event| event.names.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

impl SoftwareEvent {
    /// The canonical name.
    pub(crate) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Encodes the event. Clocks have a rate by default, the others are rare enough to be sampled one by one.
    pub(crate) fn encode(&self) -> EventConfig {
        let nanoseconds = self.id <= 1;
        let (default_count, min_count) =
            if nanoseconds { (DEFAULT_NANOSECONDS, MIN_NANOSECONDS) } else { (1, 1) };
        EventConfig {
            description: self.description.to_owned(),
            nanoseconds,
            default_count,
            min_count,
            ..EventConfig::new(self.name(), EventKind::Software, TYPE_SOFTWARE, self.id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_distinct() {
        let mut ids: Vec<_> = SOFTWARE_EVENTS.iter().map(|e| e.id).collect();
        ids.dedup();
        assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]);
        assert_eq!(find("CS").unwrap().name(), "context-switches");
        assert!(find("bpf-output").is_none());
    }

    #[test]
    fn only_the_clocks_count_nanoseconds() {
        let clocks: Vec<_> =
            SOFTWARE_EVENTS.iter().filter(|e| e.encode().nanoseconds).map(|e| e.name()).collect();
        assert_eq!(clocks, ["cpu-clock", "task-clock"]);
    }
}
