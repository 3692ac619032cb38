//! Turns OProfile's session directories into recordings.
//!
//! A session is a directory of sample files under `SESSION/samples/NAME/`, whose paths say what was sampled
//! (`sample_path.rs`) and whose bytes say how often (`sample_file.rs`), laid out as `SESSION/abi` tells (`abi.rs`).
//! Nothing in it is believed: numbers are checked against the files' lengths, a damaged file is left out and told.

mod abi;
mod error;
mod listing;
mod load;
mod native;
mod sample_file;
mod sample_path;
mod statistics;

pub use abi::{Abi, NotAnAbi};
pub use error::SessionError;
pub use listing::{Listing, Problem, SampleFile, SessionDirectory, read_sample_file};
pub use load::{Loaded, load};
pub use native::{TooMany, native_bytes};
pub use sample_file::{Damage, Header, Samples};
pub use sample_path::{NotASamplePath, PathPart, SamplePath};
pub use statistics::Statistics;
