//! Tables of events: what a processor can count, as its vendor or OProfile names it.

mod builtin;
mod choice;
mod counters;
mod embedded;
mod event;
mod family;
mod fields;
mod header;
mod load;
mod parse;
mod unit_masks;

pub use builtin::BuiltInTable;
pub(crate) use choice::Choice;
pub use counters::Counters;
pub use event::TableEvent;
pub use family::Family;
pub(crate) use fields::FamilyFields;
pub use header::{DefaultEvent, FieldAlias};
pub use parse::TableError;
pub(crate) use parse::{FIRST_LINE, MOST_EVENTS, RowError, check_name, check_terms};
pub use unit_masks::{UnitMask, UnitMaskKind, UnitMasks};

/// A table of events of one CPU type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventTable {
    /// The CPU type: `skylake`, `i386/p4`; for a user's table what its header says, or the file's name.
    pub cpu: String,
    /// Whose fields encode the events where the kernel's own are not at hand.
    pub family: Family,
    /// Where the facts are from.
    pub source: String,
    /// General counters for each logical CPU; `None` where the source does not say.
    pub counters: Option<u32>,
    /// The event to sample when none is given, as OProfile has it.
    pub default_event: Option<DefaultEvent>,
    /// The core PMU that it is for, where it is not for all; a user's table can say so.
    pub pmu: Option<String>,
    /// Fields that are part of another of the PMU's.
    pub fields: Vec<FieldAlias>,
    /// The events, in the table's order.
    pub events: Vec<TableEvent>,
    /// How many rows of the file are none of a core's events that could be counted: other units', metrics, events
    /// without a name. Of several tables from one file, the first has the number.
    pub left_out: usize,
}

impl EventTable {
    /// The table is meant for this core PMU: it names it, or none.
    pub(crate) fn is_for(&self, pmu: &str) -> bool {
        self.pmu.as_deref().is_none_or(|wanted| wanted == pmu)
    }

    /// The event of this name, in any case; the first if several differ in their case alone.
    pub fn find(&self, name: &str) -> Option<&TableEvent> {
        self.events
            .iter()
            .find(|event| event.name == name)
            .or_else(|| self.events.iter().find(|event| event.name.eq_ignore_ascii_case(name)))
    }
}
