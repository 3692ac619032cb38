//! Samples of code that a compiler may have made at run time.

use crate::{Count, Key, Timestamp, VirtualAddress};

/// A sample that fell into memory where a compiler may have put code. What that code is depends on the moment, which
/// folded counts do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitSample {
    /// When it was taken.
    pub time: Timestamp,
    /// What the CPU was executing.
    pub address: VirtualAddress,
    /// What it was folded by.
    pub key: Key,
    /// What it counts for.
    pub count: Count,
}
