//! The table of `oprof report`: a line of titles, a rule, rows.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use crate::cell::Cell;
use crate::column::Column;
use crate::number::{counted, grouped};
use crate::printable::printable;
use crate::report::Report;
use crate::time::Unit;

/// How a table looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Names are cut so that lines have at most this width; `None` for names never cut.
    pub width: Option<u16>,
    /// Titles stand out, and the hotter a row the more it does.
    pub colour: bool,
}

/// Blanks between two columns.
const GAP: usize = 2;

/// A name is not cut below this width, even if a line gets longer than it should.
const NARROWEST_NAME: usize = 12;

/// What OProfile gives the name of an event above its columns, with the line after it.
const OPROFILE_CLASS_WIDTH: usize = 18;

/// Rows of at least these shares stand out: red, yellow.
const HOT: f64 = 0.05;
const WARM: f64 = 0.01;

/// Writes a report as a table: a line of titles, a rule, rows; where there are several events, their names stand in
/// a line above. Each row is one write; give it a buffered `out`.
pub fn table(report: &Report<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    let cells = cells(report);
    let groups = group_titles(report, look, &cells);
    let header = !report.options().no_header;
    if header && report.classes().len() > 1 {
        let line: String = groups.iter().map(|(title, width)| format!("{title:<width$}")).collect();
        write_line(line.trim_end(), look.colour.then_some("1"), out)?;
    }
    let titles = if header { 2 } else { 0 };
    let mut title_width = 0;
    for (index, line) in arrange(report, look, cells, &groups).lines().enumerate() {
        let mut line = line.trim_end();
        match index {
            0 if header => title_width = line.chars().count(),
            // As long as the titles, not as the longest name, which may have a thousand characters.
            1 if header => line = line.get(..title_width).unwrap_or(line),
            _ => {}
        }
        let row = index.checked_sub(titles).and_then(|index| report.rows().get(index));
        let colour = match row {
            Some(row) => colour(report, row),
            None => (index == 0).then_some("1"),
        };
        write_line(line, colour.filter(|_| look.colour), out)?;
    }
    if report.idle_processes() > 0 {
        let processes = counted(report.idle_processes(), "more process", "more processes");
        writeln!(out, "{processes} without samples")?;
    }
    if report.below_threshold() > 0 {
        let rows = counted(report.below_threshold(), "row", "rows");
        writeln!(out, "{rows} below {} % not shown", report.options().threshold)?;
    }
    Ok(())
}

fn write_line(line: &str, colour: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    match colour {
        Some(colour) => writeln!(out, "\x1b[{colour}m{line}\x1b[0m"),
        None => writeln!(out, "{line}"),
    }
}

/// The text of each cell, column by column, with the least width of the column.
fn cells(report: &Report<'_>) -> Vec<(Vec<String>, usize)> {
    let column_of = |column: &Column| {
        let unit = unit(report, *column);
        let cells: Vec<String> =
            report.rows().iter().map(|row| text(report.cell(row, *column), unit)).collect();
        let title = if report.options().no_header { 0 } else { column.title().len() };
        let width = match column.is_number() {
            // The text of a number is ASCII.
            true => cells.iter().map(String::len).max().unwrap_or(0).max(title),
            false => title.max(NARROWEST_NAME),
        };
        (cells, width)
    };
    report.columns().iter().map(column_of).collect()
}

/// For each class the name of its event, fitted to the width of its columns, and that width, with the gap after it.
/// Where lines have a limit a long name is cut, as the rows' names need the room.
fn group_titles(report: &Report<'_>, look: Look, cells: &[(Vec<String>, usize)]) -> Vec<(String, usize)> {
    let of_class = |class| {
        let columns = report.columns().iter().zip(cells);
        let columns = columns.filter(|(column, _)| column.class() == Some(class));
        let width: usize = columns.map(|(_, (_, width))| width + GAP).sum();
        let name = report.event(class).map_or("".into(), |event| printable(&event.name));
        let limit = width.max(OPROFILE_CLASS_WIDTH) - GAP;
        let title = match look.width {
            Some(_) if name.chars().count() > limit => {
                name.chars().take(limit - 3).chain("...".chars()).collect()
            }
            _ => name.into_owned(),
        };
        let width = width.max(title.chars().count() + GAP);
        (title, width)
    };
    (0..report.classes().len()).map(of_class).collect()
}

