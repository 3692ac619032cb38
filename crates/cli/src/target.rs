//! The options that say whose events are taken.

use clap::Args;
use oprof_profile::Target;

use crate::arguments::positive;

/// What stands above these options in a help.
pub(crate) const HEADING: &str = "Target (default: the command)";

/// Whose events are taken; the command's where nothing is said.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TargetOptions {
    /// These processes, with their threads and children
    #[arg(short, long = "pid", value_name = "PID,..", value_delimiter = ',', value_parser = id,
        conflicts_with_all = ["threads", "all", "cpus", "cgroup"], allow_negative_numbers = true, help_heading = HEADING)]
    pub(crate) pids: Vec<u32>,
    /// These threads alone
    #[arg(short, long = "tid", value_name = "TID,..", value_delimiter = ',', value_parser = id,
        conflicts_with_all = ["all", "cpus", "cgroup"], allow_negative_numbers = true, help_heading = HEADING)]
    pub(crate) threads: Vec<u32>,
    /// Whatever runs, on all CPUs
    #[arg(short, long, conflicts_with = "cgroup", help_heading = HEADING)]
    pub(crate) all: bool,
    /// Whatever runs on these CPUs
    #[arg(short = 'C', long = "cpu", value_name = "LIST", value_parser = cpus, conflicts_with = "cgroup",
        help_heading = HEADING)]
    pub(crate) cpus: Option<Cpus>,
    /// The processes of this control group, by its path
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub(crate) cgroup: Option<String>,
}

/// CPUs, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Cpus(pub(crate) Vec<u32>);

impl TargetOptions {
    /// What was asked for.
    pub(crate) fn target(&self) -> Target {
        if !self.pids.is_empty() {
            return Target::Processes(distinct(&self.pids));
        }
        if !self.threads.is_empty() {
            return Target::Threads(distinct(&self.threads));
        }
        match (&self.cgroup, &self.cpus) {
            (Some(path), _) => Target::Cgroup(path.clone()),
            (None, Some(cpus)) => Target::Cpus(Some(cpus.0.clone())),
            (None, None) if self.all => Target::Cpus(None),
            (None, None) => Target::Command,
        }
    }
}

/// Nobody is taken twice.
pub(crate) fn distinct(ids: &[u32]) -> Vec<u32> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Reads a list of CPUs, such as `0-3,8`.
pub(crate) fn cpus(text: &str) -> Result<Cpus, String> {
    let list = oprof_collector::parse_cpu_list(text);
    list.map(Cpus).ok_or_else(|| "not a list of CPUs such as 0-3,8".to_owned())
}

/// Reads the number of a process or thread.
pub(crate) fn id(text: &str) -> Result<u32, String> {
    // PID_MAX_LIMIT of the kernel is 2^22; what is no process of this machine is said by its number.
    positive(text, i32::MAX as u64).map(|id| id as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_or_refused() {
        assert_eq!(cpus("0-1,3").map(|cpus| cpus.0), Ok(vec![0, 1, 3]));
        assert!(cpus("0-").is_err() && cpus("x").is_err() && cpus("3-1").is_err());
        assert!(id("0").is_err() && id("-1").is_err() && id("4294967296").is_err());
    }

    #[test]
    fn nobody_is_named_twice() {
        let options = TargetOptions { pids: vec![7, 3, 7], ..TargetOptions::default() };
        assert_eq!(options.target(), Target::Processes(vec![3, 7]));
        assert_eq!(TargetOptions::default().target(), Target::Command);
    }
}
