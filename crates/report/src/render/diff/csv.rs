//! A comparison as comma-separated values (RFC 4180).

use std::io::{self, Write};
use std::sync::Arc;

use super::DiffLook;
use crate::diff::{Diff, DiffRow, Module};
use crate::render::quoting::csv_field;

/// The columns, in order. More may come after them.
const TITLES: [&str; 19] = [
    "state",
    "significant",
    "before",
    "after",
    "change",
    "low",
    "high",
    "relative",
    "chance",
    "adjusted_chance",
    "samples_before",
    "samples_after",
    "app",
    "image",
    "symbol",
    "file",
    "line",
    "moved_from_image",
    "moved_from_symbol",
];

/// Writes a comparison as a line of titles and a line for each row. Quantities are as in JSON: shares of 1, or events (of
/// clocks nanoseconds) in each run or second.
pub fn csv(diff: &Diff, look: &DiffLook, out: &mut impl Write) -> io::Result<()> {
    if !look.no_header {
        writeln!(out, "{}", TITLES.join(","))?;
    }
    for row in look.rows(diff) {
        let fields: Vec<String> = fields(row).iter().map(|field| csv_field(field)).collect();
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

fn fields(row: &DiffRow) -> [String; TITLES.len()] {
    let change = &row.change;
    let module =
        |module: &Option<Arc<Module>>| module.as_ref().map_or(String::new(), |module| module.name.clone());
    [
        row.state.name().to_owned(),
        change.significant.to_string(),
        change.before.to_string(),
        change.after.to_string(),
        change.change().to_string(),
        change.interval.0.to_string(),
        change.interval.1.to_string(),
        change.relative().map_or(String::new(), |relative| relative.to_string()),
        format!("{:e}", change.chance),
        format!("{:e}", change.adjusted),
        row.samples_before.to_string(),
        row.samples_after.to_string(),
        module(&row.identity.app),
        module(&row.identity.image),
        row.name().to_owned(),
        row.identity.file.clone().unwrap_or_default(),
        row.identity.line.map_or(String::new(), |line| line.to_string()),
        row.moved_from.as_ref().map_or(String::new(), |from| module(&from.image)),
        row.moved_from.as_ref().map_or(String::new(), |from| from.name.clone()),
    ]
}
