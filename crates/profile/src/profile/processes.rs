//! Processes: how they come, execute programs and end.

use std::sync::Arc;

use super::totals::Tally;
use super::{Live, Membership, Profile};
use crate::{Process, ProcessId, Timestamp};

impl Profile {
    /// The process of this id, taken in where it was not seen before; `None` where it is not the profile's.
    pub(super) fn member(&mut self, pid: u32, time: Timestamp) -> Option<&mut Live> {
        if !self.live.contains_key(&pid) {
            if self.membership == Membership::Descendants {
                return None;
            }
            self.start_process(pid, None, time);
        }
        self.live.get_mut(&pid)
    }

    /// A process about to be changed.
    pub(super) fn change(&mut self, id: ProcessId) -> &mut Process {
        if self.changed_processes.last() != Some(&id) {
            self.changed_processes.push(id);
        }
        &mut self.processes[id.0 as usize]
    }

    pub(super) fn add_process(&mut self, process: Process) -> ProcessId {
        let id = ProcessId(self.processes.len() as u32);
        self.processes.push(process);
        self.changed_processes.push(id);
        id
    }

    pub(super) fn start_process(&mut self, pid: u32, parent: Option<ProcessId>, started: Timestamp) {
        let mut process = Process { pid, parent, started, ..Process::default() };
        let (mut space, mut is_known) = (Arc::default(), false);
        if let Some(parent) = parent {
            let forker = &self.processes[parent.0 as usize];
            process.comm.clone_from(&forker.comm);
            process.app = forker.app;
            process.arguments.clone_from(&forker.arguments);
            process.working_directory.clone_from(&forker.working_directory);
            if let Some(live) = self.live.get(&forker.pid) {
                space = Arc::clone(&live.space);
                is_known = live.is_known;
            }
        }
        let process = self.add_process(process);
        let tally = if parent.is_some() { Tally::from_fork() } else { Tally::default() };
        let before = self.live.insert(pid, Live { process, space, threads: 1, is_known, tally });
        if let Some(before) = before {
            self.totals.retire(before.process, before.tally);
        }
    }

    /// The process runs already: by now it may have been reported, too.
    pub(super) fn find(&mut self, pid: u32, parent: u32, comm: &str, threads: u32, started: Timestamp) {
        let forker = self.live.get(&parent).map(|live| live.process);
        if !self.live.contains_key(&pid) {
            self.start_process(pid, None, started);
        }
        let Some(live) = self.live.get_mut(&pid) else { return };
        (live.space, live.threads, live.is_known) = (Arc::default(), threads.max(1), true);
        let process = live.process;
        // Of processes one comes after its parent; what was forked before that was found goes without.
        let forker = forker.filter(|forker| *forker < process);
        let process = self.change(process);
        process.parent = process.parent.or(forker);
        process.comm = comm.to_owned();
    }

    pub(super) fn fork(&mut self, time: Timestamp, pid: u32, parent: u32) {
        let Some(live) = self.member(parent, time) else {
            // Not of the command, but the id may once have been: whatever it does now is not the command's.
            if let Some(before) = self.live.remove(&pid) {
                self.totals.retire(before.process, before.tally);
            }
            return;
        };
        let parent = live.process;
        self.start_process(pid, Some(parent), time);
    }

    pub(super) fn execute(&mut self, time: Timestamp, pid: u32, comm: &str) {
        let Some(live) = self.member(pid, time) else { return };
        let before = live.process;
        let tally = std::mem::take(&mut live.tally);
        if !live.is_known {
            // All that came before was the way to this program, such as our own steps between fork and exec.
            *live = Live { process: before, space: Arc::default(), threads: 1, is_known: true, tally };
            self.change(before).comm = comm.to_owned();
            return;
        }
        let old = self.change(before);
        old.ended = Some(time);
        let process = Process {
            pid,
            parent: old.parent,
            before_exec: Some(before),
            started: time,
            comm: comm.to_owned(),
            ..Process::default()
        };
        let process = self.add_process(process);
        self.live.insert(pid, Live { process, space: Arc::default(), threads: 1, is_known: true, tally });
    }

    pub(super) fn exit(&mut self, time: Timestamp, pid: u32, cpu: u16) {
        self.exited.insert(cpu, pid);
        let Some(live) = self.live.get_mut(&pid) else { return };
        live.threads = live.threads.saturating_sub(1);
        if live.threads == 0 {
            // The entry stays: the kernel may still be sampled while it tidies up behind the process.
            live.space = Arc::default();
            let process = live.process;
            self.change(process).ended = Some(time);
            self.settle(pid);
        }
    }
}
