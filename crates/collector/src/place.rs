//! What counters are attached to.

use std::os::fd::BorrowedFd;

use oprof_profile::Scope;

use crate::counter::Attachment;

/// What the counters are attached to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) scope: Scope,
    /// The control group, in cgroup scope.
    pub(crate) cgroup: Option<BorrowedFd<'a>>,
    /// The command's process; 0 for none.
    pub(crate) pid: u32,
    /// Each process of the command is to get its exact totals.
    pub(crate) totals: bool,
}

impl Place<'_> {
    /// The part of it on this CPU.
    pub(crate) fn on(&self, cpu: u32) -> Attachment<'_> {
        match (self.scope, self.cgroup) {
            (Scope::Cgroup, Some(directory)) => Attachment::Cgroup(directory, cpu),
            (Scope::Inherit, _) => Attachment::Task(self.pid, Some(cpu)),
            _ => Attachment::Cpu(cpu),
        }
    }

    pub(crate) fn inherits(&self) -> bool {
        self.scope == Scope::Inherit
    }
}
