//! What /proc tells of a process while it exists (proc(5)).

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

/// As much of a process's arguments as is kept, in bytes.
const MOST_ARGUMENTS: u64 = 8 << 10;

/// When a process started, in clock ticks since boot: field 22 of /proc/PID/stat. Together with the process id it
/// names one process for as long as the machine runs.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in parentheses which may itself hold blanks and parentheses.
    let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
    let fields = std::str::from_utf8(stat.get(after_name..)?).ok()?;
    fields.split_whitespace().nth(19)?.parse().ok()
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
}
