//! The arrangement of a report's columns in a table.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle, Width,
};

use crate::cell::Cell;
use crate::column::Column;
use crate::differential::Change;
use crate::number::grouped;
use crate::printable::printable;
use crate::render::stat::ratio_value;
use crate::report::Report;
use crate::time::Unit;

/// Blanks between two columns.
pub(crate) const GAP: usize = 2;

/// A name is not cut below this width, even if a line gets longer than it should.
const NARROWEST_NAME: usize = 12;

/// With less room than this for all names of a line, a command's directory gives its place to the command.
const ROOM_FOR_DIRECTORY: usize = 70;

/// A name in a column that is not the last is cut at this width in any case: no path is longer (PATH_MAX in
/// linux/limits.h), and comfy-table pads every row to the longest.
const WIDEST_NAME: u16 = 4096;

/// What OProfile gives the name of an event above its columns, with the line after it.
const OPROFILE_CLASS_WIDTH: usize = 18;

/// The text of one column.
struct TextColumn {
    column: Column,
    title: String,
    cells: Vec<String>,
    /// The least width that it needs.
    width: usize,
}

/// The arrangement of a report's columns in a table.
pub(crate) struct Arrangement {
    columns: Vec<TextColumn>,
    /// The last column, where it is text that is never cut: no row need be padded to the longest.
    tail: Option<TextColumn>,
    /// For each class the name of its event and the width of its columns, with the gap after them.
    groups: Vec<(String, usize)>,
    width: Option<u16>,
}

impl Arrangement {
    /// Arranges a report in lines of this width; `None` for lines as long as they get.
    pub(crate) fn new(report: &Report<'_>, width: Option<u16>) -> Arrangement {
        let mut columns: Vec<TextColumn> =
            report.columns().iter().map(|column| text_column(report, *column)).collect();
        if let Some(width) = width
            && columns.last().is_some_and(|last| last.column == Column::CommandLine)
        {
            give_room(&mut columns, usize::from(width), report.options().long_names);
        }
        let tail = columns.pop_if(|last| width.is_none() && !last.column.is_number());
        let groups = (0..report.classes().len()).map(|class| group(report, class, &columns, width)).collect();
        Arrangement { columns, tail, groups, width }
    }

    /// The line with the names of the events.
    pub(crate) fn event_line(&self) -> String {
        let mut line = String::new();
        for (name, width) in &self.groups {
            line.push_str(name);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(name.chars().count())));
        }
        line.truncate(line.trim_end_matches(' ').len());
        line
    }

    /// What stands behind the table in a row; in the line of titles for `None`.
    pub(crate) fn tail(&self, row: Option<usize>) -> Option<&str> {
        let tail = self.tail.as_ref()?;
        match row {
            Some(row) => tail.cells.get(row).map(String::as_str),
            None => Some(&tail.title),
        }
    }

    /// The table of all columns but the tail.
    pub(crate) fn table(&self, report: &Report<'_>) -> Table {
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
        // Text is cut anywhere, not at blanks: no character of this kind is left in printable text.
        table.set_delimiter('\u{0}').set_truncation_indicator("...");
        match self.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if !report.options().no_header {
            let mut titles = Row::from(self.columns.iter().map(|column| &column.title));
            titles.max_height(1);
            table.set_header(titles);
        }
        for index in 0..report.rows().len() {
            let cell = |column: &TextColumn| column.cells.get(index).cloned().unwrap_or_default();
            let mut row = Row::from(self.columns.iter().map(cell));
            row.max_height(1);
            table.add_row(row);
        }
        for (index, column) in self.columns.iter().enumerate() {
            let Some(layout) = table.column_mut(index) else { continue };
            // Between two columns comfy-table puts one blank more.
            let padding = if index + 1 == self.columns.len() { 0 } else { GAP - 1 };
            let width = column.width + padding + self.room_for_event(column.column);
            let width = Width::Fixed(u16::try_from(width).unwrap_or(WIDEST_NAME));
            layout.set_padding((0, padding as u16));
            if column.column.is_number() {
                layout.set_cell_alignment(CellAlignment::Right);
                layout.set_constraint(ColumnConstraint::Absolute(width));
            } else if self.width.is_some() {
                layout.set_constraint(ColumnConstraint::LowerBoundary(width));
            } else {
                layout.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WIDEST_NAME)));
            }
        }
        table
    }

    /// How much wider the first column of a class is for the name of its event.
    fn room_for_event(&self, column: Column) -> usize {
        match column {
            Column::Samples(class) | Column::Events(class) if self.groups.len() > 1 => {
                self.groups[class].1.saturating_sub(group_width(&self.columns, class))
            }
            _ => 0,
        }
    }
}

