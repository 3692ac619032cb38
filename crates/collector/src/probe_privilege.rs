//! Who may place probes (uprobes): those who may see all of the system, whatever they want to see of it.

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
