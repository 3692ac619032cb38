//! Targets, in words.

use oprof_profile::Target;

/// Whose events are sampled or counted; `None` for a command's, which has a line of its own.
pub fn target(target: &Target) -> Option<String> {
    let list = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    Some(match target {
        Target::Command => return None,
        Target::Processes(pids) => format!("process {}", list(pids)),
        Target::Threads(tids) => format!("thread {}", list(tids)),
        Target::Cpus(Some(cpus)) => format!("CPU {}", list(cpus)),
        Target::Cpus(None) => "the whole system".to_owned(),
        Target::Cgroup(path) => format!("control group {}", crate::printable(path)),
    })
}
