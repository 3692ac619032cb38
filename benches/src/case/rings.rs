//! Ring buffers of 2 and of 256 CPUs, made up and filled as by 997 Hz, read and folded by the recorder's own reader.

use std::time::Duration;

use anyhow::{Result, ensure};
use oprof_collector::synthetic::SyntheticMachine;
use rustix::time::{ClockId, clock_gettime};

use crate::bench::Bench;
use crate::measure::median;
use crate::quantity::ratio;

/// Samples of each CPU in a round: what comes in 0.2 s.
const SAMPLES: u64 = 200;
/// As large as a sample's buffer is by default.
const BUFFER: usize = 1 << 20;
/// Distinct places of all CPUs together.
const PLACES: u64 = 20_480;
/// Samples of all CPUs together in a turn.
const IN_ALL: u64 = 2_000_000;

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let in_all = if bench.smoke { 200_000 } else { IN_ALL };
    let mut turns: [Vec<Duration>; 2] = Default::default();
    for _ in 0..bench.repetitions(7) {
        for (cpus, turns) in [2, 256].into_iter().zip(&mut turns) {
            turns.push(take_turn(cpus, in_all)?);
        }
    }
    let [two, many] = turns.map(|turns| median(turns).as_secs_f64() / in_all as f64);
    Ok(format!(
        "2 CPUs {:.1} million samples a second, 256 CPUs {:.1} million (time for each {})",
        1e-6 / two,
        1e-6 / many,
        ratio(many, two)
    ))
}

/// The reader's CPU time for all samples.
fn take_turn(cpus: u16, in_all: u64) -> Result<Duration> {
    let mut machine = SyntheticMachine::new(cpus, PLACES / u64::from(cpus), BUFFER)?;
    let rounds = in_all / SAMPLES / u64::from(cpus);
    let mut time = Duration::ZERO;
    for _ in 0..rounds.max(1) {
        ensure!(machine.run(SAMPLES), "a buffer is too small");
        let start = cpu_time();
        machine.round();
        time += cpu_time() - start;
    }
    let start = cpu_time();
    machine.finish();
    Ok(time + (cpu_time() - start))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
