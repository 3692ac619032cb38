//! 3,000 processes of one image, one after the other: how often the recorder opens it.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::measure;
use crate::oprof;
use crate::quantity::Time;

/// Milliseconds of CPU time of each process, which is a sample's worth or so.
const MILLISECONDS: u64 = 1;

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let processes = if bench.smoke { 30 } else { 3_000 };
    let (image, trace) = (bench.path("one-image"), bench.path("one-image.trace"));
    fs::copy(std::env::current_exe()?, &image)?;
    let one = format!("'{}' workload burn 1 {MILLISECONDS}", image.display());
    let script = format!("i=0; while [ $i -lt {processes} ]; do {one}; i=$((i + 1)); done");
    let mut record =
        oprof::record(&bench.oprof, &["-F".into(), "997".into()], &bench.path("one-image.oprof"));
    record.args(["sh", "-c", &script]);

    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "--seccomp-bpf", "-e", "trace=open,openat,openat2", "-o"]).arg(&trace);
    let run = measure::run(strace.arg(record.get_program()).args(record.get_args())).context("strace")?;

    // No process opens its own image, which execve(2) does.
    let trace = fs::read_to_string(&trace)?;
    let named = format!("\"{}\"", image.display());
    let opened = trace.lines().filter(|line| line.contains(&named)).count();
    ensure!(opened > 0, "the recorder did not open the image");
    Ok(format!(
        "{processes} processes: their image opened {opened} times; {} under strace, peak memory {}",
        Time(run.wall),
        run.peak_memory
    ))
}
