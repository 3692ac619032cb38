//! What a reader can choose about a comparison.

use super::by::DiffBy;

/// What the two sides are compared by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalise {
    /// Each row's share of all its side's events: a longer run changes nothing.
    #[default]
    Total,
    /// A row's events in each second of recording.
    Time,
    /// A row's events in each recording.
    Run,
}

impl Normalise {
    /// All of them, in the order in which help texts list them.
    pub const ALL: [Normalise; 3] = [Normalise::Total, Normalise::Time, Normalise::Run];

    /// The name, as an option's value.
    pub fn name(self) -> &'static str {
        match self {
            Normalise::Total => "total",
            Normalise::Time => "time",
            Normalise::Run => "run",
        }
    }
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiffSort {
    /// The size of the change, largest first.
    #[default]
    Change,
    /// The relative change, from the largest growth down.
    Relative,
    /// What there was before, largest first.
    Before,
    /// What there is after, largest first.
    After,
    /// The chance, smallest first.
    Chance,
    /// The name.
    Name,
}

impl DiffSort {
    /// All of them, in the order in which help texts list them.
    pub const ALL: [DiffSort; 6] = [
        DiffSort::Change,
        DiffSort::Relative,
        DiffSort::Before,
        DiffSort::After,
        DiffSort::Chance,
        DiffSort::Name,
    ];

    /// The name, as an option's value.
    pub fn name(self) -> &'static str {
        match self {
            DiffSort::Change => "change",
            DiffSort::Relative => "relative",
            DiffSort::Before => "before",
            DiffSort::After => "after",
            DiffSort::Chance => "chance",
            DiffSort::Name => "name",
        }
    }
}

/// What a reader can choose about a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffSettings {
    /// What a row stands for.
    pub by: DiffBy,
    /// The name of the event to compare; `None` for the first that all recordings have.
    pub event: Option<String>,
    /// What the two sides are compared by.
    pub normalise: Normalise,
    /// The level at which a change is told from chance: 0.05 for intervals of 95 %, and for at most 5 % of the rows that
    /// are found being false finds, on average.
    pub level: f64,
    /// Leave out rows whose share of the events is below this many percent on both sides.
    pub threshold: f64,
    /// What rows are sorted by.
    pub sort: DiffSort,
    /// Growth of the total, or of a row, beyond so many percent of what it was is a regression.
    pub fail_above: Option<f64>,
}

impl Default for DiffSettings {
    fn default() -> DiffSettings {
        DiffSettings {
            by: DiffBy::default(),
            event: None,
            normalise: Normalise::default(),
            level: 0.05,
            threshold: 0.0,
            sort: DiffSort::default(),
            fail_above: None,
        }
    }
}
