//! What /proc tells of a process while it exists (proc(5)).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

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
