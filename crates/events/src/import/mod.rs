//! Turns the JSON that vendors publish of their events into tables.
//!
//! | form | what it looks like | read by |
//! |---|---|---|
//! | Intel perfmon | `{"Header": {..}, "Events": [{"EventName": ..}, ..]}` | `perfmon` |
//! | pmu-events of the kernel's perf, older perfmon | `[{"EventName": ..}, ..]` | `perfmon` |
//! | ARM-software/data | `{"cpu": .., "events": [{"name": .., "code": 17}, ..]}` | `arm` |
//! | Arm's telemetry solution | `{"product_configuration": {..}, "events": {"NAME": {"code": "0x11"}, ..}}` | `arm` |
//!
//! What is not known of a file is passed over; what is known and cannot be used is an error with the event's number and
//! the key. This module is public for `examples/make_tables` alone, which makes the built-in tables by the same rules.

mod architectural;
mod arm;
mod default_count;
mod document;
mod intel_terms;
mod perfmon;
mod row;
mod text;

pub use default_count::is_frequent;
pub use intel_terms::intel_terms;

use document::{Document, Form};

use crate::table::{EventTable, MOST_EVENTS, TableError};

/// Reads a table in JSON; `cpu` stands for the CPU type where the file does not say.
pub(crate) fn from_json(file: &str, cpu: &str, text: &str) -> Result<Vec<EventTable>, TableError> {
    let document = Document::read(file, text)?;
    if document.events_left > 0 {
        return Err(TableError::of_file(file, format!("more than {MOST_EVENTS} events")));
    }
    let tables = match document.form {
        Some(Form::Perfmon | Form::Rows) => perfmon::tables(file, cpu, &document)?,
        Some(Form::Arm) => vec![arm::table(file, cpu, &document)?],
        None => {
            let reason = "neither \"Events\" (Intel perfmon) nor \"events\" (Arm) is among its keys";
            return Err(TableError::of_file(file, reason));
        }
    };
    match tables.iter().any(|table| !table.events.is_empty()) {
        true => Ok(tables),
        false => {
            let left_out: usize = tables.iter().map(|table| table.left_out).sum();
            let reason = format!(
                "no event that a core could count ({left_out} rows are other units', metrics or without a name)"
            );
            Err(TableError::of_file(file, reason))
        }
    }
}
