//! What /proc tells of a process while it exists (proc(5)).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use oprof_profile::Inode;

/// As much of a process's arguments as is kept, in bytes.
const MOST_ARGUMENTS: u64 = 8 << 10;

/// When a process started, in clock ticks since boot: field 22 of /proc/PID/stat. Together with the process id it
/// names one process for as long as the machine runs.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    fields(&fs::read(format!("/proc/{pid}/stat")).ok()?)?.nth(19)?.parse().ok()
}

/// When a task started that has not ended: as [`start_time`], but not of one that only waits to be asked how it ended.
pub(crate) fn start_time_of_living(tid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{tid}/stat")).ok()?;
    let state = fields(&stat)?.next()?;
    if matches!(state, "Z" | "X" | "x") { None } else { fields(&stat)?.nth(19)?.parse().ok() }
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

/// The processes that there are, ascending.
pub(crate) fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids
}

/// These processes and those that descend from them, parents before their children.
pub(crate) fn tree(roots: &[u32]) -> Vec<u32> {
    let parents: Vec<(u32, u32)> =
        processes().into_iter().filter_map(|pid| Some((pid, stat(pid)?.parent))).collect();
    let mut tree: Vec<u32> =
        roots.iter().copied().filter(|root| parents.iter().any(|(pid, _)| pid == root)).collect();
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        let children =
            parents.iter().filter(|(pid, of)| *of == parent && !tree.contains(pid)).map(|(pid, _)| *pid);
        let children: Vec<u32> = children.collect();
        tree.extend(children);
        next += 1;
    }
    tree
}

/// The process to which a thread belongs.
pub(crate) fn process_of(tid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// The path of the program that a process executes, as its mappings name it.
pub(crate) fn program(pid: u32) -> Option<String> {
    let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Some(String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned())
}

/// The threads of a process, ascending; `None` where there is no such process.
pub(crate) fn threads(pid: u32) -> Option<Vec<u32>> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let mut threads: Vec<u32> =
        entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    threads.sort_unstable();
    Some(threads).filter(|threads| !threads.is_empty())
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
    let path = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned())
}

/// As much of /proc/PID/maps is read, in bytes: some thousand mappings.
const MOST_MAPS: u64 = 1 << 20;

/// A stretch of executable memory, as /proc/PID/maps tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MappedFile {
    pub(crate) start: u64,
    /// The address behind its last one.
    pub(crate) end: u64,
    /// Where in the file it starts, in bytes.
    pub(crate) file_offset: u64,
    pub(crate) inode: Inode,
    /// As the kernel's records name it: a path, `[vdso]`, `//anon`.
    pub(crate) name: String,
}

/// As much of it is read where every mapping is wanted, in bytes: vm.max_map_count allows 65,530 unless raised.
const MOST_MAPPINGS: u64 = 16 << 20;

/// The executable mappings of a process, by address; none where they cannot be read.
pub(crate) fn executable_mappings(pid: u32) -> Vec<MappedFile> {
    let mut maps = Vec::new();
    let file = File::open(format!("/proc/{pid}/maps"));
    let read = file.and_then(|file| file.take(MOST_MAPPINGS).read_to_end(&mut maps));
    if read.is_err() {
        return Vec::new();
    }
    // A line without an end was cut off.
    let lines = maps.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    lines.filter_map(executable_mapping).collect()
}

/// A line of /proc/PID/maps, if it is of executable memory: `first-behind permissions offset device inode path`
/// (proc_pid_maps(5)).
fn executable_mapping(line: &[u8]) -> Option<MappedFile> {
    let line = String::from_utf8_lossy(line);
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let hexadecimal = |text| u64::from_str_radix(text, 16).ok();
    let permissions = fields.next()?;
    let file_offset = hexadecimal(fields.next()?)?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let number: u64 = fields.next()?.parse().ok()?;
    let path = fields.next().unwrap_or_default().trim_start();
    if permissions.as_bytes().get(2) != Some(&b'x') {
        return None;
    }
    let name = match path {
        "" => "//anon".to_owned(),
        // seq_path() of the kernel writes these so (fs/proc/task_mmu.c).
        _ => path.replace("\\012", "\n"),
    };
    let device = hexadecimal(major)? << 32 | hexadecimal(minor)?;
    let inode = Inode { device, number, generation: 0 };
    Some(MappedFile { start: hexadecimal(start)?, end: hexadecimal(end)?, file_offset, inode, name })
}

