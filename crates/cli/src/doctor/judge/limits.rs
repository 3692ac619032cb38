//! How much may be sampled, buffered and held open.

use oprof_collector::RAISE_LOCKED_MEMORY;

use crate::doctor::capabilities::Capability;
use crate::doctor::check::Check;
use crate::doctor::facts::Facts;

/// What `record` asks for by itself, in samples per second.
const DEFAULT_RATE: u64 = 997;
/// Descriptors that the recorder opens for each CPU with one event, and keeps free for the rest.
const DESCRIPTORS_PER_CPU: u64 = 6;
const DESCRIPTORS_ELSE: u64 = 64;
/// A build of some size maps about so many files: compilers, libraries, tests.
const IMAGES_WANTED: u64 = 1000;

/// Whether the buffers get the memory that they should have.
pub(crate) fn ring_buffers(facts: &Facts) -> Check {
    const WHAT: &str = "ring buffers";
    let Ok((_, rehearsal)) = facts.scope() else {
        return Check::limited(WHAT, "cannot be tried while no event can be opened");
    };
    if let Some(note) = &rehearsal.small_buffers {
        let note = note.strip_prefix("ring buffers are ").unwrap_or(note);
        return Check::limited(WHAT, format!("{note}; samples may be lost")).cured_by(RAISE_LOCKED_MEMORY);
    }
    if facts.capabilities.has(Capability::IpcLock) && facts.initial_user_namespace {
        return Check::ok(WHAT, "as large as wanted: CAP_IPC_LOCK lifts the limits");
    }
    let kilobytes = |limit: Option<u64>| limit.map_or("unlimited".to_owned(), |limit| format!("{limit} KB"));
    let per_cpu = facts.settings.mlock_kb.map_or("unknown".to_owned(), |limit| format!("{limit} KB"));
    Check::ok(
        WHAT,
        format!(
            "large enough: kernel.perf_event_mlock_kb is {per_cpu} per CPU, ulimit -l {}",
            kilobytes(facts.lockable_kb)
        ),
    )
}

/// How often may be sampled.
pub(crate) fn sample_rate(facts: &Facts) -> Check {
    const WHAT: &str = "sample rate";
    let Some(limit) = facts.settings.max_sample_rate else {
        return Check::limited(WHAT, "kernel.perf_event_max_sample_rate cannot be read");
    };
    if limit < DEFAULT_RATE {
        return Check::limited(
            WHAT,
            format!(
                "at most {limit} a second and CPU: record needs -F {limit} or less, its own is {DEFAULT_RATE}"
            ),
        )
        .cured_by("as root: sysctl kernel.perf_event_max_sample_rate=100000");
    }
    let lowered = match facts.settings.cpu_time_max_percent {
        Some(percent @ 1..=99) => {
            format!("; the kernel lowers that when sampling takes over {percent} % of a CPU")
        }
        _ => String::new(),
    };
    Check::ok(WHAT, format!("at most {} a second and CPU{lowered}", oprof_report::grouped(limit)))
}

/// How many files of images may be held open.
pub(crate) fn open_files(facts: &Facts) -> Check {
    const WHAT: &str = "open files";
    let Some(limit) = facts.open_files else { return Check::ok(WHAT, "no limit") };
    let counters = facts.cpus as u64 * DESCRIPTORS_PER_CPU;
    let images = limit.saturating_sub(counters + DESCRIPTORS_ELSE);
    let cure =
        format!("in this shell: sudo prlimit --pid $$ --nofile={}", (counters + 65_536).next_power_of_two());
    if images < IMAGES_WANTED {
        return Check::limited(
            WHAT,
            format!("ulimit -Hn {limit}: {images} mapped files can be held; names of others that are deleted are lost"),
        )
        .cured_by(cure);
    }
    Check::ok(
        WHAT,
        format!(
            "ulimit -Hn {limit}: {} mapped files can be held, also when they are deleted",
            oprof_report::grouped(images)
        ),
    )
}
