//! The processes that run before there is a record of them, as /proc shows them.
//!
//! Task records are open by then. What is read of a process carries the time before it was read, so that whatever the
//! kernel reports later comes after it; what it reports twice does no harm. A process that is forked by one which was not
//! yet read inherits nothing that is known, and is read by itself: so the walk goes on until nobody new turns up.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use oprof_profile::{ImageIdentity, ImageKind, Inode, Record, TaskRecord, Timestamp, VirtualAddress};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::clock::now;
use crate::held_images::{BuildIdReader, open_mapped};
use crate::memory_map::{self, Executable};
use crate::proc_info;

/// How often to look for processes that were forked meanwhile. Each walk takes in what ran at its beginning, so that few
/// are left for the next.
const WALKS: u32 = 5;

/// Reads what runs already.
pub(crate) struct RunningProcesses {
    build_id_of: BuildIdReader,
    /// The kernel tells build ids of what is mapped, so that an image has to be known by the same here.
    by_build_id: bool,
    /// The names of threads are wanted, too.
    with_threads: bool,
    identities: FxHashMap<(String, Inode), ImageIdentity>,
    seen: FxHashSet<u32>,
}

impl RunningProcesses {
    pub(crate) fn new(build_id_of: BuildIdReader, by_build_id: bool, with_threads: bool) -> RunningProcesses {
        RunningProcesses {
            build_id_of,
            by_build_id,
            with_threads,
            identities: FxHashMap::default(),
            seen: FxHashSet::default(),
        }
    }

    /// Reads the processes of a list, which is made anew until it has nobody new; `take` gets the records of one after the
    /// other. `idle`: with the task that runs where none else does.
    pub(crate) fn read(
        &mut self,
        idle: bool,
        list: impl Fn() -> Vec<u32>,
        mut take: impl FnMut(Vec<TaskRecord>),
    ) {
        if idle {
            take(vec![idle_task()]);
        }
        for _ in 0..WALKS {
            let new: Vec<u32> = list().into_iter().filter(|pid| self.seen.insert(*pid)).collect();
            if new.is_empty() {
                break;
            }
            for pid in new {
                take(self.read_one(pid));
            }
        }
    }

    /// What there is to tell of a process; nothing where it has ended.
    fn read_one(&mut self, pid: u32) -> Vec<TaskRecord> {
        let time = now();
        let Some(stat) = proc_info::stat(pid) else { return Vec::new() };
        let record = |record| TaskRecord { time, record };
        let found = Record::Found {
            pid,
            parent: stat.parent,
            comm: stat.comm,
            threads: stat.threads,
            started: started(stat.start_time, time),
        };
        let mut records = vec![record(found)];
        if self.with_threads {
            let names = proc_info::thread_names(pid).into_iter();
            records.extend(names.map(|(tid, comm)| record(Record::ThreadRenamed { pid, tid, comm })));
        }
        let program = proc_info::program(pid);
        let mut mapped = memory_map::executable_mappings(pid);
        // The first file is the program: by address a library can come before it.
        mapped.sort_by_key(|mapping| Some(&mapping.name) != program.as_ref());
        for mapping in mapped {
            let identity = self.identity(pid, &mapping);
            let Executable { start, end, file_offset, name, .. } = mapping;
            let length = end.saturating_sub(start);
            let start = VirtualAddress(start);
            records.push(record(Record::Mapped { pid, start, length, file_offset, identity, name }));
        }
        let arguments = proc_info::arguments(pid);
        let working_directory = proc_info::working_directory(pid);
        records.push(record(Record::Described { pid, arguments, working_directory }));
        // What was read after its end can be another's of the same number.
        match proc_info::start_time(pid) == Some(stat.start_time) {
            true => records,
            false => Vec::new(),
        }
    }

    /// What the kernel's records would call the image.
    fn identity(&mut self, pid: u32, mapping: &Executable) -> ImageIdentity {
        if ImageKind::of_mapping(&mapping.name) != ImageKind::File {
            return ImageIdentity::None;
        }
        let key = (mapping.name.clone(), mapping.inode);
        if let Some(known) = self.identities.get(&key) {
            return *known;
        }
        let inode = ImageIdentity::Inode(mapping.inode);
        let is_same = |file: &File| file.metadata().is_ok_and(|found| found.ino() == mapping.inode.number);
        let build_id = || {
            let file = open_mapped(&mapping.name, pid, mapping.start, mapping.end, is_same)?;
            (self.build_id_of)(&file)
        };
        let identity = match self.by_build_id {
            true => build_id().map_or(inode, ImageIdentity::BuildId),
            false => inode,
        };
        self.identities.insert(key, identity);
        identity
    }
}

/// The idle task is no process of /proc; its number is 0 on every CPU.
fn idle_task() -> TaskRecord {
    let time = now();
    let comm = "swapper".to_owned();
    TaskRecord { time, record: Record::Found { pid: 0, parent: 0, comm, threads: 1, started: time } }
}

/// When a process started, on the recording's clock: /proc tells clock ticks of the time since boot, which goes on while
/// the machine sleeps (CLOCK_BOOTTIME, proc_pid_stat(5)).
fn started(ticks: u64, now: Timestamp) -> Timestamp {
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let boot = boot.tv_sec as u64 * 1_000_000_000 + boot.tv_nsec as u64;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let start = (u128::from(ticks) * 1_000_000_000 / u128::from(per_second)) as u64;
    Timestamp(now.0.saturating_sub(boot.saturating_sub(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_program_first() {
        let mut running = RunningProcesses::new(|_| None, false, false);
        let own = std::process::id();
        let mut records = Vec::new();
        running.read(true, proc_info::processes, |of_one| records.extend(of_one));
        let mut of_own = records.iter().filter_map(|TaskRecord { record, time }| match record {
            Record::Found { pid, threads, started, parent, .. } if *pid == own => {
                assert!(*threads >= 1 && started < time && *parent > 0);
                Some("found".to_owned())
            }
            Record::Mapped { pid, name, length, identity, .. }
                if *pid == own && ImageKind::of_mapping(name) == ImageKind::File =>
            {
                assert!(*length > 0 && matches!(identity, ImageIdentity::Inode(inode) if inode.number > 0));
                Some(name.clone())
            }
            _ => None,
        });
        assert_eq!(of_own.next().as_deref(), Some("found"));
        let program = std::env::current_exe().expect("a program");
        assert_eq!(of_own.next().as_deref(), program.to_str());
    }

    #[test]
    fn a_process_that_is_gone_is_left_out() {
        // Process ids end at 4,194,304 (PID_MAX_LIMIT of the kernel).
        assert!(RunningProcesses::new(|_| None, true, true).read_one(4_194_305).is_empty());
    }
}
