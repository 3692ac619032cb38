//! What can go wrong while recording.

use std::io;
use std::path::{Path, PathBuf};

use oprof_profile::{Clock, RAISE_OPEN_FILES, Scope};

use crate::settings;

/// What can go wrong while recording; each message names the thing and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refuses an event.
    #[error("event '{event}': {}", cause(.source))]
    Open {
        /// The event's name.
        event: String,
        /// What perf_event_open(2) answered.
        source: io::Error,
    },
    /// An event cannot be sampled as asked for.
    #[error(transparent)]
    Event(#[from] oprof_events::Error),
    /// The kernel takes an event by itself, and not in its group.
    #[error(
        "event '{event}': the kernel cannot count it at the same time as the others of its group; leave the braces \
         out to count in turns"
    )]
    Group {
        /// The event as typed.
        event: String,
    },
    /// The kernel cannot read a group with the samples of its leader and follow what a task starts.
    #[error(
        "event '{event}': before Linux 6.13 a group with S cannot follow a command's processes by itself; use --scope \
         cgroup or system (root), or leave S out"
    )]
    LeadsNoTasks {
        /// The event as typed.
        event: String,
    },
    /// The machine samples an event less precisely than was asked for.
    #[error(
        "event '{event}': this machine does not sample it at precise level {level}; P takes the highest that there is \
         ({highest})"
    )]
    TooPrecise {
        /// The event as typed.
        event: String,
        /// The level that was asked for.
        level: u8,
        /// The highest that there is.
        highest: u8,
    },
    /// Only the privileged may place probes.
    #[error("event '{event}': only root, or who has CAP_PERFMON, may place probes; run oprof as root")]
    ProbesNeedPrivilege {
        /// The event as typed.
        event: String,
    },
    /// The kernel does not place a probe there.
    #[error(
        "event '{event}': the kernel places no probe there; it has to be the first byte of an instruction in code that is \
         mapped from the file, and not a trap"
    )]
    NoInstruction {
        /// The event as typed.
        event: String,
    },
    /// The event's interrupts come where this clock cannot be read.
    #[error("event '{event}': cannot be sampled with the clock {clock}; use monotonic or monotonic_raw")]
    Clock {
        /// The event as typed.
        event: String,
        /// The clock.
        clock: Clock,
    },
    /// A frequency that the kernel refuses.
    #[error(
        "event '{event}': {frequency} samples per second are above the limit of {limit}; choose a lower -F, or \
         as root: sysctl kernel.perf_event_max_sample_rate={frequency}"
    )]
    FrequencyTooHigh {
        /// The event's name.
        event: String,
        /// What was asked for.
        frequency: u64,
        /// The limit of this machine.
        limit: u64,
    },
    /// The event happens to a CPU, not to a process.
    #[error("event '{event}': its counter counts whole CPUs, not processes; use -a, or -C with the CPUs")]
    CountsCpus {
        /// The event's name.
        event: String,
    },
    /// There is no such CPU, or it is off.
    #[error("CPU {cpu} is not online; those that are: {online}")]
    NoSuchCpu {
        /// The CPU.
        cpu: u32,
        /// Those that there are, as a list.
        online: String,
    },
    /// There is no such process or thread.
    #[error("{what} {id}: there is none of this number; `ps -eL` shows those that there are")]
    NoSuchTask {
        /// `process` or `thread`.
        what: &'static str,
        /// Its number.
        id: u32,
    },
    /// What was named as a process is another thread of one.
    #[error("process {id}: it is a thread of process {process}; use -t {id}, or -p {process}")]
    IsThread {
        /// The number that was named.
        id: u32,
        /// The process to which it belongs.
        process: u32,
    },
    /// The process or thread has ended, and its parent has not asked how.
    #[error("{what} {id}: it has ended, and waits for its parent to ask how (`ps -eL` shows it as defunct)")]
    HasEnded {
        /// `process` or `thread`.
        what: &'static str,
        /// Its number.
        id: u32,
    },
    /// A process or thread belongs to somebody else.
    #[error("{what} {id}: not permitted; run as its user, or as root")]
    ForeignTask {
        /// `process` or `thread`.
        what: &'static str,
        /// Its number.
        id: u32,
    },
    /// A process starts threads faster than counters can be attached to them.
    #[error(
        "process {id}: starts and ends threads too fast to attach to them; use -a, or start it as the command"
    )]
    RestlessProcess {
        /// Its number.
        id: u32,
    },
    /// The event counts, but gives no samples.
    #[error(
        "event '{event}': its counter only counts, it cannot sample; choose another event from `oprof list`"
    )]
    CountOnly {
        /// The event's name.
        event: String,
    },
    /// A ring buffer cannot be mapped.
    #[error(
        "cannot map {kilobytes} KB of ring buffer for CPU {cpu}: {source}; choose a smaller -m, or {}",
        settings::RAISE_LOCKED_MEMORY
    )]
    RingBuffer {
        /// The CPU.
        cpu: u32,
        /// The size of the buffer.
        kilobytes: usize,
        /// What mmap(2) answered.
        source: io::Error,
    },
    /// The scope that was asked for cannot be had.
    #[error("scope {scope} cannot be used: {why}")]
    Scope {
        /// The scope.
        scope: &'static str,
        /// Why not, and what would help.
        why: String,
    },
    /// A probe would be inherited, and its tasks could start no others.
    #[error("event '{event}': probes do not follow what a process starts; {instead}")]
    InheritedProbe {
        /// The event as it was asked for.
        event: String,
        /// What would do.
        instead: &'static str,
    },
    /// There is no such user.
    #[error("user '{name}': there is none of this name or number")]
    NoSuchUser {
        /// The name as it was given.
        name: String,
    },
    /// Only root can run a command as another user.
    #[error("user '{name}': only root can run a command as another user; run oprof by sudo")]
    NotAnother {
        /// The user's name.
        name: String,
    },
    /// There is no such control group, or none that can be followed.
    #[error("control group '{path}': {why}; `cat /proc/PID/cgroup` tells a process's")]
    NoCgroup {
        /// The path as it was given.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The command cannot be found.
    #[error("{}", no_such_command(.0))]
    NoSuchCommand(PathBuf),
    /// The command was found and cannot be executed.
    #[error("{}: cannot be executed: {source}", path.display())]
    NotExecutable {
        /// The command.
        path: PathBuf,
        /// What execve(2) answered.
        source: io::Error,
    },
    /// The command is there, and what should interpret it is not.
    #[error("{}: cannot be executed: the interpreter that it names is missing", .0.display())]
    NoInterpreter(PathBuf),
    /// Something of the system that recording cannot do without failed.
    #[error("cannot {what}: {}", system_cause(.source))]
    System {
        /// What was tried: `start a process`.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn system(what: &'static str) -> impl Fn(io::Error) -> Error {
        move |source| Error::System { what, source }
    }

    /// The kernel refuses to follow anything in this scope.
    pub(crate) fn refused_scope(scope: Scope, refusal: &io::Error) -> Error {
        let scope = match scope {
            Scope::Cgroup => "cgroup",
            Scope::System => "system",
            Scope::Inherit => "inherit",
        };
        let cure = "run as root, or as root once: sysctl kernel.perf_event_paranoid=-1";
        let why = match (refusal.raw_os_error(), settings::paranoid()) {
            (Some(libc::EACCES), Some(level)) => {
                format!("not permitted: kernel.perf_event_paranoid is {level}; {cure}")
            }
            _ => cause(refusal),
        };
        Error::Scope { scope, why }
    }

    /// The kernel refuses this to this user, though perhaps not something narrower.
    pub(crate) fn is_permission(&self) -> bool {
        match self {
            Error::Open { source, .. } => source.kind() == io::ErrorKind::PermissionDenied,
            Error::Scope { .. } => true,
            _ => false,
        }
    }
}

