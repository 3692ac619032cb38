//! The command to be profiled: a process that waits until everything is ready for it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use oprof_profile::CommandEnd;
use rustix::process::{Resource, Rlimit};

use crate::command_user::CommandUser;
use crate::{Error, proc_info, signals};

/// The new process waits within so long after it was heard of, unless the machine is overwhelmed.
const UNTIL_IT_WAITS: Duration = Duration::from_millis(50);

/// A process that has been forked, has joined its control group, and waits to execute the command.
#[derive(Debug)]
pub(crate) struct Waiting {
    pid: u32,
    program: PathBuf,
    /// One byte lets it go on; closing it makes it give up.
    go: Option<File>,
    /// Ends once the command was executed, or could not be.
    spawning: Option<JoinHandle<io::Result<Child>>>,
}

/// What the new process does before it executes the command.
#[derive(Debug, Default)]
pub(crate) struct Preparation {
    /// The file of the control group to join.
    pub(crate) join: Option<File>,
    /// The limit of open files that it gets back: the recorder may have raised its own.
    pub(crate) open_files: Option<Rlimit>,
    /// The user as whom it goes on.
    pub(crate) user: Option<CommandUser>,
}

/// A thread that is about to fork a process for the command. What is attached to it before it does the process inherits,
/// and so is in it from its beginning, as with all that descend from it.
#[derive(Debug)]
pub(crate) struct Forking {
    thread: u32,
    program: PathBuf,
    ready: OwnedFd,
    go: OwnedFd,
    /// Lets it fork; closing it makes it give up.
    fork: Sender<()>,
    spawning: JoinHandle<io::Result<Child>>,
}

impl Forking {
    /// Starts the thread.
    pub(crate) fn start(command: &[OsString], preparation: Preparation) -> Result<Forking, Error> {
        let failed = Error::system("start a process");
        let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
        let (ready, tell_ready) = pipe().map_err(|error| failed(error.into()))?;
        let (wait, go) = pipe().map_err(|error| failed(error.into()))?;
        let (program, arguments) = command.split_first().expect("the command line requires a command");
        let mut builder = Command::new(program);
        builder.args(arguments).envs(preparation.user.iter().flat_map(CommandUser::environment));
        let go_in_child = go.as_raw_fd();
        let ignored = signals::ignored_by_the_command();
        let steps = move || -> io::Result<()> {
            for &signal in &ignored {
                // SAFETY: sets how a signal is taken, and runs no code of ours.
                unsafe { libc::signal(signal, libc::SIG_IGN) };
            }
            prepare(&preparation, &tell_ready, &wait, go_in_child)
        };
        // SAFETY: `steps` runs in the forked child, where only async-signal-safe functions may be called: it makes
        // system calls alone and allocates nothing.
        unsafe { builder.pre_exec(steps) };
        let (fork, may_fork) = std::sync::mpsc::channel();
        let (tell_thread, thread) = std::sync::mpsc::channel();
        let work = move || {
            let own = rustix::thread::gettid().as_raw_nonzero().get();
            // Whoever gave up meanwhile hears nothing of it, and is not waited for.
            if tell_thread.send(own as u32).is_err() || may_fork.recv().is_err() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            builder.spawn()
        };
        let spawning = std::thread::Builder::new().name("spawn".to_owned()).spawn(work).map_err(&failed)?;
        let thread = thread.recv().map_err(|_| failed(io::ErrorKind::Other.into()))?;
        Ok(Forking { thread, program: PathBuf::from(program), ready, go, fork, spawning })
    }

    /// The thread's number.
    pub(crate) fn thread(&self) -> u32 {
        self.thread
    }

    /// Forks the process.
    pub(crate) fn fork(self) -> Result<Waiting, Error> {
        let failed = Error::system("start a process");
        let Forking { program, ready, go, fork, spawning, .. } = self;
        let sent = fork.send(());
        let mut pid = [0; 4];
        if sent.is_err() || File::from(ready).read_exact(&mut pid).is_err() {
            // The fork itself failed, or a step before the wait did: the error says which.
            return Err(match spawning.join() {
                Ok(Err(error)) => failed(error),
                _ => failed(io::ErrorKind::UnexpectedEof.into()),
            });
        }
        let pid = u32::from_ne_bytes(pid);
        // Counters are enabled one after another. What the process does on the way from having told its number to its
        // wait would be in some of them, and not in others.
        let began = Instant::now();
        while !proc_info::sleeps(pid) && began.elapsed() < UNTIL_IT_WAITS {
            std::thread::sleep(Duration::from_micros(50));
        }
        Ok(Waiting { pid, program, go: Some(File::from(go)), spawning: Some(spawning) })
    }
}

