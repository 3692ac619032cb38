//! How long the processes that were waited for kept CPUs busy.

use std::time::Duration;

use oprof_profile::CpuTime;

/// The time of all descendants of this process that have ended and were waited for, by their parents and by us
/// (RUSAGE_CHILDREN of getrusage(2)).
pub(crate) fn of_children() -> CpuTime {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole rusage, which the kernel fills in and does not keep; for zeroes, which it keeps
    // where the call fails, every field is valid.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    CpuTime { user: nanoseconds(usage.ru_utime), system: nanoseconds(usage.ru_stime) }
}

fn nanoseconds(time: libc::timeval) -> u64 {
    let time =
        Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs());
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_that_was_waited_for_is_counted() {
        let before = of_children();
        let status = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"])
            .status();
        assert!(status.is_ok_and(|status| status.success()));
        let time = of_children().since(&before);
        assert!(time.user > 1_000_000, "{time:?}");
    }
}