/// A name that is empty would leave nothing to read before the colon.
fn no_such_command(name: &Path) -> String {
    match name.as_os_str().is_empty() {
        true => "the command's name is empty: there is no such command".to_owned(),
        false => format!("{}: no such command", name.display()),
    }
}

/// Why the kernel refused an event, and what helps (section ERRORS of perf_event_open(2)).
fn cause(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV) => {
            "this machine does not support it (a virtual machine often has no hardware counters); `oprof list` shows \
             what it has, cpu-clock always works"
                .to_owned()
        }
        // The kernel's own word for the paranoid level is EACCES; EPERM comes from elsewhere.
        Some(libc::EPERM) => "forbidden on this system, as the filters of containers do; run outside of the \
                              container, or give it CAP_PERFMON"
            .to_owned(),
        Some(libc::EACCES) => {
            let level = settings::paranoid().map_or("unknown".to_owned(), |level| level.to_string());
            let enough = if settings::paranoid().is_some_and(|level| level > 2) { 2 } else { 1 };
            format!(
                "not permitted: kernel.perf_event_paranoid is {level}; run as root, or as root once: sysctl \
                 kernel.perf_event_paranoid={enough}"
            )
        }
        Some(libc::EINVAL) => {
            "the kernel refuses these settings; check the unit mask, the modifiers and the count against `oprof list`"
                .to_owned()
        }
        Some(libc::EBUSY) => "its counter is in use by something else, such as the NMI watchdog; as root: sysctl \
                              kernel.nmi_watchdog=0"
            .to_owned(),
        // arch/x86/kernel/hw_breakpoint.c, kernel/events/hw_breakpoint.c: each CPU has a fixed number of them.
        Some(libc::ENOSPC) => {
            "no breakpoint of the processor is left for it (x86 has four); name fewer mem: events".to_owned()
        }
        _ => system_cause(error),
    }
}

/// Why anything else failed, and what helps.
fn system_cause(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => {
            format!("too many open files; raise the limit in this shell: {RAISE_OPEN_FILES}")
        }
        _ => error.to_string(),
    }
}
