//! Counts as text, as fields between separators, as JSON.

mod csv;
mod intervals;
mod json;
mod ocount;
mod processes;
mod table;
mod value;

pub use csv::Csv;
pub use intervals::IntervalTable;
pub use json::{interval_json, json};
pub use ocount::{Ocount, PlaceKind};
pub use processes::processes;
pub use table::table;
pub(super) use value::ratio_value;