/// Lays the cells out in columns.
fn arrange(
    report: &Report<'_>,
    look: Look,
    cells: Vec<(Vec<String>, usize)>,
    groups: &[(String, usize)],
) -> Table {
    let columns = report.columns();
    let several = report.classes().len() > 1;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
    // Text is cut anywhere, not at blanks: no character of this kind is left in printable text.
    table.set_delimiter('\u{0}').set_truncation_indicator("...");
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    if !report.options().no_header {
        let mut titles = comfy_table::Row::from(columns.iter().map(|column| column.title()));
        titles.max_height(1);
        table.set_header(titles);
    }
    let widths: Vec<usize> = cells.iter().map(|(_, width)| *width).collect();
    let mut cells: Vec<_> = cells.into_iter().map(|(cells, _)| cells.into_iter()).collect();
    for _ in report.rows() {
        let mut row =
            comfy_table::Row::from(cells.iter_mut().map(|column| column.next().unwrap_or_default()));
        row.max_height(1);
        table.add_row(row);
    }
    for (index, column) in columns.iter().enumerate() {
        let Some(layout) = table.column_mut(index) else { continue };
        // Between two columns comfy-table puts one blank more.
        let padding = if index + 1 == columns.len() { 0 } else { GAP - 1 };
        let mut width = widths[index] + padding;
        if let (Column::Samples(class), true) = (column, several) {
            let group: usize = columns
                .iter()
                .zip(&widths)
                .filter(|(c, _)| c.class() == Some(*class))
                .map(|(_, w)| w + GAP)
                .sum();
            width += groups[*class].1 - group;
        }
        let width = Width::Fixed(u16::try_from(width).unwrap_or(u16::MAX));
        layout.set_padding((0, padding as u16));
        if column.is_number() {
            layout.set_cell_alignment(CellAlignment::Right);
            layout.set_constraint(ColumnConstraint::Absolute(width));
        } else if look.width.is_some() {
            layout.set_constraint(ColumnConstraint::LowerBoundary(width));
        }
    }
    table
}

/// The unit of a column of times.
fn unit(report: &Report<'_>, column: Column) -> Unit {
    if !matches!(column, Column::Total(_) | Column::WallTime) {
        return Unit::Second;
    }
    let times = report.rows().iter().map(|row| match report.cell(row, column) {
        Cell::Time { nanoseconds, .. } => nanoseconds,
        _ => 0,
    });
    Unit::for_column(times.max().unwrap_or(0))
}

fn text(cell: Cell<'_>, unit: Unit) -> String {
    let estimate = |exact: bool| if exact { "" } else { "~" };
    match cell {
        Cell::Number(number) => grouped(number),
        Cell::Identifier(number) => number.to_string(),
        Cell::Percent { whole: 0, .. } => "0.00".to_owned(),
        Cell::Percent { part, whole } => format!("{:.2}", part as f64 * 100.0 / whole as f64),
        Cell::Events { value, exact } => format!("{}{}", estimate(exact), grouped(value)),
        Cell::Time { nanoseconds, exact } => format!("{}{}", estimate(exact), unit.write(nanoseconds)),
        Cell::Text(text) => printable(&text).into_owned(),
        Cell::Unknown => "-".to_owned(),
    }
}

/// The colour of a row, as an ANSI graphic rendition.
fn colour(report: &Report<'_>, row: &crate::rows::Row) -> Option<&'static str> {
    let shares = (0..report.classes().len()).map(|class| report.share(row, class));
    match shares.fold(0.0, f64::max) {
        HOT.. => Some("31"),
        WARM.. => Some("33"),
        _ => None,
    }
}
