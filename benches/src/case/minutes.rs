//! A steady load of processes for ten minutes: the recorder's memory in the first and in the last.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::quantity::{Bytes, ratio};
use crate::recorder::{Rate, Recorder};

const RATE: Rate = Rate::Frequency(997);

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let [first, last] = if bench.smoke { [1, 2] } else { [60, 600] }.map(Duration::from_secs);
    // A shell that starts others, and a program whose children are many.
    let storm = bench.workload("storm");
    let words: Vec<String> = [storm.get_program()]
        .into_iter()
        .chain(storm.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let script = format!(
        "while :; do {} 50 {} '{}'; ls / >/dev/null; done",
        words.join(" "),
        bench.rounds(0.8),
        bench.path("burned").display()
    );
    let mut command = Recorder::Oprof.record(bench, RATE, &["-q"], "minutes");
    command.args(["sh", "-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let mut oprof = command.spawn().context("cannot run oprof")?;
    let at = |moment: Duration| {
        std::thread::sleep(moment.saturating_sub(start.elapsed()));
        resident(oprof.id())
    };
    let memory = at(first).and_then(|first| Ok((first, at(last)?)));
    let pid = rustix::process::Pid::from_child(&oprof);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    oprof.wait()?;
    let (early, late) = memory?;
    Ok(format!(
        "after {} s {early}, after {} s {late} ({})",
        first.as_secs(),
        last.as_secs(),
        ratio(late.0 as f64, early.0 as f64)
    ))
}

/// The memory of a process (VmRSS of proc_pid_status(5)).
fn resident(pid: u32) -> Result<Bytes> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("oprof has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(Bytes(kilobytes * 1024))
}
