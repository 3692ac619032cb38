//! What the kernel reports of a run, record by record.

use crate::{EventId, ImageIdentity, Ksymbol, Timestamp, VirtualAddress};

/// Where the CPU was when a sample was taken (PERF_RECORD_MISC_CPUMODE_MASK of perf_event_open(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CpuMode {
    /// In a process's own code.
    User,
    /// In the kernel.
    Kernel,
    /// In a virtual machine or in the hypervisor.
    Guest,
}

/// One sample (PERF_RECORD_SAMPLE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was taken.
    pub time: Timestamp,
    /// What the CPU was executing.
    pub address: VirtualAddress,
    /// How many events it stands for: its period.
    pub weight: u64,
    /// The process that was running (thread group id); 0 for an idle CPU, [`Sample::EXITED`] for a process of which
    /// nothing but its last steps in the kernel is left.
    pub pid: u32,
    /// The thread of it.
    pub tid: u32,
    /// The CPU.
    pub cpu: u16,
    /// The event that overflowed, or one that was read as another of its group did.
    pub event: EventId,
    /// Where the CPU was.
    pub mode: CpuMode,
}

impl Sample {
    /// What the kernel gives as the id of a process that has lost its id already (`perf_event_pid_type` in
    /// kernel/events/core.c).
    pub const EXITED: u32 = u32::MAX;
}

/// What the kernel reports of tasks and of its own work, other than samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Executable memory was mapped (PERF_RECORD_MMAP2).
    Mapped {
        /// The process.
        pid: u32,
        /// Where the mapping starts.
        start: VirtualAddress,
        /// How long it is, in bytes.
        length: u64,
        /// Where in the file it starts, in bytes.
        file_offset: u64,
        /// What was mapped.
        identity: ImageIdentity,
        /// Its name as the kernel states it: a path, `[vdso]`, `//anon`.
        name: String,
    },
    /// Anonymous memory took the place of a part of a file's mapping, while the rest of the file stays mapped: a program
    /// that copies its code to huge pages. PERF_RECORD_MMAP2, with what /proc/PID/maps says around it.
    Remapped {
        /// The process.
        pid: u32,
        /// Where the memory starts.
        start: VirtualAddress,
        /// How long it is, in bytes.
        length: u64,
        /// The path of the file.
        file: String,
    },
    /// A process was found running, as /proc shows it; the records of what it has mapped follow. They replace what was
    /// known of it, and what the kernel reports later changes them.
    Found {
        /// The process.
        pid: u32,
        /// The process that forked it, or that has taken it over since.
        parent: u32,
        /// Its command name.
        comm: String,
        /// How many threads it has.
        threads: u32,
        /// When it was forked.
        started: Timestamp,
    },
    /// A program was executed (PERF_RECORD_COMM with PERF_RECORD_MISC_COMM_EXEC).
    Executed {
        /// The process.
        pid: u32,
        /// Its new command name.
        comm: String,
    },
    /// A process's main thread was renamed (PERF_RECORD_COMM).
    Renamed {
        /// The process.
        pid: u32,
        /// Its new command name.
        comm: String,
    },
    /// A thread other than the main one was renamed (PERF_RECORD_COMM), or was found under this name.
    ThreadRenamed {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// Its new name.
        comm: String,
    },
    /// A process was forked (PERF_RECORD_FORK with another thread group).
    Forked {
        /// The new process.
        pid: u32,
        /// The process that forked it.
        parent: u32,
    },
    /// A process started another thread (PERF_RECORD_FORK within a thread group).
    ThreadStarted {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
    },
    /// A thread ended (PERF_RECORD_EXIT); with its last thread the process ends.
    ThreadExited {
        /// The process.
        pid: u32,
        /// The thread.
        tid: u32,
        /// The CPU on which it ended.
        cpu: u16,
    },
    /// What could be read of a process's arguments and directory while it lived.
    Described {
        /// The process.
        pid: u32,
        /// Its arguments; empty where they could not be read.
        arguments: Vec<String>,
        /// Its working directory, where it could be read.
        working_directory: Option<String>,
    },
    /// Exact count of an event on one CPU over the life of a task that ended (PERF_RECORD_READ).
    Counted {
        /// The process to which the task belonged.
        pid: u32,
        /// The event.
        event: EventId,
        /// The CPU whose counter it is.
        cpu: u16,
        /// The count.
        value: u64,
    },
    /// Records that did not fit into the buffer (PERF_RECORD_LOST).
    Lost {
        /// How many.
        records: u64,
    },
    /// Samples that the kernel dropped (PERF_RECORD_LOST_SAMPLES).
    LostSamples {
        /// How many.
        samples: u64,
    },
    /// The kernel held an event back because its interrupts came too fast (PERF_RECORD_THROTTLE).
    Throttled,
    /// The kernel made code, such as a BPF program (PERF_RECORD_KSYMBOL).
    KsymbolRegistered(Ksymbol),
    /// The kernel is about to free code that it made (PERF_RECORD_KSYMBOL with PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER).
    KsymbolUnregistered {
        /// Where it starts.
        start: VirtualAddress,
        /// How long it is, in bytes.
        length: u32,
    },
}

/// A record and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRecord {
    /// When it was written.
    pub time: Timestamp,
    /// What it says.
    pub record: Record,
}

/// What happened on all CPUs up to a point in time, after all earlier batches.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The samples, in no order.
    pub samples: Vec<Sample>,
    /// Everything else, in the order of time.
    pub records: Vec<TaskRecord>,
}