impl Waiting {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Lets it execute the command; returns once it has.
    pub(crate) fn go(mut self) -> Result<Running, Error> {
        if let Some(go) = &mut self.go {
            go.write_all(&[1]).map_err(Error::system("start the command"))?;
        }
        let program = std::mem::take(&mut self.program);
        match self.spawning.take().map(JoinHandle::join) {
            Some(Ok(Ok(child))) => Running::new(child),
            Some(Ok(Err(error))) => Err(refusal(program, error)),
            _ => Err(Error::system("start a process")(io::ErrorKind::Other.into())),
        }
    }
}

impl Drop for Waiting {
    /// Lets a process that was never told to go give up, and waits until it has: it reports to this process.
    fn drop(&mut self) {
        drop(self.go.take());
        // To the standard library a process that ends before its exec is one that was executed.
        if let Some(Ok(Ok(mut child))) = self.spawning.take().map(JoinHandle::join) {
            let _ = child.wait();
        }
    }
}

/// Why a command was not executed. What execvp(3) answers does not tell a command that is not there from one whose
/// interpreter is not, or from a directory in PATH that could not be searched.
fn refusal(program: PathBuf, error: io::Error) -> Error {
    let is_there = if program.as_os_str().is_empty() {
        // In each directory of PATH it would name the directory.
        false
    } else if program.as_os_str().as_bytes().contains(&b'/') {
        program.exists()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(&program).exists())
    };
    match (error.kind(), is_there) {
        (io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied, false) => Error::NoSuchCommand(program),
        (io::ErrorKind::NotFound, true) => Error::NoInterpreter(program),
        _ => Error::NotExecutable { path: program, source: error },
    }
}

/// The child's steps between fork and exec.
fn prepare(preparation: &Preparation, tell_ready: &OwnedFd, wait: &OwnedFd, go: i32) -> io::Result<()> {
    // SAFETY: this is the child's copy of the descriptor, and the child has no other use for it; as long as it is
    // open the wait below would not end with the recorder's death.
    unsafe { libc::close(go) };
    if let Some(limit) = preparation.open_files {
        rustix::process::setrlimit(Resource::Nofile, limit)?;
    }
    if let Some(group) = &preparation.join {
        rustix::io::write(group, b"0")?;
    }
    if let Some(user) = &preparation.user {
        user.become_user()?;
    }
    let pid = rustix::process::getpid().as_raw_nonzero().get().to_ne_bytes();
    rustix::io::write(tell_ready, &pid)?;
    let mut byte = [0];
    loop {
        match rustix::io::read(wait, &mut byte) {
            Ok(1) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            // The recorder is gone or has given up; std would abort noisily over a report that nobody reads.
            // SAFETY: ends this process and does nothing else.
            _ => unsafe { libc::_exit(0) },
        }
    }
}

/// The command while it runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Becomes readable when the command ends (pidfd_open(2)).
    pidfd: OwnedFd,
}

impl Running {
    fn new(child: Child) -> Result<Running, Error> {
        let pid = rustix::process::Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
            .map_err(|error| Error::system("watch the command")(error.into()))?;
        Ok(Running { child, pidfd })
    }

    pub(crate) fn pidfd(&self) -> &OwnedFd {
        &self.pidfd
    }

    /// How it ended, if it has.
    pub(crate) fn end(&mut self) -> Option<CommandEnd> {
        let status = self.child.try_wait().ok()??;
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => CommandEnd::Exited(code as u8),
            (None, signal) => CommandEnd::Signalled(signal.unwrap_or(0) as u8),
        })
    }

    /// Sends it the signal that asks a process to end.
    pub(crate) fn terminate(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, rustix::process::Signal::TERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forking() -> Forking {
        Forking::start(&["true".into()], Preparation::default()).expect("a thread")
    }

    #[test]
    fn the_process_is_forked_by_the_thread_that_was_named() {
        let forking = forking();
        let own = std::process::id();
        let threads = crate::proc_info::threads(own).expect("one's own threads");
        assert!(forking.thread() != own && threads.contains(&forking.thread()));
        let waiting = forking.fork().expect("a process");
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", waiting.pid())).expect("it waits");
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        assert_eq!(parent, Some(own.to_string().as_str()));
        let mut running = waiting.go().expect("it is executed");
        let end = loop {
            if let Some(end) = running.end() {
                break end;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert_eq!(end, CommandEnd::Exited(0));
    }

    #[test]
    fn a_thread_that_is_not_to_fork_ends() {
        let Forking { fork, spawning, .. } = forking();
        drop(fork);
        assert!(spawning.join().expect("it ends").is_err());
    }
}
