//! `storm CHILDREN ROUNDS FILE`: forks children one after the other, each of which burns some CPU time and exits.
//! The file then has the nanoseconds of CPU time that they burned in `burn_child`, all together.

use std::fs;
use std::hint::black_box;
use std::io::{Read, Write, pipe};
use std::time::Duration;
use std::{io, path::Path};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::time::ClockId;

use super::chain::{chain, cpu_clock};
use super::number;

/// The function that children spend their time in.
pub(crate) const SYMBOL: &str = "burn_child";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (children, rounds) = (number(arguments, 0)?, number(arguments, 1)?);
    let file = arguments.get(2).context("which file?")?;

    let (mut results, mut result) = pipe()?;
    let mut burned = 0;
    for _ in 0..children {
        // SAFETY: this process has one thread, so the child finds no lock held and may run any code.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let start = cpu_clock(ClockId::ProcessCPUTime);
            burn_child(rounds);
            let spent =
                u64::try_from((cpu_clock(ClockId::ProcessCPUTime) - start).as_nanos()).unwrap_or(u64::MAX);
            let status = i32::from(result.write_all(&spent.to_ne_bytes()).is_err());
            // SAFETY: ends the process; nothing that it leaves behind needs dropping.
            unsafe { libc::_exit(status) }
        }
        let child = Pid::from_raw(child).filter(|_| child > 0).ok_or_else(io::Error::last_os_error)?;
        let ended = waitpid(Some(child), WaitOptions::empty())?;
        ensure!(ended.is_some_and(|(_, status)| status.exit_status() == Some(0)), "a child failed");
        let mut spent = [0; 8];
        results.read_exact(&mut spent)?;
        burned += u64::from_ne_bytes(spent);
    }
    Ok(fs::write(file, burned.to_string())?)
}

/// What the children of a storm burned.
pub(crate) fn burned(file: &Path) -> Result<Duration> {
    Ok(Duration::from_nanos(fs::read_to_string(file)?.parse()?))
}

#[inline(never)]
fn burn_child(rounds: u64) {
    black_box(chain(black_box(1), rounds));
}
