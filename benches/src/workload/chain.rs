//! CPU time in known amounts: a chain of instructions each of which waits for the one before.
//!
//! Latency alone sets its pace, so a round takes the same time in every function it is inlined into, whatever the
//! alignment of the loop. Where CPU time depends on the neighbours (hyperthreads, a busy host), it does so for all.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

#[inline(always)]
pub(crate) fn chain(mut x: u64, rounds: u64) -> u64 {
    for _ in 0..rounds {
        x ^= x >> 29;
        x = x.wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
    x
}

/// How many rounds one millisecond of CPU time takes here: the best of some tries.
pub(crate) fn rounds_per_ms() -> f64 {
    const ROUNDS: u64 = 2_000_000;
    (0..9)
        .map(|try_| {
            let start = cpu_clock(ClockId::ProcessCPUTime);
            black_box(chain(black_box(try_), ROUNDS));
            ROUNDS as f64 / ((cpu_clock(ClockId::ProcessCPUTime) - start).as_secs_f64() * 1e3)
        })
        .fold(0.0, f64::max)
}

/// The CPU time so far of this process, or of this thread.
pub(crate) fn cpu_clock(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
