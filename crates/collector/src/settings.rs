//! The kernel's settings for perf events, under /proc/sys/kernel.

use std::fs;
use std::path::Path;

/// What lets every user have more ring buffer, as part of a sentence.
pub const RAISE_LOCKED_MEMORY: &str = "as root: sysctl kernel.perf_event_mlock_kb=2048";

/// The kernel's settings for perf events, as sysctl(8) names them under `kernel.`; `None` where one cannot be
/// read. Documented in the kernel's `Documentation/admin-guide/sysctl/kernel.rst`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `perf_event_paranoid`: -1 allows everything to everyone, 2 only one's own processes in user mode; some
    /// distributions add 3 and more, which allow nothing.
    pub paranoid: Option<i64>,
    /// `perf_event_max_sample_rate`, in samples per second and CPU.
    pub max_sample_rate: Option<u64>,
    /// `perf_event_mlock_kb`: how much ring buffer, in KB per CPU, every user may have.
    pub mlock_kb: Option<u64>,
    /// `kptr_restrict`: 2 shows kernel addresses to nobody, 1 to root (CAP_SYSLOG), 0 also to those who may profile the
    /// kernel (`perf_event_paranoid` of 1 or less).
    pub kptr_restrict: Option<i64>,
    /// `perf_cpu_time_max_percent`: above this share of a CPU for sampling the kernel lowers the sample rate; 0 and
    /// 100 let it be.
    pub cpu_time_max_percent: Option<u64>,
    /// `nmi_watchdog`: whether the kernel watches for hard lockups, which may take a hardware counter.
    pub nmi_watchdog: Option<u64>,
}

impl Settings {
    /// What is set now.
    pub fn read() -> Settings {
        Settings {
            paranoid: paranoid(),
            max_sample_rate: max_sample_rate(),
            mlock_kb: number("perf_event_mlock_kb"),
            kptr_restrict: number("kptr_restrict"),
            cpu_time_max_percent: number("perf_cpu_time_max_percent"),
            nmi_watchdog: number("nmi_watchdog"),
        }
    }
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?.trim().parse().ok()
}

pub(crate) fn paranoid() -> Option<i64> {
    number("perf_event_paranoid")
}

pub(crate) fn max_sample_rate() -> Option<u64> {
    number("perf_event_max_sample_rate")
}
