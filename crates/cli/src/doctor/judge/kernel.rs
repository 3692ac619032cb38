//! The kernel, and what it tells of itself.

use crate::doctor::capabilities::Capability;
use crate::doctor::check::Check;
use crate::doctor::facts::{Facts, KernelAddresses, Tracefs};

/// The recorder waits for the command through pidfd_open(2), of Linux 5.3.
pub(crate) fn is_new_enough(facts: &Facts) -> bool {
    facts.since(5, 3)
}

/// Whether the kernel is new enough.
pub(crate) fn release(facts: &Facts) -> Check {
    const WHAT: &str = "kernel";
    let cpus = if facts.cpus == 1 { "1 CPU".to_owned() } else { format!("{} CPUs", facts.cpus) };
    let name = format!("Linux {}, {}, {cpus}", facts.release, facts.architecture);
    match is_new_enough(facts) {
        true => Check::ok(WHAT, name),
        false => Check::missing(WHAT, format!("{name}: oprof needs 5.3 or newer")),
    }
}

/// Whether functions of the kernel have names.
pub(crate) fn symbols(facts: &Facts) -> Check {
    const WHAT: &str = "kernel symbols";
    let hidden = "hidden in /proc/kallsyms: samples in the kernel have no function names";
    match facts.kernel_addresses {
        KernelAddresses::Shown => {
            Check::ok(WHAT, "/proc/kallsyms shows them: samples in the kernel have function names")
        }
        KernelAddresses::Unreadable => Check::missing(
            WHAT,
            "/proc/kallsyms cannot be read: samples in the kernel have no function names",
        ),
        KernelAddresses::Hidden => match show_addresses(facts) {
            Some(cure) => Check::limited(WHAT, hidden).cured_by(cure),
            None => Check::limited(WHAT, hidden),
        },
    }
}

/// What has kernel addresses shown (`kallsyms_show_value` in the kernel's kernel/ksyms_common.c): nobody sees them at
/// kptr_restrict 2; CAP_SYSLOG does else; others do at kptr_restrict 0 where the paranoid level is 1 or less.
fn show_addresses(facts: &Facts) -> Option<String> {
    let restrict = facts.settings.kptr_restrict?;
    let paranoid = facts.settings.paranoid.unwrap_or(2);
    let sees_by_privilege = facts.initial_user_namespace && facts.capabilities.has(Capability::Syslog);
    let mut settings = Vec::new();
    if sees_by_privilege {
        settings.extend((restrict > 1).then_some("kernel.kptr_restrict=1"));
    } else {
        settings.extend((restrict > 0).then_some("kernel.kptr_restrict=0"));
        settings.extend((paranoid > 1).then_some("kernel.perf_event_paranoid=1"));
    }
    (!settings.is_empty()).then(|| format!("as root: sysctl {}", settings.join(" ")))
}

/// Whether the kernel says which file it was that it mapped.
pub(crate) fn build_ids(facts: &Facts) -> Check {
    const WHAT: &str = "build ids";
    match facts.build_ids {
        Some(true) => {
            Check::ok(WHAT, "told by the kernel: a file that was rebuilt is not taken for the one that ran")
        }
        Some(false) => {
            Check::limited(WHAT, "not told by kernels before 5.12: files are known by their inodes")
        }
        None => Check::limited(WHAT, "cannot be tried while no event can be opened"),
    }
}

/// Whether tracepoints can be named.
pub(crate) fn tracepoints(facts: &Facts) -> Check {
    const WHAT: &str = "tracepoints";
    let privileged = facts.is_privileged();
    match facts.tracefs {
        Tracefs::Readable if privileged || facts.settings.paranoid.is_some_and(|level| level <= 1) => {
            Check::ok(WHAT, "tracefs is readable: events such as sched:sched_switch can be sampled")
        }
        Tracefs::Readable => {
            Check::limited(WHAT, "tracefs is readable; to sample them takes a lower paranoid level")
                .cured_by("as root: sysctl kernel.perf_event_paranoid=1")
        }
        Tracefs::NotMounted => {
            let options = if facts.user_id == 0 {
                String::new()
            } else {
                format!(" -o mode=755,gid={}", facts.group_id)
            };
            Check::missing(WHAT, "tracefs is not mounted: they cannot be named; other events do not need it")
                .cured_by(format!("as root: mount -t tracefs{options} nodev /sys/kernel/tracing"))
        }
        Tracefs::NotPermitted => {
            let cure =
                format!("as root: mount -o remount,mode=755,gid={} /sys/kernel/tracing", facts.group_id);
            Check::limited(
                WHAT,
                "tracefs is for root alone: they cannot be named; other events do not need it",
            )
            .cured_by(cure)
        }
    }
}
