//! The counters of the processor, and what is sampled.

use oprof_collector::Opening;
use rustix::io::Errno;

use crate::doctor::check::Check;
use crate::doctor::facts::Facts;

/// Whether cycles can be sampled.
pub(crate) fn counters(facts: &Facts) -> Check {
    const WHAT: &str = "hardware counters";
    let pmus = facts.core_pmus.join(", ");
    match facts.cycles {
        Ok(Opening::Samples) => Check::ok(WHAT, format!("PMU {pmus}: cycles can be sampled")),
        Ok(Opening::UserSamples) => {
            Check::ok(WHAT, format!("PMU {pmus}: cycles can be sampled in user code"))
        }
        Ok(Opening::Counts) => {
            Check::limited(WHAT, format!("PMU {pmus} counts and gives no samples; they need its interrupt"))
        }
        Err(Errno::ACCESS | Errno::PERM) if !facts.core_pmus.is_empty() => {
            Check::limited(WHAT, format!("PMU {pmus} is there and not permitted to this user"))
        }
        Err(Errno::BUSY) => Check::limited(WHAT, format!("PMU {pmus} is in use by something else")),
        Err(_) if facts.is_virtual => Check::missing(
            WHAT,
            "none in this virtual machine: events such as cycles and cache-misses cannot be had",
        )
        .cured_by("on the host: pass the PMU through, with QEMU: -cpu host,pmu=on"),
        Err(_) => Check::missing(
            WHAT,
            "none that the kernel knows: cycles, cache-misses and the like cannot be had",
        ),
    }
}

/// The event that `record` takes by itself.
pub(crate) fn default_event(facts: &Facts) -> Check {
    const WHAT: &str = "default event";
    match facts.default_event.as_str() {
        "" => Check::missing(WHAT, "none"),
        "cpu-clock" => {
            Check::limited(WHAT, "cpu-clock in place of cycles: CPU time by a timer, 997 times a second")
        }
        name => Check::ok(WHAT, name),
    }
}

/// A watchdog that may take a counter; nothing to say where there are none.
pub(crate) fn nmi_watchdog(facts: &Facts) -> Option<Check> {
    const WHAT: &str = "NMI watchdog";
    if facts.core_pmus.is_empty() {
        return None;
    }
    match facts.settings.nmi_watchdog? {
        0 => Some(Check::ok(WHAT, "off: it takes no counter")),
        _ => Some(
            Check::limited(WHAT, "on: it may take one hardware counter of each CPU")
                .cured_by("as root: sysctl kernel.nmi_watchdog=0"),
        ),
    }
}
