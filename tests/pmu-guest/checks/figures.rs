//! What the emulated machine does with one CPU.

/// Cycles for each instruction.
pub(crate) const CYCLES: f64 = 16.0;
/// Cycles in a second.
pub(crate) const HERTZ: f64 = 1e9;

/// Thousands of instructions in the work of most checks.
pub(crate) const THOUSANDS: f64 = 100_000.0;
/// The same as instructions.
pub(crate) const INSTRUCTIONS: f64 = THOUSANDS * 1000.0;
/// That work.
pub(crate) const SHARES: &str = "shares 100000";
/// That work twice.
pub(crate) const TWICE: &str = "shares 200000";
/// What starting and ending the program may add to it.
pub(crate) const TOLERANCE: f64 = 0.005;

/// Events for a sample: at least what the emulation needs (see below), and not in step with the work, which repeats
/// itself each 100,000 instructions and so each 1,600,000 cycles.
pub(crate) const COUNT: u64 = 618_033;

/// Part of the total that samples cover at the least; of cycles the emulation tells each overflow when it happens.
pub(crate) const COVERED: f64 = 0.97;
/// An overflow of instructions is noticed only at the next timer tick, after 250,000 instructions at most: at periods of
/// [`COUNT`] that may skip some.
pub(crate) const COVERED_BY_INSTRUCTIONS: f64 = 0.80;
