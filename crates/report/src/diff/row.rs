//! Rows of a comparison.

use std::sync::Arc;

use super::identity::Identity;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has no sample before, and more after than chance gives.
    New,
    /// It has no sample after, and more before than chance takes away.
    Gone,
    /// It is at another place, or goes by another name, on the other side.
    Moved,
    /// It changed.
    Changed,
    /// It changed no more than chance makes it.
    Unchanged,
}

impl State {
    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::Gone => "gone",
            State::Moved => "moved",
            State::Changed => "changed",
            State::Unchanged => "unchanged",
        }
    }
}

/// A quantity on both sides, with its change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiffChange {
    /// Before: a share (1 for all), or events in each second or run.
    pub before: f64,
    /// After, as above.
    pub after: f64,
    /// The interval of the change, `after - before`, at the level of the comparison.
    pub interval: (f64, f64),
    /// How often chance alone makes a change of at least this size.
    pub chance: f64,
    /// The chance, adjusted for the number of rows that were tested (Benjamini and Hochberg).
    pub adjusted: f64,
    /// The change is more than chance, at the level of the comparison.
    pub significant: bool,
}

impl DiffChange {
    /// After less before.
    pub fn change(&self) -> f64 {
        self.after - self.before
    }

    /// The change as a part of what there was; `None` where there was nothing.
    pub fn relative(&self) -> Option<f64> {
        (self.before > 0.0).then(|| self.change() / self.before)
    }
}

/// One row of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffRow {
    /// What it is, on the side after; before, where it is gone.
    pub identity: Arc<Identity>,
    /// Its name in the style that was asked for, where that differs.
    pub(crate) shown: Option<String>,
    /// What it was before, where it moved.
    pub moved_from: Option<Arc<Identity>>,
    /// Its quantity.
    pub change: DiffChange,
    /// Its samples before, of all recordings.
    pub samples_before: u64,
    /// Its samples after.
    pub samples_after: u64,
    /// What became of it.
    pub state: State,
}

impl DiffRow {
    /// Its name in the style that was asked for.
    pub fn name(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.identity.name)
    }
}
