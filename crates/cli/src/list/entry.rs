//! An event in the list.

use oprof_events::table::TableEvent;
use oprof_events::{EventConfig, ListedEvent};

/// An event in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// What to type for it.
    pub(crate) name: String,
    /// Other names that can be typed.
    pub(crate) aliases: Vec<String>,
    /// What it counts; may be empty.
    pub(crate) description: String,
    /// The group it belongs to: `hardware`, `PMU msr`.
    pub(crate) group: String,
    /// What a table says of it.
    pub(crate) table_event: Option<TableEvent>,
    /// How it is encoded, once for each PMU; nothing where it cannot be.
    pub(crate) configs: Vec<EventConfig>,
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
    /// It is another machine's and was not tried.
    Untried,
}

impl Entry {
    /// A listed event whose state is to be found out.
    pub(crate) fn untried(event: &ListedEvent, group: String, configs: Vec<EventConfig>) -> Self {
        Self {
            name: event.spec.clone(),
            aliases: event.aliases.clone(),
            description: event.description.clone(),
            group,
            table_event: event.table_event.clone(),
            configs,
            state: State::Untried,
        }
    }
}
