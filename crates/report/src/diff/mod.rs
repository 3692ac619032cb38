//! Comparisons of recordings: what changed, by how much, and is it real?
//!
//! Each recording is folded into a [`DiffRun`]; [`Diff`] pairs the rows of both sides' runs, normalises their counts and
//! tests each row's change.

mod by;
mod comparison;
mod doubts;
mod event;
mod exposure;
mod identity;
mod offsets;
mod pairing;
mod regression;
mod row;
mod run;
mod settings;
mod statistics;

pub use by::DiffBy;
pub use comparison::{Diff, DiffSide, NoComparison};
pub use event::NoEvent;
pub use identity::{Identity, Module};
pub use regression::Regression;
pub use row::{DiffChange, DiffRow, State};
pub use run::DiffRun;
pub use settings::{DiffSettings, DiffSort, Normalise};
