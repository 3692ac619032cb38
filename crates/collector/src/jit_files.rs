//! The files in which JIT compilers tell the names of the code that they make.
//!
//! A map of names is `/tmp/perf-PID.map`, by the process's own view of files and its own number (of its innermost PID
//! namespace). A dump is found by its mapping: a compiler maps a page of `jit-PID.dump` executable for nothing but to be
//! seen (tools/perf/Documentation/jitdump-specification.txt in the kernel's sources).

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::{Duration, SystemTime};

use oprof_profile::{ImageKind, Process, Timestamp};
use rustc_hash::FxHashMap;

use crate::clock::now;
use crate::process_view::ProcessView;

/// Other views of files than our own keep a descriptor each.
const MOST_FOREIGN_VIEWS: usize = 64;
/// A map that is older than its process by more than this is of an earlier process of the same number: file times may
/// be coarse.
const STALE: Duration = Duration::from_secs(2);
/// As much is read of a file at once.
const PIECE: usize = 256 << 10;

/// A program whose compilers may tell of their code: an index in [`JitFiles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JitProgram(u32);

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JitBytes<'a> {
    /// The map begins anew: what was read of it is void.
    MapRestarted,
    /// The next bytes of the map.
    Map(&'a [u8]),
    /// The next bytes of the dump.
    Dump(&'a [u8]),
}

/// The files in which JIT compilers tell the names of the code that they make.
#[derive(Debug, Default)]
pub struct JitFiles {
    programs: Vec<Program>,
    /// The programs of each process id, in the order in which they were seen.
    of_pid: FxHashMap<u32, Vec<JitProgram>>,
    /// What runs under a process id, until that executes another program.
    current: FxHashMap<u32, JitProgram>,
    foreign_views: usize,
}

#[derive(Debug)]
struct Program {
    since: Timestamp,
    view: ProcessView,
    map: Option<Reading>,
    dump: Option<Reading>,
}

/// How far a file that grows has been read.
#[derive(Debug)]
struct Reading {
    file: File,
    inode: u64,
    position: u64,
}

impl JitFiles {
    /// A mapping was seen; true where it is but the sign of a dump. `open` opens the mapped file.
    pub(crate) fn see(
        &mut self,
        name: &str,
        pid: u32,
        time: Timestamp,
        open: impl FnOnce() -> Option<File>,
    ) -> bool {
        let kind = ImageKind::of_mapping(name);
        let is_dump = kind == ImageKind::File && is_dump(name);
        if !is_dump && !kind.may_hold_jit_code(name) {
            return false;
        }
        let program = match self.current.get(&pid) {
            Some(program) => *program,
            None => self.add(pid, time),
        };
        let program = &mut self.programs[program.0 as usize];
        if is_dump && program.dump.is_none() {
            let file = open().filter(|file| program.view.may_tell(file));
            program.dump = file.and_then(|file| Reading::start(file).ok());
        }
        is_dump
    }

    /// A process executes another program, or its id went to a new process.
    pub(crate) fn executed(&mut self, pid: u32) {
        self.current.remove(&pid);
    }

    fn add(&mut self, pid: u32, since: Timestamp) -> JitProgram {
        let mut view = ProcessView::of(pid);
        if view.is_foreign() {
            self.foreign_views += 1;
            if self.foreign_views > MOST_FOREIGN_VIEWS {
                view.close();
            }
        }
        let id = JitProgram(self.programs.len() as u32);
        self.programs.push(Program { since, view, map: None, dump: None });
        self.of_pid.entry(pid).or_default().push(id);
        self.current.insert(pid, id);
        id
    }

    /// The program that a process was: seen while it ran, or else taken to see the same files as we do.
    pub fn program(&mut self, process: &Process) -> JitProgram {
        let ended = process.ended.unwrap_or(Timestamp(u64::MAX));
        let known = self
            .of_pid
            .get(&process.pid)
            .into_iter()
            .flatten()
            .rev()
            .copied()
            .find(|program| (process.started..=ended).contains(&self.programs[program.0 as usize].since));
        known.unwrap_or_else(|| {
            let current = self.current.get(&process.pid).copied();
            let id = self.add(process.pid, process.started);
            // It is a program of the past, maybe.
            current.map(|current| self.current.insert(process.pid, current));
            id
        })
    }

    /// Reads on in the files of a program, which began when `process` did; gives whether there is more to be read.
    pub fn read(
        &mut self,
        program: JitProgram,
        process: &Process,
        most: usize,
        mut take: impl FnMut(JitBytes<'_>),
    ) -> bool {
        let Some(program) = self.programs.get_mut(program.0 as usize) else { return false };
        let map = program.view.perf_map().filter(|file| is_of(file, process.started));
        if let Some(file) = map {
            let is_same = program.map.as_ref().is_some_and(|reading| reading.continues_in(&file));
            if !is_same {
                if program.map.is_some() {
                    take(JitBytes::MapRestarted);
                }
                program.map = Reading::start(file).ok();
            }
        }
        let mut more = false;
        if let Some(map) = &mut program.map {
            more |= map.read(most, |bytes| take(JitBytes::Map(bytes)));
        }
        if let Some(dump) = &mut program.dump {
            more |= dump.read(most, |bytes| take(JitBytes::Dump(bytes)));
        }
        more
    }

    /// Whether a dump of a program is open.
    pub fn has_dump(&self, program: JitProgram) -> bool {
        self.programs.get(program.0 as usize).is_some_and(|program| program.dump.is_some())
    }

    /// Closes what is open of a program; where its map is asked for again that is read from its start.
    pub fn close(&mut self, program: JitProgram) {
        if let Some(program) = self.programs.get_mut(program.0 as usize) {
            program.map = None;
            program.dump = None;
        }
    }
}

impl Reading {
    fn start(file: File) -> io::Result<Reading> {
        let inode = file.metadata()?.ino();
        Ok(Reading { file, inode, position: 0 })
    }

    /// The file is the one that was read from, and has not become shorter.
    fn continues_in(&self, file: &File) -> bool {
        file.metadata().is_ok_and(|now| now.ino() == self.inode && now.len() >= self.position)
    }

    /// Reads on, `most` bytes at most; gives whether there is more.
    fn read(&mut self, most: usize, mut take: impl FnMut(&[u8])) -> bool {
        let mut buffer = vec![0; PIECE];
        let mut left = most;
        while left > 0 {
            let wanted = buffer.len().min(left);
            match self.file.read_at(&mut buffer[..wanted], self.position) {
                Ok(0) => return false,
                Ok(length) => {
                    take(&buffer[..length]);
                    self.position += length as u64;
                    left -= length;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }
}

/// Whether the name of a mapped file is that of a dump: `jit-PID.dump`.
fn is_dump(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    let last = last.strip_suffix(" (deleted)").unwrap_or(last);
    let pid = last.strip_prefix("jit-").and_then(|rest| rest.strip_suffix(".dump"));
    pid.is_some_and(|pid| !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The file was written since `started`: it is no other process's of the same number.
fn is_of(file: &File, started: Timestamp) -> bool {
    let Ok(written) = file.metadata().and_then(|metadata| metadata.modified()) else { return false };
    let began = SystemTime::now().checked_sub(now().since(started));
    began.is_none_or(|began| written + STALE >= began)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_are_known_by_their_names() {
        for name in ["/tmp/jit-17.dump", "/root/.debug/jit/java-jit-2/jit-1.dump", "/x/jit-1.dump (deleted)"]
        {
            assert!(is_dump(name), "{name}");
        }
        for name in
            ["/tmp/jit-.dump", "/tmp/jit-1a.dump", "/tmp/jit-1.dumps", "/tmp/xjit-1.dump", "jit-1", ""]
        {
            assert!(!is_dump(name), "{name}");
        }
    }

    #[test]
    fn programs_are_told_apart_by_when_they_ran() {
        let mut files = JitFiles::default();
        let own = std::process::id();
        let entry = |started, ended: Option<u64>| Process {
            pid: own,
            started: Timestamp(started),
            ended: ended.map(Timestamp),
            ..Process::default()
        };
        assert!(!files.see("//anon", own, Timestamp(10), || None));
        files.see("//anon", own, Timestamp(11), || None);
        files.executed(own);
        files.see("/memfd:doublemapper (deleted)", own, Timestamp(20), || None);
        assert_eq!(files.program(&entry(5, Some(15))), JitProgram(0));
        assert_eq!(files.program(&entry(15, None)), JitProgram(1));
        assert_eq!(files.program(&entry(30, Some(40))), JitProgram(2));
        assert_eq!(files.program(&entry(30, Some(40))), JitProgram(2));
        assert!(files.see("/tmp/jit-1.dump", own, Timestamp(21), || None));
        assert!(!files.see("/bin/true", own, Timestamp(21), || None));
        assert_eq!(files.programs.len(), 3);
    }

    #[test]
    fn a_file_is_read_as_it_grows() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut reading = Reading::start(file.reopen().expect("opened")).expect("started");
        let read = |reading: &mut Reading, most| {
            let mut text = Vec::new();
            let more = reading.read(most, |bytes| text.extend_from_slice(bytes));
            (String::from_utf8(text).expect("text"), more)
        };
        assert_eq!(read(&mut reading, 9), (String::new(), false));
        std::fs::write(file.path(), "first").expect("written");
        assert_eq!(read(&mut reading, 3), ("fir".into(), true));
        std::fs::write(file.path(), "first and second").expect("written");
        assert_eq!(read(&mut reading, 99), ("st and second".into(), false));
        assert!(reading.continues_in(file.as_file()));
        std::fs::write(file.path(), "anew").expect("written");
        assert!(!reading.continues_in(file.as_file()));
    }

    #[test]
    fn a_map_of_an_earlier_process_is_told_by_its_time() {
        let file = tempfile::tempfile().expect("a file");
        assert!(is_of(&file, Timestamp(0)) && is_of(&file, now()));
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        file.set_modified(hour_ago).expect("permitted");
        assert!(!is_of(&file, now()));
    }
}