fn text_column(report: &Report<'_>, column: Column) -> TextColumn {
    let unit = unit(report, column);
    let cells: Vec<String> = report.rows().iter().map(|row| text(report.cell(row, column), unit)).collect();
    let title = printable(report.title(column)).into_owned();
    let title_width = if report.options().no_header { 0 } else { title.chars().count() };
    let width = match column.is_number() {
        // The text of a number is ASCII.
        true => cells.iter().map(String::len).max().unwrap_or(0).max(title_width),
        false => title_width.max(NARROWEST_NAME),
    };
    TextColumn { column, title, cells, width }
}

/// Leaves out the directories of commands where that makes room, and then those of their programs, unless these are
/// asked for: what tells commands apart stands further right in the line.
fn give_room(columns: &mut Vec<TextColumn>, width: usize, whole_paths: bool) {
    let numbers: usize =
        columns.iter().filter(|column| column.column.is_number()).map(|column| column.width + GAP).sum();
    if whole_paths || width.saturating_sub(numbers) >= ROOM_FOR_DIRECTORY {
        return;
    }
    columns.retain(|column| column.column != Column::WorkingDirectory);
    for cell in columns.last_mut().into_iter().flat_map(|commands| &mut commands.cells) {
        let program = cell.split(' ').next().unwrap_or_default();
        // In quotes a blank may be part of the path.
        if let Some((directory, _)) = program.rsplit_once('/')
            && !program.starts_with('\'')
        {
            cell.drain(..=directory.len());
        }
    }
}

fn group_width(columns: &[TextColumn], class: usize) -> usize {
    let of_class = columns.iter().filter(|column| column.column.class() == Some(class));
    of_class.map(|column| column.width + GAP).sum()
}

/// The name of a class's event, and the width of its columns that makes room for it. Where lines have a limit a long
/// name is cut, as the rows' names need the room.
fn group(report: &Report<'_>, class: usize, columns: &[TextColumn], limit: Option<u16>) -> (String, usize) {
    let width = group_width(columns, class);
    let longest = match limit {
        Some(_) => width.max(OPROFILE_CLASS_WIDTH) - GAP,
        None => usize::from(WIDEST_NAME),
    };
    let name = report.event(class).map_or("".into(), |event| printable(&event.name));
    let name = match name.chars().count() > longest {
        true => name.chars().take(longest - 3).chain("...".chars()).collect(),
        false => name.into_owned(),
    };
    let width = width.max(name.chars().count() + GAP);
    (name, width)
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

/// A cell as it stands in a table, on its own: times in seconds.
pub(super) fn plain_text(cell: Cell<'_>) -> String {
    text(cell, Unit::Second)
}

fn text(cell: Cell<'_>, unit: Unit) -> String {
    let estimate = |exact: bool| if exact { "" } else { "~" };
    match cell {
        Cell::Number(number) => grouped(number),
        Cell::Identifier(number) => number.to_string(),
        Cell::Change(change) => match change {
            Change::New => "new".to_owned(),
            Change::Gone => "gone".to_owned(),
            Change::Percent(change) => format!("{change:+.2}"),
        },
        Cell::Address(address) => format!("{address:08x}"),
        Cell::Percent { whole: 0, .. } => "0.00".to_owned(),
        Cell::Percent { part, whole } => format!("{:.2}", part as f64 * 100.0 / whole as f64),
        Cell::Interval { low, high } => format!("{:.2} - {:.2}", low * 100.0, high * 100.0),
        Cell::Events { value, exact } => format!("{}{}", estimate(exact), grouped(value)),
        Cell::Time { nanoseconds, exact } => format!("{}{}", estimate(exact), unit.write(nanoseconds)),
        Cell::Ratio(value) => ratio_value(value),
        Cell::Text(text) => printable(&text).into_owned(),
        Cell::Unknown => "-".to_owned(),
    }
}
