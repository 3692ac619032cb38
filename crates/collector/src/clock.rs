//! The clock of the times that the kernel gives and that we read beside them: one for all of the program.

use std::sync::atomic::{AtomicI32, Ordering};

use oprof_events::EventConfig;
use oprof_profile::{Clock, Timestamp};
use perf_event_open_sys::bindings::perf_event_attr;
use rustix::time::{ClockId, clock_gettime};

use crate::Error;
use crate::attribute;
use crate::counter::{Attachment, Counter};

/// The kernel's number of the clock.
static NUMBER: AtomicI32 = AtomicI32::new(libc::CLOCK_MONOTONIC);

/// Takes this clock from now on, where all events can do with it.
pub(crate) fn choose<'a>(
    clock: Clock,
    events: impl IntoIterator<Item = &'a EventConfig>,
) -> Result<(), Error> {
    NUMBER.store(clock.number(), Ordering::Relaxed);
    if clock == Clock::Monotonic {
        return Ok(());
    }
    for event in events {
        let mut attr = attribute::trial(event, false);
        attr.set_exclude_kernel(1);
        attr.set_exclude_hv(1);
        let open = |attr: &perf_event_attr| {
            Counter::open(attr, Attachment::Myself).err().and_then(|error| error.raw_os_error())
        };
        let refusal = open(&attr);
        attr.clockid = Clock::Monotonic.number();
        if refusal == Some(libc::EINVAL) && open(&attr) != Some(libc::EINVAL) {
            NUMBER.store(Clock::Monotonic.number(), Ordering::Relaxed);
            return Err(Error::Clock { event: event.spec.clone(), clock });
        }
    }
    Ok(())
}

/// The kernel's number of the clock, for `perf_event_attr.clockid`.
pub(crate) fn number() -> i32 {
    NUMBER.load(Ordering::Relaxed)
}

/// The time on the recording's clock.
pub(crate) fn now() -> Timestamp {
    let clock = match number() {
        libc::CLOCK_MONOTONIC_RAW => ClockId::MonotonicRaw,
        libc::CLOCK_BOOTTIME => ClockId::Boottime,
        _ => ClockId::Monotonic,
    };
    time(clock)
}

/// The time that CLOCK_MONOTONIC showed, by which compilers date what they tell of their code.
pub fn monotonic(at: Timestamp) -> Timestamp {
    if number() == libc::CLOCK_MONOTONIC {
        return at;
    }
    Timestamp(time(ClockId::Monotonic).0.saturating_sub(now().0.saturating_sub(at.0)))
}

fn time(clock: ClockId) -> Timestamp {
    let time = clock_gettime(clock);
    Timestamp(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}
