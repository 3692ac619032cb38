//! One million flat samples: two threads burn 10 s each, sampled at 50 kHz.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::quantity::{Bytes, Share, Time, ratio};
use crate::recorder::{self, Rate, Recorder};
use crate::turns::Turns;

/// The recordings, which the case `report` reads.
pub(super) const RECORDING: &str = "flat";

/// As a period: a frequency of 50 kHz may be above what the kernel allows at the moment.
const RATE: Rate = Rate::Period(20_000);
const THREADS: u64 = 2;

struct Turn {
    recorder_cpu: Duration,
    recording: Bytes,
    peak_memory: Bytes,
    samples: u64,
    /// Of the samples that the command's CPU time should give.
    share: Share,
}

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let turns = Turns::of_recorders(bench, 3, |recorder| take_turn(bench, recorder))?;

    let (cpu, recording, memory) = (
        turns.oprof(|turn| turn.recorder_cpu),
        turns.oprof(|turn| turn.recording),
        turns.oprof(|turn| turn.peak_memory),
    );
    let mut line = format!(
        "oprof {} samples ({} of expected), CPU {}, file {recording}, peak memory {memory}",
        turns.oprof(|turn| turn.samples),
        turns.oprof(|turn| turn.share),
        Time(cpu),
    );
    line += &match &bench.perf {
        Ok(_) => {
            let perf_cpu = turns.perf(|turn| turn.recorder_cpu);
            let perf_recording = turns.perf(|turn| turn.recording);
            let perf_memory = turns.perf(|turn| turn.peak_memory);
            format!(
                "; perf {} samples ({}), CPU {} ({}), file {perf_recording} ({}), peak memory {perf_memory} ({})",
                turns.perf(|turn| turn.samples),
                turns.perf(|turn| turn.share),
                Time(perf_cpu),
                ratio(cpu.as_secs_f64(), perf_cpu.as_secs_f64()),
                ratio(recording.0 as f64, perf_recording.0 as f64),
                ratio(memory.0 as f64, perf_memory.0 as f64),
            )
        }
        Err(reason) => format!("; perf {reason}"),
    };
    Ok(line)
}

/// Records with each recorder what has no recording yet.
pub(super) fn make_recordings(bench: &Bench) -> Result<()> {
    for recorder in bench.recorders() {
        if !recorder.recording(bench, RECORDING).exists() {
            take_turn(bench, recorder)?;
        }
    }
    Ok(())
}

fn take_turn(bench: &Bench, recorder: Recorder) -> Result<Turn> {
    let mut workload = bench.workload("burn");
    let milliseconds = if bench.smoke { 500 } else { 10_000 };
    workload.args([THREADS.to_string(), milliseconds.to_string()]);

    let run = recorder::run(bench, Some(recorder), RATE, RECORDING, &workload)?;
    let samples = recorder.table(bench, RECORDING)?.total();
    Ok(Turn {
        recorder_cpu: run.recorder_cpu(),
        recording: recorder.recording_size(bench, RECORDING)?,
        peak_memory: run.whole.peak_memory,
        samples,
        share: Share::of(samples, RATE.expected_samples(run.command.cpu)),
    })
}
