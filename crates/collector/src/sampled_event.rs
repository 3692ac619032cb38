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

/// The event takes one of the hardware's counters.
pub(crate) fn is_in_hardware(event: &EventConfig) -> bool {
    !matches!(event.kind, EventKind::Software | EventKind::Tracepoint | EventKind::Breakpoint)
}
