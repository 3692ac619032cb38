//! An event of a table.

use super::{Choice, Counters, UnitMasks};

/// An event of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableEvent {
    /// The name.
    pub name: String,
    /// What encodes it, such as `event=0xc5,umask=0x1`; `code=` is OProfile's own number where that is another.
    pub terms: String,
    /// The counters that it can be counted on.
    pub counters: Counters,
    /// Events per sample when the user says nothing.
    pub default_count: u64,
    /// The fewest events per sample.
    pub min_count: u64,
    /// The unit masks to choose from; `None` where the terms say all.
    pub unit_masks: Option<UnitMasks>,
    /// 0; 1 where the processor can say exactly which instruction an event belongs to; 2 where it only works so.
    pub precise: u8,
    /// The vendor advises against it.
    pub deprecated: bool,
    /// Samples can hold the address of the data.
    pub data_address: bool,
    /// It needs a counter to itself while others of its kind are counted.
    pub taken_alone: bool,
    /// The kernel has no way to count it.
    pub refused: bool,
    /// What it counts; empty where the table does not say.
    pub description: String,
}

impl TableEvent {
    /// OProfile's number of the event, which its sample files hold: `code`, else `event`.
    pub fn code(&self) -> Option<u64> {
        self.term("code").or_else(|| self.term("event"))
    }

    /// Its terms with those of the unit mask, without what is OProfile's alone.
    pub(crate) fn encoded_terms(&self, choice: &Choice) -> String {
        let own = self.terms.split(',').filter(|term| !term.starts_with("code="));
        let mut terms: Vec<String> = own.map(str::to_owned).collect();
        terms.extend(choice.value.filter(|&value| value != 0).map(|value| format!("umask={value:#x}")));
        terms.extend(Some(choice.terms.clone()).filter(|terms| !terms.is_empty()));
        terms.join(",")
    }

    /// The unit mask that its terms hold.
    pub(crate) fn unit_mask_of_terms(&self) -> Option<u64> {
        self.term("umask")
    }

    /// The value of a term.
    fn term(&self, name: &str) -> Option<u64> {
        self.terms.split(',').find_map(|term| {
            let (key, value) = term.split_once('=')?;
            (key == name).then(|| crate::number::parse(value)).flatten()
        })
    }
}
