//! Who may place probes (uprobes), and where: those who may see all of the system, whatever they want to see of it, and
//! never on a task that leaves its counters to others.

use std::io::ErrorKind;

use oprof_events::{EventConfig, EventKind};

use crate::Error;
use crate::attribute;
use crate::counter::{Attachment, Counter};

/// Refuses probes to those who may not place any: the kernel's own word would be that of an event that takes less.
pub(crate) fn check<'a>(events: impl IntoIterator<Item = &'a EventConfig>) -> Result<(), Error> {
    for event in events.into_iter().filter(|event| event.kind == EventKind::Probe) {
        match Counter::open(&attribute::trial(event, false), Attachment::Myself) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(Error::ProbesNeedPrivilege { event: event.spec.clone() });
            }
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                return Err(Error::NoInstruction { event: event.spec.clone() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The first of these events that is a probe, and so must not be inherited: a task with a counter that is could start no
/// thread and no process any more.
///
/// The kernel makes the child's counter anew from the attribute, and reads the probe's path once more from where it was in
/// the memory of the process that opened the first one (`perf_uprobe_init` in kernel/trace/trace_event_perf.c): clone(2)
/// fails in the task with EFAULT.
pub(crate) fn first<'a>(events: impl IntoIterator<Item = &'a EventConfig>) -> Option<&'a EventConfig> {
    events.into_iter().find(|event| event.kind == EventKind::Probe)
}

/// Refuses probes where counters would be inherited; `instead` says what would do.
pub(crate) fn refuse_inherited<'a>(
    events: impl IntoIterator<Item = &'a EventConfig>,
    instead: &'static str,
) -> Result<(), Error> {
    match first(events) {
        Some(event) => Err(Error::InheritedProbe { event: event.spec.clone(), instead }),
        None => Ok(()),
    }
}
