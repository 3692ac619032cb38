//! The table of processes, each with its counts.

use std::io::{self, Write};

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Row, Table, TableStyle, Width,
};

use crate::number::{counted, grouped};
use crate::printable::printable;
use crate::render::arrangement::GAP;
use crate::render::table::Look;
use crate::stat::{ProcessCount, Stat, StatProcess};
use crate::time::Unit;

/// With less room for command lines fewer events are shown.
const ROOM_FOR_COMMAND: usize = 24;

/// Writes a row for each process whose first event has at least `threshold` percent of the total: its counts, wall time,
/// process id and command line. What a line has no room for is named below.
pub fn processes(stat: &Stat, threshold: f64, look: Look, out: &mut impl Write) -> io::Result<()> {
    let total = stat.rows.first().map_or(0, |row| row.sum.value);
    let is_shown = |process: &&StatProcess| {
        let own = process.counts.first().map_or(0, |count| count.raw);
        threshold == 0.0 || own as f64 * 100.0 >= threshold * total as f64
    };
    let (shown, small): (Vec<_>, Vec<_>) = stat.processes.iter().partition(is_shown);
    let columns = columns(stat, &shown);
    let others = ["wall time", "pid"].len();
    let kept = kept(&columns, others, look.width);
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
    // Command lines are cut anywhere, not at blanks: no character of this kind is left in printable text.
    table.set_delimiter('\u{0}').set_truncation_indicator("...");
    match look.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let visible: Vec<&Column> = columns
        .iter()
        .enumerate()
        .filter(|(index, _)| kept.contains(index))
        .map(|(_, column)| column)
        .collect();
    let mut titles = Row::from(visible.iter().map(|column| column.title.as_str()).chain(["command"]));
    titles.max_height(1);
    table.set_header(titles);
    for (index, process) in shown.iter().enumerate() {
        let command = printable(&process.command).into_owned();
        let mut row = Row::from(visible.iter().map(|column| column.cells[index].clone()).chain([command]));
        row.max_height(1);
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        let Some(visible) = visible.get(index) else {
            column.set_padding((0, 0));
            continue;
        };
        // Between two columns comfy-table puts one blank more.
        let padding = GAP - 1;
        column.set_padding((0, padding as u16)).set_cell_alignment(CellAlignment::Right);
        let width = u16::try_from(visible.width() + padding).unwrap_or(u16::MAX);
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
    }
    let mut title_width = 0;
    for (index, line) in table.lines().enumerate() {
        let line = line.trim_end_matches(' ');
        match index {
            0 => {
                title_width = line.chars().count();
                match look.colour {
                    true => writeln!(out, "\x1b[1m{line}\x1b[0m")?,
                    false => writeln!(out, "{line}")?,
                }
            }
            // As long as the titles, not as the longest command line.
            1 => writeln!(out, "{}", "-".repeat(title_width))?,
            _ => writeln!(out, "{line}")?,
        }
    }
    if !small.is_empty() {
        let processes = counted(small.len() as u64, "process", "processes");
        writeln!(out, "{processes} below {threshold} % not shown")?;
    }
    let left_out: Vec<&str> = (0..columns.len())
        .filter(|index| !kept.contains(index))
        .map(|index| columns[index].title.as_str())
        .collect();
    if !left_out.is_empty() {
        writeln!(out, "no room for {}; a wider terminal or a file (-o) has it", left_out.join(", "))?;
    }
    rest(stat, out)?;
    match stat.lost_records {
        0 => Ok(()),
        1 => writeln!(out, "1 record was lost: a process may be missing, or its command line"),
        lost => {
            writeln!(out, "{} records were lost: processes may be missing, or command lines", grouped(lost))
        }
    }
}

/// The text of a column of numbers.
struct Column {
    title: String,
    cells: Vec<String>,
}

impl Column {
    /// Of ASCII, but perhaps for the title.
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(String::len).max().unwrap_or(0);
        cells.max(self.title.chars().count())
    }
}

/// The events' columns, then wall time and process id.
fn columns(stat: &Stat, shown: &[&StatProcess]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::with_capacity(stat.rows.len() + 2);
    for (event, row) in stat.rows.iter().enumerate() {
        let longest = shown.iter().filter_map(|process| process.counts.get(event)).map(|count| count.value);
        let unit = row.event.nanoseconds.then(|| Unit::for_column(longest.max().unwrap_or(0)));
        let cell = |process: &&StatProcess| {
            process.counts.get(event).map_or("-".to_owned(), |count| text(count, unit))
        };
        let title = printable(&row.event.name).into_owned();
        columns.push(Column { title, cells: shown.iter().map(cell).collect() });
    }
    let longest = shown.iter().filter_map(|process| process.wall_time).max().unwrap_or(0);
    let unit = Unit::for_column(longest);
    let wall_time =
        |process: &&StatProcess| process.wall_time.map_or("-".to_owned(), |time| unit.write(time));
    columns.push(Column { title: "wall time".to_owned(), cells: shown.iter().map(wall_time).collect() });
    let pids = shown.iter().map(|process| process.pid.to_string()).collect();
    columns.push(Column { title: "pid".to_owned(), cells: pids });
    columns
}

fn text(count: &ProcessCount, unit: Option<Unit>) -> String {
    let tilde = if count.exact { "" } else { "~" };
    let value = unit.map_or_else(|| grouped(count.value), |unit| unit.write(count.value));
    format!("{tilde}{value}")
}

/// The columns for which lines of this width have room: the first event's and the `others` behind the events' in any
/// case, of the other events as many as fit.
fn kept(columns: &[Column], others: usize, width: Option<u16>) -> Vec<usize> {
    let Some(width) = width else { return (0..columns.len()).collect() };
    let events = columns.len().saturating_sub(others);
    let room = |index: usize| columns[index].width() + GAP;
    let mut kept: Vec<usize> = (events..columns.len()).collect();
    let mut left = usize::from(width)
        .saturating_sub(ROOM_FOR_COMMAND)
        .saturating_sub(kept.iter().map(|index| room(*index)).sum());
    for event in 0..events {
        if event > 0 && room(event) > left {
            break;
        }
        left = left.saturating_sub(room(event));
        kept.push(event);
    }
    kept
}

/// Says what no process has for its own.
fn rest(stat: &Stat, out: &mut impl Write) -> io::Result<()> {
    let Some((unknown, rest)) = stat.rest() else { return Ok(()) };
    let told: Vec<String> = stat
        .rows
        .iter()
        .zip(&rest)
        .filter(|(_, rest)| **rest > 0)
        .map(|(row, rest)| {
            let text = if row.event.nanoseconds { crate::time::time(*rest) } else { grouped(*rest) };
            format!("{text} {}", printable(&row.event.name))
        })
        .collect();
    let told = if told.is_empty() { "nothing".to_owned() } else { told.join(", ") };
    match unknown {
        0 => writeln!(out, "of the totals no process has {told}"),
        1 => writeln!(out, "1 process has no count of its own (-): {told}"),
        _ => writeln!(out, "{} processes have no counts of their own (-): together {told}", grouped(unknown)),
    }
}
