//! What was found on the machine, before anything is concluded.

use oprof_collector::{Hierarchy, Opening, Rehearsal, Settings};
use oprof_profile::Scope;
use rustix::io::Errno;

use super::capabilities::{Capabilities, Capability};

/// What was found on the machine.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub(crate) release: String,
    pub(crate) architecture: String,
    pub(crate) cpus: usize,
    pub(crate) settings: Settings,
    pub(crate) capabilities: Capabilities,
    /// This process is not in a user namespace of its own, where capabilities mean little.
    pub(crate) initial_user_namespace: bool,
    /// A seccomp filter decides which system calls there are.
    pub(crate) seccomp: bool,
    /// The path of this program.
    pub(crate) program: String,
    /// This user's number; 0 is root.
    pub(crate) user_id: u32,
    /// The number of this user's group.
    pub(crate) group_id: u32,
    /// Whether the least of events opens: a clock, in user code of this process.
    pub(crate) least_event: Result<(), Errno>,
    pub(crate) core_pmus: Vec<String>,
    pub(crate) is_virtual: bool,
    /// How `cycles` opens.
    pub(crate) cycles: Result<Opening, Errno>,
    /// The name of the event that `record` takes by itself.
    pub(crate) default_event: String,
    /// Where control groups are, or why nowhere.
    pub(crate) hierarchy: Result<Hierarchy, String>,
    /// What came of preparing a recording in each scope, in the order in which `record` tries them.
    pub(crate) scopes: Vec<(Scope, Result<Rehearsal, Refusal>)>,
    pub(crate) kernel_addresses: KernelAddresses,
    /// How much memory this process may lock, in KB; `None` where there is no limit.
    pub(crate) lockable_kb: Option<u64>,
    /// To how many open files this process may raise its limit; `None` where there is no limit.
    pub(crate) open_files: Option<u64>,
    pub(crate) tracefs: Tracefs,
    /// Whether the kernel tells build ids, where that could be tried.
    pub(crate) build_ids: Option<bool>,
}

/// Why a recording cannot be prepared in a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    /// It is a matter of permission: `record` tries the next scope.
    pub(crate) is_permission: bool,
    /// The scope itself could be had, and an event could not be opened in it.
    pub(crate) at_event: bool,
}

/// What /proc/kallsyms shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelAddresses {
    Shown,
    Hidden,
    /// There is no such file, or it cannot be read.
    Unreadable,
}

/// Whether tracepoints can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tracefs {
    Readable,
    NotMounted,
    NotPermitted,
}

impl Facts {
    /// The scope that `record` takes by itself, with what came of preparing it; else why there is none.
    pub(crate) fn scope(&self) -> Result<(Scope, &Rehearsal), &str> {
        let mut why = "";
        for (scope, prepared) in &self.scopes {
            match prepared {
                Ok(rehearsal) => return Ok((*scope, rehearsal)),
                Err(refusal) if refusal.is_permission => why = &refusal.why,
                Err(refusal) => return Err(&refusal.why),
            }
        }
        Err(why)
    }

    /// The kernel's limits on perf events do not hold for this user.
    pub(crate) fn is_privileged(&self) -> bool {
        self.initial_user_namespace && self.capabilities.grants(Capability::Perfmon)
    }

    /// The kernel is at least of this version.
    pub(crate) fn since(&self, major: u32, minor: u32) -> bool {
        version(&self.release).is_none_or(|version| version >= (major, minor))
    }
}

/// The first two numbers of a release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_release_begins_with_two_numbers() {
        assert_eq!(version("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(version("5.12-rc1"), Some((5, 12)));
        assert_eq!(version("6.9"), Some((6, 9)));
        assert_eq!(version("custom"), None);
        assert_eq!(version(""), None);
    }
}
