//! Running a command with a limit on its time.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Longer than this nothing takes on the slowest machine: it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// How a command ended and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Finished {
    /// Its exit status; `None` where a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// It ended with this exit status.
    #[track_caller]
    pub(crate) fn with_status(self, code: i32) -> Finished {
        assert_eq!(self.status.code(), Some(code), "{:?}; it said:\n{}", self.status, self.stderr);
        self
    }

    /// Its standard output as text.
    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("the output is UTF-8")
    }
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: &mut Command) -> Finished {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Started::new(command).finish()
}

/// A command that runs; its whole process group is killed with the value.
#[derive(Debug)]
pub(crate) struct Started {
    child: Child,
}

impl Started {
    /// Starts the command, which must have a process group of its own.
    #[track_caller]
    pub(crate) fn new(command: &mut Command) -> Started {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Started { child }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The standard input that was piped.
    pub(crate) fn take_stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("the input was piped")
    }

    /// The standard output that was piped.
    pub(crate) fn take_stdout(&mut self) -> std::process::ChildStdout {
        self.child.stdout.take().expect("the output was piped")
    }

    /// Sends a signal to it alone.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a signal can be sent");
    }

    /// Sends a signal to its process group, as a terminal does.
    pub(crate) fn signal_group(&self, signal: Signal) {
        kill_process_group(self.pid(), signal).expect("a signal can be sent");
    }

    /// It has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let stdout = self.child.stdout.take().map(read_all);
        let stderr = self.child.stderr.take().map(read_all);
        let status = self.end();
        // Where a process outlived its parent and keeps a pipe open, the readers end with that process.
        if status.is_none() {
            let _ = kill_process_group(self.pid(), Signal::KILL);
        }
        let read = |reader: Option<thread::JoinHandle<Vec<u8>>>| match reader {
            Some(reader) => reader.join().expect("a reader ends"),
            None => Vec::new(),
        };
        let (stdout, stderr) = (read(stdout), String::from_utf8_lossy(&read(stderr)).into_owned());
        let status = status.unwrap_or_else(|| panic!("still running after {LIMIT:?}; it said:\n{stderr}"));
        Finished { status, stdout, stderr }
    }

    /// Waits for its end, and not for that of processes which it leaves behind with its streams open; they are
    /// killed with the value.
    #[track_caller]
    pub(crate) fn finish_alone(&mut self) -> Finished {
        let status = self.end().unwrap_or_else(|| panic!("still running after {LIMIT:?}"));
        let mut stderr = Vec::new();
        if let Some(pipe) = &mut self.child.stderr {
            rustix::io::ioctl_fionbio(&*pipe, true).expect("a pipe can be set to not block");
            // Ends with an error where a process still has the other end.
            let _ = pipe.read_to_end(&mut stderr);
        }
        Finished { status, stdout: Vec::new(), stderr: String::from_utf8_lossy(&stderr).into_owned() }
    }

    fn end(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < LIMIT {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.child.wait();
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// Waits until `look` finds what it looks for.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}
