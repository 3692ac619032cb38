//! `timed FILE COMMAND...`: runs a command and writes what it used to the file. Under a recorder this tells the
//! command's time from the recorder's.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::measure;

/// What a command used, with all it ran and with `timed` itself.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Usage {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).context("the command wrote no usage")?;
        let (wall, cpu) = text.split_once(' ').context("the command wrote no usage")?;
        Ok(Usage { wall: Duration::from_nanos(wall.parse()?), cpu: Duration::from_nanos(cpu.parse()?) })
    }
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [file, program, arguments @ ..] = arguments else { anyhow::bail!("which command?") };
    let start = Instant::now();
    let status =
        Command::new(program).args(arguments).status().with_context(|| format!("cannot run {program}"))?;
    let usage = Usage { wall: start.elapsed(), cpu: measure::own_cpu_time() };
    ensure!(status.success(), "{program} ended with {status}");
    Ok(fs::write(file, format!("{} {}", usage.wall.as_nanos(), usage.cpu.as_nanos()))?)
}
