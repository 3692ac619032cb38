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
    /// The tasks whose events are taken, in inherit scope; at least one.
    pub(crate) tasks: &'a [u32],
    /// The tasks of which counters of their own tell what they map and start, in inherit scope; where there are none the
    /// events' own counters tell it of `tasks`.
    pub(crate) told: &'a [u32],
    /// What the tasks start belongs to them, in inherit scope.
    pub(crate) inherits: bool,
    /// The command's process, where each of its processes is to get exact totals.
    pub(crate) totals_of: Option<u32>,
}

impl<'a> Place<'a> {
    /// Of what runs on CPUs.
    pub(crate) const CPUS: Place<'static> =
        Place { scope: Scope::System, cgroup: None, tasks: &[], told: &[], inherits: false, totals_of: None };

    /// The parts of it on this CPU to which events are attached.
    pub(crate) fn on(self, cpu: u32) -> Vec<Attachment<'a>> {
        self.attachments(self.tasks, cpu)
    }

    /// The parts of it on this CPU to which counters are attached that tell of tasks alone.
    pub(crate) fn told_on(self, cpu: u32) -> Vec<Attachment<'a>> {
        self.attachments(self.told, cpu)
    }

    fn attachments(self, tasks: &'a [u32], cpu: u32) -> Vec<Attachment<'a>> {
        match (self.scope, self.cgroup) {
            (Scope::Inherit, _) => tasks.iter().map(|task| Attachment::Task(*task, Some(cpu))).collect(),
            (Scope::Cgroup, Some(directory)) => vec![Attachment::Cgroup(directory, cpu)],
            _ => vec![Attachment::Cpu(cpu)],
        }
    }

    /// The events' own counters tell of tasks.
    pub(crate) fn samples_tell_tasks(&self) -> bool {
        self.scope == Scope::Inherit && self.told.is_empty()
    }
}
