//! Trial opens: what the kernel would let us do.

use oprof_events::EventConfig;

use crate::Error;
use crate::attribute;
use crate::counter::{Attachment, Counter};

fn open(event: &EventConfig, sampling: bool) -> Result<(), Error> {
    let attachment = match event.cpus.as_deref() {
        Some([first, ..]) if event.count_only => Attachment::Cpu(*first),
        _ => Attachment::Myself,
    };
    Counter::open(&attribute::trial(event, sampling), attachment)
        .map(|_| ())
        .map_err(|source| Error::Open { event: event.spec.clone(), source })
}

/// Tries to open an event for counting in this process.
///
/// # Errors
/// The kernel's refusal, with its cause.
pub fn count_here(event: &EventConfig) -> Result<(), Error> {
    open(event, false)
}

/// Tries to open an event for sampling this process.
///
/// # Errors
/// The kernel's refusal, with its cause.
pub fn sample_here(event: &EventConfig) -> Result<(), Error> {
    open(event, true)
}
