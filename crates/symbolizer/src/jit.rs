//! Turns what compilers tell at run time into names of the code that they make.
//!
//! Two forms are read: maps of names (`/tmp/perf-PID.map`), whose lines have no times, and dumps (jitdump), whose records
//! have. Both take their file piece by piece, as the compiler appends to it.

mod code_space;
mod image;
mod jit_dump;
mod perf_map;

pub use code_space::{JitCode, JitFunction, JitLine};
pub use image::JitImage;
pub use jit_dump::JitDump;
pub use perf_map::PerfMap;

/// The bytes that the names of one process's code may take. The largest servers that are known have maps of about 30 MB.
const MOST_BYTES: usize = 64 << 20;

/// The longest name that is kept, in bytes.
const LONGEST_NAME: usize = 4 << 10;
