//! How long the processes that were waited for kept CPUs busy.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use oprof_profile::CpuTime;

/// The time of all descendants of this process that have ended and were waited for, by their parents and by us
/// (RUSAGE_CHILDREN of getrusage(2)).
pub(crate) fn of_children() -> CpuTime {
    let nanoseconds = |time: TimeVal| time.num_nanoseconds().unsigned_abs();
    // It fails for an unknown question alone.
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(CpuTime::default(), |usage| CpuTime {
        user: nanoseconds(usage.user_time()),
        system: nanoseconds(usage.system_time()),
    })
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
