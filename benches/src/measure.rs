//! Runs a command and measures it as a whole: wall time, CPU time, peak memory.

use std::fs::File;
use std::io::{Read, Seek};
use std::mem::MaybeUninit;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{io, os::unix::process::ExitStatusExt};

use anyhow::{Context, Result, bail};

use crate::quantity::Bytes;

/// A command that ended, with all processes it waited for.
pub(crate) struct Measured {
    pub(crate) wall: Duration,
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Of the largest process. Never below this program's own, which a child starts from: hence no case here holds
    /// anything large.
    pub(crate) peak_memory: Bytes,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command to its end; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<Measured> {
    // Files rather than pipes: nothing to read while it runs, so nothing here takes CPU time beside it.
    let mut stdout = tempfile::tempfile()?;
    let mut stderr = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);

    let start = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot run {command:?}"))?;
    let (status, usage) = wait(child.id())?;
    let wall = start.elapsed();

    let measured = Measured {
        wall,
        cpu: cpu_time(&usage),
        peak_memory: Bytes(usage.ru_maxrss.unsigned_abs() * 1024),
        stdout: read_back(&mut stdout)?,
        stderr: read_back(&mut stderr)?,
    };
    if !status.success() {
        let last = measured.stderr.trim_end().lines().last().unwrap_or("(nothing on stderr)");
        let program = command.get_program().display();
        bail!("{program} ended with {status}: {last}");
    }
    Ok(measured)
}

/// The CPU time so far of this process and of all its children that it waited for.
pub(crate) fn own_cpu_time() -> Duration {
    [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| {
            let mut usage = MaybeUninit::<libc::rusage>::zeroed();
            // SAFETY: `usage` is valid for writes of a rusage, and all-zero is one should the call fail.
            let usage = unsafe {
                libc::getrusage(who, usage.as_mut_ptr());
                usage.assume_init()
            };
            cpu_time(&usage)
        })
        .sum()
}

/// The middle value; the upper one of the two of an even number.
///
/// # Panics
///
/// If there is none.
pub(crate) fn median<T: Copy + PartialOrd>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_by(|a, b| a.partial_cmp(b).expect("no measurement is NaN"));
    values[values.len() / 2]
}

fn wait(child: u32) -> Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    loop {
        // SAFETY: both pointers are valid for writes; the process is a child of ours that nothing else waits for.
        let waited = unsafe { libc::wait4(child.cast_signed(), &mut status, 0, usage.as_mut_ptr()) };
        if waited == child.cast_signed() {
            // SAFETY: wait4 has filled it, and all-zero was a rusage already.
            return Ok((ExitStatus::from_raw(status), unsafe { usage.assume_init() }));
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error).context("cannot wait for a child");
        }
    }
}

fn cpu_time(usage: &libc::rusage) -> Duration {
    [usage.ru_utime, usage.ru_stime]
        .into_iter()
        .map(|time| {
            Duration::from_secs(time.tv_sec.unsigned_abs())
                + Duration::from_micros(time.tv_usec.unsigned_abs())
        })
        .sum()
}

fn read_back(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
