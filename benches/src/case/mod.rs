//! The cases. Each has the same shape: `run` takes the turns and returns the line to print.

pub(crate) mod compare;
pub(crate) mod events;
pub(crate) mod flat;
pub(crate) mod fork_storm;
pub(crate) mod hostile;
pub(crate) mod idle;
pub(crate) mod known_shares;
pub(crate) mod make_test_all;
pub(crate) mod merge;
pub(crate) mod minutes;
pub(crate) mod one_image;
pub(crate) mod report;
pub(crate) mod rings;
pub(crate) mod sessions;
pub(crate) mod storm;
pub(crate) mod symbols;
