//! Hostile images: the time and the memory that the one takes that takes most of it.

use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::hostile::{
    self,
    image::{CODE, CODE_SIZE},
};
use crate::measure;
use crate::quantity::{Bytes, Time};

/// How large the images are, or their largest part is, in bytes.
const SIZE: usize = 100 << 20;

/// The addresses that are asked for.
const ADDRESSES: u64 = 1000;

pub(crate) fn run(bench: &Bench) -> Result<String> {
    let size = if bench.smoke { 1 << 20 } else { SIZE };
    let path = bench.path("hostile");
    let mut slowest = (Duration::ZERO, "");
    let mut largest = (Bytes(0), "");
    let mut count = 0;
    for &(name, _) in hostile::images() {
        // Not by this program, whose memory is then that of its children.
        measure::run(bench.workload("hostile").arg(name).arg(size.to_string()).arg(&path))?;
        let mut command = bench.workload("symbols");
        command.arg("oprof").arg(&path);
        let step = CODE_SIZE / ADDRESSES;
        command.args((0..ADDRESSES).map(|place| CODE + place * step).map(|at| format!("{at:x}:{at:x}")));
        let run = measure::run(&mut command)?;
        eprintln!("{name:<24} {}, CPU {}, {}", Time(run.wall), Time(run.cpu), run.peak_memory);
        slowest = slowest.max((run.wall, name));
        if run.peak_memory.0 > largest.0.0 {
            largest = (run.peak_memory, name);
        }
        count += 1;
    }
    Ok(format!(
        "{count} images, at most {} ({}), peak memory at most {} ({})",
        Time(slowest.0),
        slowest.1,
        largest.0,
        largest.1
    ))
}
