//! Arguments and directories of processes, read from /proc while these live.

use std::time::{Duration, Instant};

use oprof_profile::{Record, TaskRecord, Timestamp};

use crate::proc_info;

/// How long a program may take from its exec until its arguments are there.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known of the command's own process from the start.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) pid: u32,
    pub(crate) arguments: Vec<String>,
    pub(crate) working_directory: Option<String>,
}

/// A process that has executed a program and has no description yet.
#[derive(Debug)]
struct Executed {
    pid: u32,
    time: Timestamp,
    seen: Instant,
}

/// Reads the descriptions of processes that have executed a program.
#[derive(Debug)]
pub(crate) struct Descriptions {
    /// Until it has executed the command: what it executes later is its own affair.
    command: Option<Known>,
    waiting: Vec<Executed>,
}

impl Descriptions {
    pub(crate) fn new(command: Option<Known>) -> Descriptions {
        Descriptions { command, waiting: Vec::new() }
    }

    /// A process has executed a program at `time`.
    pub(crate) fn executed(&mut self, pid: u32, time: Timestamp) {
        // Only its latest program can still be asked for.
        let before = self.waiting.len();
        self.waiting.retain(|executed| executed.pid != pid);
        if self.waiting.len() < before {
            self.command.take_if(|command| command.pid == pid);
        }
        self.waiting.push(Executed { pid, time, seen: Instant::now() });
    }

    /// Hands on the descriptions that can be had by now, as records of the moment of the exec.
    ///
    /// The kernel announces an exec before it has laid out the arguments (`begin_new_exec` and `create_elf_tables` in
    /// fs/exec.c and fs/binfmt_elf.c), so the first look can come too early.
    pub(crate) fn read(&mut self, mut take: impl FnMut(TaskRecord)) {
        let command = &mut self.command;
        self.waiting.retain(|executed| {
            let pid = executed.pid;
            let (arguments, working_directory) = match command.take_if(|command| command.pid == pid) {
                Some(command) => (command.arguments, command.working_directory),
                None => (proc_info::arguments(pid), proc_info::working_directory(pid)),
            };
            let gone = working_directory.is_none();
            let waits = arguments.is_empty() && !gone && executed.seen.elapsed() < PATIENCE;
            if !waits {
                let record = Record::Described { pid, arguments, working_directory };
                take(TaskRecord { time: executed.time, record });
            }
            waits
        });
    }

    /// Some processes are waiting for their arguments, which come without a record that would wake anybody.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}
