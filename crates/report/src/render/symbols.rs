//! OProfile's symbol table (`opreport -l`).

use std::io::{self, Write};

use oprof_profile::Recording;

use crate::cell::Cell;
use crate::class::ClassOrder;
use crate::grouping::By;
use crate::header::header;
use crate::options::Options;
use crate::percent::percent;
use crate::printable::printable;
use crate::render::stat::ratio_value;
use crate::report::Report;

/// Writes OProfile's symbol table: the header, then a row for each symbol of each image in each app. Each row is
/// one write; give it a buffered `out`.
pub fn opreport_symbols(recording: &Recording, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let options = Options { oprofile_words: true, ..options.clone() };
    let report = Report::new(recording, By::Symbol, ClassOrder::ByName, &options);
    let mut line = String::new();
    if !options.no_header {
        out.write_all(header(recording, report.classes()).as_bytes())?;
        for column in report.columns() {
            let title = report.title(*column);
            push_field(&mut line, title, column.opreport_width().max(title.len() + 1));
        }
        end_line(&mut line);
        out.write_all(line.as_bytes())?;
    }
    for row in report.rows() {
        line.clear();
        for column in report.columns() {
            let width = column.opreport_width().max(report.title(*column).len() + 1);
            push_field(&mut line, &text(report.cell(row, *column)), width);
        }
        end_line(&mut line);
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Writes a cell as OProfile does: numbers without groups, percentages in their own format.
fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Number(number) | Cell::Identifier(number) | Cell::Events { value: number, .. } => {
            number.to_string()
        }
        Cell::Percent { part, whole } => percent(part, whole),
        Cell::Time { nanoseconds, .. } => nanoseconds.to_string(),
        Cell::Text(text) => printable(&text).into_owned(),
        Cell::Ratio(value) => ratio_value(value),
        Cell::Unknown => String::new(),
    }
}

/// Every field is padded to its column's width; a longer one pushes the rest of the row to the right.
fn push_field(line: &mut String, text: &str, width: usize) {
    line.push_str(text);
    let blanks = width.saturating_sub(text.chars().count()).max(1);
    line.extend(std::iter::repeat_n(' ', blanks));
}

fn end_line(line: &mut String) {
    line.truncate(line.trim_end_matches(' ').len());
    line.push('\n');
}
