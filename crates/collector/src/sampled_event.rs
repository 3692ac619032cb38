//! Events as they are sampled.

use oprof_events::{EventConfig, EventKind};
use oprof_profile::Sampling;

/// An event and how it is sampled.
#[derive(Clone, Debug)]
pub(crate) struct SampledEvent {
    pub(crate) config: EventConfig,
    pub(crate) sampling: Sampling,
    /// No samples are taken of idle CPUs.
    pub(crate) exclude_idle: bool,
}

impl SampledEvent {
    /// It leads the group that this event is in, and is sampled for all of it. (On a processor with two kinds of cores
    /// each kind has a leader of its own.)
    pub(crate) fn is_sampled_for(&self, other: &EventConfig) -> bool {
        let group = other.group.filter(|group| group.leader_samples);
        group.is_some() && self.config.group == group && self.config.cpus == other.cpus
    }

    /// Its samples say what all events of its group have counted.
    pub(crate) fn reads_group(&self) -> bool {
        self.sampling != Sampling::WithLeader && self.config.group.is_some_and(|group| group.leader_samples)
    }
}

/// The event takes one of the hardware's counters.
pub(crate) fn is_in_hardware(event: &EventConfig) -> bool {
    !matches!(
        event.kind,
        EventKind::Software | EventKind::Tracepoint | EventKind::Breakpoint | EventKind::Probe
    )
}
