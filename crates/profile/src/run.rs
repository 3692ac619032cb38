//! The circumstances of a recording: what was run, where and how it ended.

use std::fmt;

use crate::{Clock, Distribution, Target};

/// How the target was followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Events of a control group that holds the command and all that it starts.
    #[default]
    Cgroup,
    /// Events of every CPU, kept where the process is the target's.
    System,
    /// Events of the command, inherited by each child.
    Inherit,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scope::Cgroup => "cgroup",
            Scope::System => "system",
            Scope::Inherit => "inherit",
        })
    }
}

/// How recording ended: as a rule, with the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// It exited with this status.
    Exited(u8),
    /// This signal ended it.
    Signalled(u8),
    /// Recording stopped while it was still running.
    StillRunning,
    /// There was none: recording ended when it was told to, or when its target had ended.
    NoCommand,
}

/// What a recording says of itself before the first sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The version of oprof that made it.
    pub version: String,
    /// The machine's host name.
    pub host: String,
    /// The kernel's release, as uname(2) states it.
    pub kernel_release: String,
    /// The machine's architecture, as uname(2) states it: `x86_64`, `aarch64`.
    pub architecture: String,
    /// The CPU's name, as /proc/cpuinfo states it; empty where it does not.
    pub cpu: String,
    /// OProfile's name of its CPU type, as `x86-64/generic`; empty where the recording is not OProfile's.
    pub cpu_type: String,
    /// The CPU's nominal speed in MHz, 0 where unknown.
    pub cpu_mhz: f64,
    /// How many CPUs were recorded.
    pub cpus: u32,
    /// The command and its arguments; empty where there was none.
    pub command: Vec<String>,
    /// Whose events were recorded.
    pub target: Target,
    /// The directory in which the command was started.
    pub working_directory: String,
    /// How the target was followed.
    pub scope: Scope,
    /// When the recording started, in seconds since the epoch.
    pub started_unix: u64,
    /// What the recording's maker wants a reader to know, a sentence each: a fall-back that was taken.
    pub notes: Vec<String>,
    /// The clock of all times.
    pub clock: Clock,
    /// The distribution of the machine.
    pub distribution: Distribution,
}
