//! An event in the list.

/// An event in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What to type for it.
    pub(crate) name: String,
    /// Other names that can be typed.
    pub(crate) aliases: Vec<String>,
    /// What it counts; may be empty.
    pub(crate) description: String,
    /// The group it belongs to: `hardware`, `PMU msr`.
    pub(crate) group: String,
    /// What the trial showed.
    pub(crate) state: State,
}

/// What the trial of an event showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It can be sampled.
    Samples,
    /// It can be sampled in user code alone.
    UserSamples,
    /// It counts and gives no samples.
    Counts,
    /// It does not open, for this reason.
    Refused(String),
}
