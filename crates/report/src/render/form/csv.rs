//! CSV (RFC 4180).

use std::io::{self, Write};

use super::{Shape, bare, key};
use crate::render::quoting::csv_field;

/// Writes a line of column names and one for each row; of a tree one for each innermost row, with a column for each level.
/// Shares are from 0 to 1, times in nanoseconds.
pub fn csv(shape: &Shape<'_, '_>, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let columns = shape.columns();
    let levels = match shape {
        Shape::Flat(_) => Vec::new(),
        Shape::Tree(_) => shape.levels(),
    };
    let names = levels.iter().map(|level| level.name().to_owned());
    let names: Vec<String> = columns.iter().map(|column| key(shape, *column)).chain(names).collect();
    if !shape.report().options().no_header {
        line(&names, out)?;
    }
    for (path, row) in shape.leaves() {
        let cells = columns.iter().map(|column| bare(shape.report().cell(row, *column)));
        let cells: Vec<String> = cells.chain(path).collect();
        line(&cells, out)?;
    }
    Ok(())
}

fn line(fields: &[String], out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
    write!(out, "{}\r\n", fields.join(","))
}
