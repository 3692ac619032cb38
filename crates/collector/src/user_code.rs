//! What is left of events for those who may not look into the kernel.

use oprof_events::{EventConfig, EventKind};
use perf_event_open_sys::bindings::{
    PERF_COUNT_SW_CGROUP_SWITCHES, PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_CPU_MIGRATIONS,
};

use crate::settings;

/// The event happens in the kernel's code alone: nothing of it is left for those who may not look there.
pub(crate) fn happens_in_kernel(event: &EventConfig) -> bool {
    const IN_KERNEL: [u32; 3] =
        [PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_CPU_MIGRATIONS, PERF_COUNT_SW_CGROUP_SWITCHES];
    match event.kind {
        EventKind::Tracepoint => true,
        EventKind::Software => IN_KERNEL.iter().any(|number| u64::from(*number) == event.config),
        _ => false,
    }
}

/// Leaves the kernel out of events that have user code besides; false where that changes nothing, or leaves nothing
/// of an event.
pub(crate) fn leave_out_kernel<'a>(events: impl IntoIterator<Item = &'a mut EventConfig>) -> bool {
    let mut events: Vec<&mut EventConfig> = events.into_iter().collect();
    if events.iter().any(|event| happens_in_kernel(event)) {
        return false;
    }
    let mut changed = false;
    for event in events.iter_mut().filter(|event| event.user && event.kernel) {
        event.kernel = false;
        event.hypervisor = false;
        changed = true;
    }
    changed
}

/// The sentence that says so; `done` is `sampled` or `counted`.
pub(crate) fn note(done: &str) -> String {
    format!(
        "only user code is {done}: kernel.perf_event_paranoid is {}; as root: sysctl kernel.perf_event_paranoid=1",
        settings::paranoid().map_or("unknown".to_owned(), |level| level.to_string())
    )
}

/// The event's name, with what tells it from the whole event where it was asked for in one kind of code.
pub(crate) fn name_as_asked(event: &EventConfig) -> String {
    let suffix = match (event.user, event.kernel) {
        (true, false) => ":u",
        (false, true) => ":k",
        _ => "",
    };
    format!("{}{suffix}", event.name)
}
