//! `burn THREADS MILLISECONDS`: each thread burns so much CPU time in three functions, which take 60, 30 and 10 % of
//! it.

use std::hint::black_box;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rustix::time::ClockId;

use super::chain::{chain, cpu_clock};
use super::number;

/// The functions with their shares of the time.
pub(crate) const SHARES: [(&str, f64); 3] = [("burn_sixty", 0.6), ("burn_thirty", 0.3), ("burn_ten", 0.1)];

/// The rounds of one call, some microseconds.
const CALL: u64 = 4_000;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (threads, milliseconds) = (number(arguments, 0)?, number(arguments, 1)?);
    thread::scope(|scope| {
        for seed in 1..=threads {
            scope.spawn(move || burn(seed, Duration::from_millis(milliseconds)));
        }
    });
    Ok(())
}

/// Makes calls in a random order, which cannot keep step with the sampling, yet with exact shares: every hundred
/// calls are a shuffled deck of 60, 30 and 10.
fn burn(seed: u64, cpu: Duration) {
    const DECK: usize = 100;
    let mut deck: [fn(u64) -> u64; DECK] = std::array::from_fn(|card| match card {
        0..60 => burn_sixty as fn(u64) -> u64,
        60..90 => burn_thirty,
        _ => burn_ten,
    });
    let mut x = seed;
    while cpu_clock(ClockId::ThreadCPUTime) < cpu {
        for card in (1..DECK).rev() {
            x = x.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
            deck.swap(card, (x >> 33) as usize % (card + 1));
        }
        for call in deck {
            x = call(x);
        }
    }
    black_box(x);
}

// Each starts from a number of its own: the compiler merges functions that are the same.

#[inline(never)]
fn burn_sixty(x: u64) -> u64 {
    chain(x ^ 60, CALL)
}

#[inline(never)]
fn burn_thirty(x: u64) -> u64 {
    chain(x ^ 30, CALL)
}

#[inline(never)]
fn burn_ten(x: u64) -> u64 {
    chain(x ^ 10, CALL)
}
