//! The table of `oprof report --missing`.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use crate::missing::{Missing, MissingRow};
use crate::number::{counted, grouped};
use crate::options::Options;
use crate::printable::printable;
use crate::render::arrangement::GAP;

const IMAGE: &str = "image name";
const CURE: &str = "what would name it";

/// The columns before the image's.
const TITLES: [&str; 3] = ["samples", "%", "why"];

/// Writes the images whose code lacks names, each with what would name it: in a line, or where lines have a width that
/// has no room for that, below its name and broken at blanks. Of `options` the threshold and the header count.
pub fn missing(
    missing: &Missing,
    options: &Options,
    width: Option<u16>,
    out: &mut impl Write,
) -> io::Result<()> {
    if missing.rows().is_empty() {
        return match missing.samples() {
            0 => writeln!(out, "there are no samples"),
            1 => writeln!(out, "the one sample has a symbol"),
            samples => writeln!(out, "all {} samples have symbols", grouped(samples)),
        };
    }
    let percent = |row: &MissingRow| row.samples as f64 * 100.0 / missing.samples() as f64;
    let (rows, small): (Vec<_>, Vec<_>) =
        missing.rows().iter().partition(|row| percent(row) >= options.threshold);
    let rows: Vec<_> = rows
        .into_iter()
        .map(|row| {
            let numbers = [grouped(row.samples), format!("{:.2}", percent(row)), row.reason.to_owned()];
            (numbers, printable(&row.image).into_owned(), printable(&row.cure).into_owned())
        })
        .collect();
    let header = !options.no_header;

    let mut wide = table();
    if header {
        wide.set_header(TITLES.into_iter().chain([IMAGE, CURE]));
    }
    wide.add_rows(rows.iter().map(|(numbers, image, cure)| numbers.iter().chain([image, cure])));
    align(&mut wide);
    let lines: Vec<String> = wide.lines().collect();
    let longest = lines.iter().map(|line| line.trim_end_matches(' ').chars().count()).max().unwrap_or(0);
    match width {
        Some(width) if longest > usize::from(width) => {
            let mut narrow = table();
            narrow.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            if header {
                narrow.set_header(TITLES.into_iter().chain([format!("{IMAGE}, {CURE}").as_str()]));
            }
            narrow.add_rows(
                rows.iter().map(|(numbers, image, cure)| {
                    numbers.iter().cloned().chain([format!("{image}\n{cure}")])
                }),
            );
            align(&mut narrow);
            write(narrow.lines(), false, out)?;
        }
        _ => write(lines.into_iter(), header, out)?,
    }
    if !small.is_empty() {
        let rows = counted(small.len() as u64, "row", "rows");
        writeln!(out, "{rows} below {} % not shown", options.threshold)?;
    }
    Ok(())
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn align(table: &mut Table) {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        // Between two columns comfy-table puts one blank more.
        column.set_padding((0, if index == last { 0 } else { GAP as u16 - 1 }));
        if index < 2 {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if index < TITLES.len() {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Writes the lines of a table, with a rule of the length of the titles, not of the longest cure, where asked for.
fn write(
    lines: impl Iterator<Item = String>,
    rule_like_titles: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut title = 0;
    for (index, line) in lines.enumerate() {
        let line = line.trim_end_matches(' ');
        match index {
            0 => title = line.chars().count(),
            1 if rule_like_titles => {
                writeln!(out, "{}", "-".repeat(title))?;
                continue;
            }
            _ => {}
        }
        writeln!(out, "{line}")?;
    }
    Ok(())
}
