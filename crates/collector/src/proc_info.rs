//! What /proc tells of a process while it exists (proc(5)).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use rustc_hash::{FxHashMap, FxHashSet};

/// As much of a process's arguments as is kept, in bytes.
const MOST_ARGUMENTS: u64 = 8 << 10;

/// When a process started, in clock ticks since boot: field 22 of /proc/PID/stat. Together with the process id it
/// names one process for as long as the machine runs.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    fields(&fs::read(format!("/proc/{pid}/stat")).ok()?)?.nth(19)?.parse().ok()
}

/// When a task started that has not ended: as [`start_time`], but not of one that only waits to be asked how it ended.
pub(crate) fn start_time_of_living(tid: u32) -> Option<u64> {
    Some(stat(tid)?.start_time)
}

/// The fields of /proc/PID/stat from the third on.
fn fields(stat: &[u8]) -> Option<std::str::SplitWhitespace<'_>> {
    // The second field is a name in parentheses which may itself hold blanks and parentheses.
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    Some(std::str::from_utf8(stat.get(after_name..)?).ok()?.split_whitespace())
}

/// What /proc/PID/stat tells of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) comm: String,
    pub(crate) parent: u32,
    pub(crate) threads: u32,
    /// In clock ticks since boot, as of [`start_time`].
    pub(crate) start_time: u64,
}

/// What /proc/PID/stat tells of a process; `None` where there is none, or one that has ended and waits for its parent.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let name =
        stat.iter().position(|byte| *byte == b'(')? + 1..stat.iter().rposition(|byte| *byte == b')')?;
    let comm = String::from_utf8_lossy(stat.get(name)?).into_owned();
    let fields: Vec<&str> = fields(&stat)?.collect();
    if matches!(*fields.first()?, "Z" | "X" | "x") {
        return None;
    }
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let id = |index: usize| u32::try_from(number(index)?).ok();
    Some(Stat { comm, parent: id(1)?, threads: id(17)?, start_time: number(19)? })
}

/// The process sleeps: it waits for something.
pub(crate) fn sleeps(pid: u32) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok();
    stat.and_then(|stat| Some(fields(&stat)?.next()? == "S")).unwrap_or(false)
}

/// The processes that there are, ascending.
pub(crate) fn processes() -> Vec<u32> {
    numbers_in("/proc").unwrap_or_default()
}

/// The names in a directory that are numbers, ascending; `None` where it cannot be read.
fn numbers_in(directory: &str) -> Option<Vec<u32>> {
    let entries = fs::read_dir(directory).ok()?.flatten();
    let mut numbers: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Some(numbers)
}

/// These processes and those that descend from them, parents before their children.
pub(crate) fn tree(roots: &[u32]) -> Vec<u32> {
    let mut children: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    let mut left: FxHashSet<u32> = FxHashSet::default();
    for pid in processes() {
        if let Some(stat) = stat(pid) {
            children.entry(stat.parent).or_default().push(pid);
            left.insert(pid);
        }
    }
    let mut tree: Vec<u32> = roots.iter().copied().filter(|root| left.remove(root)).collect();
    let mut next = 0;
    while let Some(parent) = tree.get(next) {
        let children = children.get(parent).into_iter().flatten();
        tree.extend(children.filter(|child| left.remove(child)));
        next += 1;
    }
    tree
}

/// The process to which a thread belongs.
pub(crate) fn process_of(tid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// Where a link in a process's directory leads.
fn link(pid: u32, name: &str) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/{name}")).ok()?;
    Some(String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned())
}

/// The path of the program that a process executes, as its mappings name it.
pub(crate) fn program(pid: u32) -> Option<String> {
    link(pid, "exe")
}

/// The threads of a process, ascending; `None` where there is no such process.
pub(crate) fn threads(pid: u32) -> Option<Vec<u32>> {
    numbers_in(&format!("/proc/{pid}/task")).filter(|threads| !threads.is_empty())
}

/// The names of the threads of a process, but for its main thread.
pub(crate) fn thread_names(pid: u32) -> Vec<(u32, String)> {
    let threads = threads(pid).unwrap_or_default().into_iter().filter(|tid| *tid != pid);
    let name = |tid| {
        let name = fs::read(format!("/proc/{pid}/task/{tid}/comm")).ok()?;
        Some((tid, String::from_utf8_lossy(name.strip_suffix(b"\n").unwrap_or(&name)).into_owned()))
    };
    threads.filter_map(name).collect()
}

/// A process's arguments, cut off after some thousand bytes; empty where the process is gone.
pub(crate) fn arguments(pid: u32) -> Vec<String> {
    let mut bytes = Vec::new();
    let read = File::open(format!("/proc/{pid}/cmdline"))
        .and_then(|file| file.take(MOST_ARGUMENTS).read_to_end(&mut bytes));
    if read.is_err() || bytes.is_empty() {
        return Vec::new();
    }
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// A process's working directory, where it can be read.
pub(crate) fn working_directory(pid: u32) -> Option<String> {
    link(pid, "cwd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_be_described_while_it_exists() {
        let own = std::process::id();
        assert!(start_time(own).is_some_and(|ticks| ticks > 0));
        assert_eq!(arguments(own), std::env::args().collect::<Vec<_>>());
        let directory = std::env::current_dir().expect("a working directory");
        assert_eq!(working_directory(own).as_deref(), directory.to_str());
    }

    #[test]
    fn a_process_that_is_gone_has_no_description() {
        // Process ids end at 4,194,304 (PID_MAX_LIMIT of the kernel).
        let nobody = 4_194_305;
        assert_eq!(start_time(nobody), None);
        assert!(arguments(nobody).is_empty());
        assert_eq!(working_directory(nobody), None);
    }

    #[test]
    fn a_process_is_told_with_its_parent_and_threads() {
        let own = stat(std::process::id()).expect("it runs");
        assert!(own.parent > 0 && own.threads >= 1 && Some(own.start_time) == start_time(std::process::id()));
        assert!(processes().contains(&std::process::id()));
        assert_eq!(tree(&[std::process::id()]).first(), Some(&std::process::id()));
        assert!(tree(&[own.parent]).contains(&std::process::id()));
        assert_eq!(process_of(std::process::id()), Some(std::process::id()));
    }
}
