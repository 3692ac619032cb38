//! OProfile's symbol table (`opreport -l`).

use std::io::{self, Write};

use oprof_profile::Recording;

use crate::cell::Cell;
use crate::class::ClassOrder;
use crate::column::Column;
use crate::differential::Change;
use crate::grouping::By;
use crate::header::header;
use crate::options::Options;
use crate::percent::{percent, signed_percent};
use crate::printable::printable;
use crate::render::stat::ratio_value;
use crate::report::Report;

/// Writes OProfile's symbol table: the header, then a row for each symbol of each image in each app, and below it where
/// these are asked for a row for each address. Each row is one write; give it a buffered `out`.
pub fn opreport_symbols(
    recording: &Recording,
    options: &Options,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let options = Options { oprofile_words: true, ..options.clone() };
    let report = Report::new(recording, By::Symbol, ClassOrder::of_oprofile(&options), &options);
    let mut line = String::new();
    if !options.no_header {
        out.write_all(header(recording, report.classes()).as_bytes())?;
        push_titles(&mut line, &report, report.columns());
        out.write_all(line.as_bytes())?;
    }
    let digits = report.address_digits();
    let widths: Vec<usize> = report.columns().iter().map(|column| width(&report, *column)).collect();
    for (number, row) in report.rows().iter().enumerate() {
        line.clear();
        for (column, width) in report.columns().iter().zip(&widths) {
            push_field(&mut line, &text(report.cell(row, *column), digits), *width);
        }
        end_line(&mut line);
        out.write_all(line.as_bytes())?;
        for detail in report.details(number) {
            line.clear();
            line.push_str("  ");
            for (column, width) in report.columns().iter().zip(&widths) {
                push_field(&mut line, &text(report.detail_cell(row, detail, *column), digits), *width);
            }
            end_line(&mut line);
            out.write_all(line.as_bytes())?;
        }
    }
    Ok(())
}

/// Writes the titles of columns.
pub(super) fn push_titles(line: &mut String, report: &Report<'_>, columns: &[Column]) {
    for column in columns {
        push_field(line, report.title(*column), width(report, *column));
    }
    end_line(line);
}

/// The least width of a column.
pub(super) fn width(report: &Report<'_>, column: Column) -> usize {
    column.opreport_width().max(report.title(column).len() + 1)
}

/// Writes a cell as OProfile does: numbers without groups, percentages in their own format.
pub(super) fn text(cell: Cell<'_>, address_digits: usize) -> String {
    match cell {
        Cell::Number(number) | Cell::Identifier(number) | Cell::Events { value: number, .. } => {
            number.to_string()
        }
        Cell::Address(address) => format!("{address:0address_digits$x}"),
        Cell::Percent { part, whole } => percent(part, whole),
        Cell::Change(Change::New) => "+++".to_owned(),
        Cell::Change(Change::Gone) => "---".to_owned(),
        Cell::Change(Change::Percent(change)) => signed_percent(change),
        Cell::Interval { low, high } => format!("{:.2} - {:.2}", low * 100.0, high * 100.0),
        Cell::Time { nanoseconds, .. } => nanoseconds.to_string(),
        Cell::Text(text) => printable(&text).into_owned(),
        Cell::Ratio(value) => ratio_value(value),
        Cell::Unknown => String::new(),
    }
}

/// Every field is padded to its column's width; a longer one pushes the rest of the row to the right.
pub(super) fn push_field(line: &mut String, text: &str, width: usize) {
    line.push_str(text);
    let blanks = width.saturating_sub(text.chars().count()).max(1);
    line.extend(std::iter::repeat_n(' ', blanks));
}

pub(super) fn end_line(line: &mut String) {
    line.truncate(line.trim_end_matches(' ').len());
    line.push('\n');
}
