//! Processes: what ran, under which name, from when to when.

use crate::{ImageId, Timestamp};

/// Index of a process in the profile's list of processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub u32);

/// A process between two execs: a process that executes another program goes on as a new entry, so that each
/// entry has one app and one command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// The kernel's process id (thread group id).
    pub pid: u32,
    /// The process that forked it, where seen.
    pub parent: Option<ProcessId>,
    /// The entry that this one goes on from, where it came about by exec.
    pub before_exec: Option<ProcessId>,
    /// When it was forked or executed.
    pub started: Timestamp,
    /// When it ended or executed another program; `None` where it outlived the recording.
    pub ended: Option<Timestamp>,
    /// The command name (comm), at most 15 bytes, as last set.
    pub comm: String,
    /// Its main image; `None` where that was never seen.
    pub app: Option<ImageId>,
    /// Its arguments, where they could be read; empty where not.
    pub arguments: Vec<String>,
    /// Its working directory right after exec, where it could be read.
    pub working_directory: Option<String>,
    /// Exact count of each event over the whole life of this pid, in the order of the recording's events;
    /// empty where unknown. Of the entries of one pid that follow one another by exec, the last holds it.
    pub event_totals: Vec<u64>,
    /// How many processes that ran the same programs it stands for, all of which have ended; 0 for one process. The pid,
    /// the arguments and the working directory of none of them are known, and the times are from the first start to the
    /// last end.
    pub folded: u64,
    /// The names of its threads, as last set, where threads are kept apart; those without go by the name of the process.
    pub threads: Vec<Thread>,
}

/// A thread that has a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The kernel's thread id.
    pub tid: u32,
    /// Its name (comm), at most 15 bytes.
    pub comm: String,
}

impl Process {
    /// The pid of an entry that stands for all the processes of an app: a session of OProfile's does not tell them apart
    /// unless it was recorded so.
    pub const ALL: u32 = u32::MAX;

    /// How many processes it stands for.
    pub fn processes(&self) -> u64 {
        self.folded.max(1)
    }

    pub(crate) fn name_thread(&mut self, tid: u32, comm: &str) {
        match self.threads.iter_mut().find(|thread| thread.tid == tid) {
            Some(thread) => comm.clone_into(&mut thread.comm),
            None => self.threads.push(Thread { tid, comm: comm.to_owned() }),
        }
    }

    /// The name of a thread.
    pub fn thread_name(&self, tid: u32) -> &str {
        let named = self.threads.iter().find(|thread| thread.tid == tid);
        named.map_or(&self.comm, |thread| &thread.comm)
    }
}