/// The file that is mapped next below `start` and next above `end` in a process, if it is the same one: it surrounds
/// what lies between.
pub(crate) fn file_around(pid: u32, start: u64, end: u64) -> Option<String> {
    let mut maps = Vec::new();
    File::open(format!("/proc/{pid}/maps")).ok()?.take(MOST_MAPS).read_to_end(&mut maps).ok()?;
    around(&maps, start, end)
}

/// As [`file_around`], of the text of /proc/PID/maps (proc_pid_maps(5)): `first-behind permissions offset device inode
/// path`, by address.
fn around(maps: &[u8], start: u64, end: u64) -> Option<String> {
    let mut below = None;
    for line in maps.split(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(line);
        let Some((range, rest)) = line.split_once(' ') else { continue };
        let number = |text| u64::from_str_radix(text, 16).ok();
        let Some((first, behind)) = range.split_once('-') else { continue };
        let (Some(first), Some(behind)) = (number(first), number(behind)) else { continue };
        let path = rest.find('/').map(|at| &rest[at..]);
        let Some(path) = path.filter(|path| !path.starts_with("/anon_hugepage")) else { continue };
        if behind <= start {
            below = Some(path.to_owned());
        } else if first >= end {
            return below.filter(|below| below == path);
        }
    }
    None
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
    fn executable_memory_is_told_as_the_kernel_records_it() {
        let mapping = |line: &str| executable_mapping(line.as_bytes());
        let file = mapping(
            "55e0c0a4b000-55e0c0b2f000 r-xp 0002f000 fe:01 1055837      /usr/bin/a b\\012c (deleted)",
        );
        let inode = Inode { device: 0xfe << 32 | 1, number: 1_055_837, generation: 0 };
        let name = "/usr/bin/a b\nc (deleted)".to_owned();
        let (start, end) = (0x55e0_c0a4_b000, 0x55e0_c0b2_f000);
        assert_eq!(file, Some(MappedFile { start, end, file_offset: 0x2f000, inode, name }));
        let name = |line| mapping(line).map(|mapping| mapping.name);
        assert_eq!(name("7ffe0000-7ffe2000 r-xp 00000000 00:00 0    [vdso]").as_deref(), Some("[vdso]"));
        assert_eq!(name("7f00-7f01 rwxp 00000000 00:00 0 ").as_deref(), Some("//anon"));
        assert_eq!(name("7f00-7f01 rw-p 00000000 00:00 0 "), None);
        assert_eq!(name("nonsense"), None);
        assert_eq!(name(""), None);
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

    #[test]
    fn a_file_around_memory_lies_on_both_sides() {
        let maps = b"\
400000-600000 r-xp 00000000 08:01 5    /bin/program
600000-800000 rwxp 00000000 00:00 0 \n\
800000-a00000 rwxp 00000000 00:0f 9    /anon_hugepage (deleted)
a00000-c00000 r--p 00600000 08:01 5    /bin/program
c00000-e00000 rw-p 00000000 00:00 0    [heap]
7f0000-8f0000 r-xp 00000000 08:01 6    /lib/a b.so
";
        assert_eq!(around(maps, 0x600000, 0x800000).as_deref(), Some("/bin/program"));
        assert_eq!(around(maps, 0x800000, 0xa00000).as_deref(), Some("/bin/program"));
        assert_eq!(around(maps, 0xc00000, 0xe00000), None);
        assert_eq!(around(maps, 0x200000, 0x400000), None);
        assert_eq!(around(b"x\n-\n1-2\n", 0, 1), None);
    }
}
