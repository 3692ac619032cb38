//! Gathers the facts: from /proc and sysfs, and by trial.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};

use oprof_collector::{Error, Settings};
use oprof_events::System;
use oprof_profile::Scope;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::capabilities::Capabilities;
use super::facts::{Facts, KernelAddresses, Refusal, Tracefs};
use crate::default_event;

/// What is so now, for this process.
pub(crate) fn facts() -> Facts {
    let system = System::here();
    let kernel = rustix::system::uname();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    // Preparing a recording raises the limits, so they are read before.
    let lockable_kb = getrlimit(Resource::Memlock).current.map(|bytes| bytes / 1024);
    let open_files = getrlimit(Resource::Nofile).maximum;
    let (default, _) = default_event::default_event(&system, "sampling").unwrap_or_default();
    Facts {
        release: kernel.release().to_string_lossy().into_owned(),
        architecture: kernel.machine().to_string_lossy().into_owned(),
        cpus: oprof_collector::online_cpus().map_or(1, |cpus| cpus.len()),
        settings: Settings::read(),
        capabilities: Capabilities::effective(&status),
        initial_user_namespace: fs::read_to_string("/proc/self/uid_map").map_or(true, |map| is_initial(&map)),
        seccomp: status
            .lines()
            .any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2")),
        program: std::env::current_exe()
            .map_or("oprof".to_owned(), |path| path.to_string_lossy().into_owned()),
        user_id: rustix::process::geteuid().as_raw(),
        group_id: rustix::process::getegid().as_raw(),
        least_event: least_event(&system),
        core_pmus: system.core_pmus().iter().map(|pmu| pmu.name.clone()).collect(),
        is_virtual: oprof_collector::in_virtual_machine(),
        cycles: opening(&system, "cycles"),
        default_event: default.first().map_or_else(String::new, |event| event.name.clone()),
        hierarchy: oprof_collector::cgroup_hierarchy(),
        scopes: [Scope::Cgroup, Scope::System, Scope::Inherit]
            .map(|scope| (scope, oprof_collector::rehearse(scope, &default).map_err(refusal)))
            .to_vec(),
        kernel_addresses: kernel_addresses(),
        lockable_kb,
        open_files,
        tracefs: tracefs(&system),
        build_ids: oprof_collector::build_ids_here(),
    }
}

fn least_event(system: &System) -> Result<(), Errno> {
    opening(system, "cpu-clock:u").map(|_| ())
}

fn opening(system: &System, spec: &str) -> Result<oprof_collector::Opening, Errno> {
    let events = system.resolve(spec).unwrap_or_default();
    let mut refused = Errno::NODEV;
    for event in &events {
        match oprof_collector::opening_here(event) {
            Ok(opening) => return Ok(opening),
            Err(error) => refused = errno(&error),
        }
    }
    Err(refused)
}

fn errno(error: &Error) -> Errno {
    match error {
        Error::Open { source, .. } => Errno::from_io_error(source).unwrap_or(Errno::IO),
        _ => Errno::IO,
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::Scope { why, .. } => Refusal { why, is_permission: true, at_event: false },
        Error::Open { ref source, .. } => Refusal {
            is_permission: source.kind() == std::io::ErrorKind::PermissionDenied,
            why: error.to_string(),
            at_event: true,
        },
        other => Refusal { why: other.to_string(), is_permission: false, at_event: false },
    }
}

/// The namespace in which all user ids are themselves.
fn is_initial(uid_map: &str) -> bool {
    uid_map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn kernel_addresses() -> KernelAddresses {
    /// As much of the file as is looked at, in bytes: the symbols at its start that really are at 0 are few.
    const ENOUGH: u64 = 1 << 20;
    let Ok(file) = File::open("/proc/kallsyms") else { return KernelAddresses::Unreadable };
    let mut addresses = KernelAddresses::Unreadable;
    for symbol in BufReader::new(file.take(ENOUGH)).lines().map_while(Result::ok) {
        if has_address(&symbol) {
            return KernelAddresses::Shown;
        }
        addresses = KernelAddresses::Hidden;
    }
    addresses
}

/// A line of /proc/kallsyms shows an address, not zeros.
fn has_address(symbol: &str) -> bool {
    let digits = symbol.split(' ').next().unwrap_or_default();
    digits.bytes().any(|digit| digit != b'0') && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn tracefs(system: &System) -> Tracefs {
    match system.resolve("sched:sched_switch") {
        Err(oprof_events::Error::Tracefs { reason, .. }) if reason.contains("ermission denied") => {
            Tracefs::NotPermitted
        }
        Err(oprof_events::Error::Tracefs { .. }) => Tracefs::NotMounted,
        _ => Tracefs::Readable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_user_namespace_maps_all_ids_to_themselves() {
        assert!(is_initial("         0          0 4294967295\n"));
        assert!(!is_initial("         0       1000          1\n"));
        assert!(!is_initial(""));
    }

    #[test]
    fn hidden_addresses_are_zeros() {
        assert!(has_address("ffffffff81000000 T _stext"));
        assert!(!has_address("0000000000000000 T _stext"));
        assert!(!has_address(""));
    }
}
