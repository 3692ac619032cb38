//! Quantities as the lines print them.

use std::fmt;
use std::time::Duration;

/// A size of a file or of memory.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes @ 0..1_000_000 => write!(f, "{:.1} kB", bytes as f64 / 1e3),
            bytes => write!(f, "{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

/// A time, in milliseconds below one second.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Time(pub(crate) Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 1.0 { write!(f, "{:.1} ms", seconds * 1e3) } else { write!(f, "{seconds:.2} s") }
    }
}

/// A part of a whole, printed in percent.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Share(pub(crate) f64);

impl Share {
    pub(crate) fn of(part: u64, whole: f64) -> Self {
        Share(if whole > 0.0 { part as f64 / whole } else { 0.0 })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} %", self.0 * 100.0)
    }
}

/// How many times perf's a value is.
pub(crate) fn ratio(ours: f64, perfs: f64) -> String {
    let ratio = ours / perfs;
    if ratio < 0.1 { format!("x{ratio:.4}") } else { format!("x{ratio:.2}") }
}
