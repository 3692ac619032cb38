//! The signals that end a recording, and one that must not.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level::pipe;

/// What the signals so far ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Nothing new.
    None,
    /// The terminal has told the command as well, so its end is near; go on until then.
    LetCommandEnd,
    /// Only the recorder was told: tell the command.
    EndCommand,
    /// Stop now.
    Stop,
}

/// Catches SIGINT, SIGTERM and SIGHUP for as long as it lives: the first lets the command end, the second stops the
/// recorder.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupts: UnixStream,
    terminations: UnixStream,
    seen: u32,
    registered: Vec<signal_hook::SigId>,
}

impl Signals {
    pub(crate) fn catch() -> io::Result<Signals> {
        ignored_at_start();
        let pair = || -> io::Result<(UnixStream, UnixStream)> {
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            Ok((read, write))
        };
        let (interrupts, interrupted) = pair()?;
        let (terminations, terminated) = pair()?;
        let mut registered = vec![pipe::register(SIGINT, interrupted)?];
        // nohup(1) has the hang-up ignored, and so it stays.
        if !is_ignored(SIGHUP) {
            registered.push(pipe::register(SIGHUP, terminated.try_clone()?)?);
        }
        registered.push(pipe::register(SIGTERM, terminated)?);
        Ok(Signals { interrupts, terminations, seen: 0, registered })
    }

    /// What to wait on for a signal.
    pub(crate) fn fds(&self) -> [impl AsFd + '_; 2] {
        [self.interrupts.as_fd(), self.terminations.as_fd()]
    }

    /// What the signals since the last call ask for.
    pub(crate) fn take(&mut self) -> Wish {
        let count = |stream: &mut UnixStream| {
            let mut bytes = [0; 16];
            stream.read(&mut bytes).unwrap_or(0) as u32
        };
        let (interrupts, terminations) = (count(&mut self.interrupts), count(&mut self.terminations));
        let before = self.seen;
        self.seen += interrupts + terminations;
        match (before, interrupts, terminations) {
            (_, 0, 0) => Wish::None,
            _ if self.seen > 1 => Wish::Stop,
            (_, _, 0) => Wish::LetCommandEnd,
            _ => Wish::EndCommand,
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Makes a write past the limit of file sizes fail, from now on, instead of ending this process with all that it has
/// in memory (SIGXFSZ, setrlimit(2)).
///
/// The signal is caught, not ignored: an exec gives a caught signal its default back (execve(2)), and so the command
/// is as it would be without us. Where it was ignored from the start it stays so, for both.
pub(crate) fn outlive_file_size_limit() {
    static CAUGHT: Once = Once::new();
    CAUGHT.call_once(|| {
        if !is_ignored(SIGXFSZ) {
            // What the flag says is of no interest: the write itself fails. Without the handler all is as before.
            let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
        }
    });
}

/// Those of the signals that are caught here which the command is to have ignored, as a shell starts it in the background of
/// a script: an exec keeps what is ignored, and gives what is caught its default back (execve(2)).
pub(crate) fn ignored_by_the_command() -> Vec<i32> {
    [SIGINT, SIGTERM].into_iter().filter(|signal| is_ignored(*signal)).collect()
}

/// The process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    ignored_at_start() >> (signal - 1) & 1 != 0
}

/// The signals that were ignored when this was asked for first, which is before any is caught.
fn ignored_at_start() -> u64 {
    static IGNORED: OnceLock<u64> = OnceLock::new();
    *IGNORED.get_or_init(|| {
        // SigIgn of /proc/self/status is a mask in hexadecimal whose lowest bit is signal 1 (proc(5)).
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
        mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0)
    })
}
