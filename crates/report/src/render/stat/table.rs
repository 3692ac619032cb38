//! The table of counts: a line of titles, a rule, a row for each event, how long it took.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};

use super::value;
use crate::number::counted;
use crate::printable::printable;
use crate::render::arrangement::GAP;
use crate::render::table::Look;
use crate::stat::{Spread, Stat, StatRow};
use crate::time::time;

/// The ANSI graphic rendition of titles.
const BOLD: &str = "1";

/// Writes counts as a table; where lines have a width that has no room for ratios, these stand below the names.
pub fn table(stat: &Stat, look: Look, out: &mut impl Write) -> io::Result<()> {
    let lines = lines(stat, Ratios::Beside, None);
    let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let lines = match look.width {
        Some(width) if longest > usize::from(width) => self::lines(stat, Ratios::Below, Some(width)),
        _ => lines,
    };
    for (index, line) in lines.iter().enumerate() {
        match index == 0 && look.colour {
            true => writeln!(out, "\x1b[{BOLD}m{line}\x1b[0m")?,
            false => writeln!(out, "{line}")?,
        }
    }
    let wall_time = time(stat.wall_time.mean.round() as u64);
    if stat.runs > 1 {
        let (runs, deviation) = (counted(stat.runs as u64, "run", "runs"), value::deviation(&stat.wall_time));
        return writeln!(out, "{runs} of {wall_time} wall time, deviation {deviation}{}", cpu_time(stat));
    }
    writeln!(out, "{wall_time} wall time{}", cpu_time(stat))
}

fn cpu_time(stat: &Stat) -> String {
    let Some((user, system)) = stat.cpu_time else { return String::new() };
    let time = |spread: &Spread| time(spread.mean.round() as u64);
    format!("; {} user, {} system", time(&user), time(&system))
}

/// Where ratios stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ratios {
    /// In a column of their own.
    Beside,
    /// Below the event's name.
    Below,
}

fn lines(stat: &Stat, place: Ratios, width: Option<u16>) -> Vec<String> {
    let (several, turns) = (stat.runs > 1, stat.is_multiplexed());
    let beside = place == Ratios::Beside && stat.rows.iter().any(|row| !row.ratios.is_empty());
    let mut titles = vec![if several { "mean" } else { "count" }];
    titles.extend(several.then_some("deviation"));
    titles.extend(turns.then_some("counted"));
    titles.push("event");
    titles.extend(beside.then_some("ratio"));
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-')));
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(&titles);
    for row in &stat.rows {
        let mut cells = vec![value::count(row)];
        if several {
            cells.push(row.count.as_ref().map(value::deviation).unwrap_or_default());
        }
        cells.extend(turns.then(|| value::share(row)));
        let (name, ratios) = (printable(&row.event.name), ratios(row));
        match place {
            Ratios::Below => cells.push([&[name.into_owned()], ratios.as_slice()].concat().join("\n")),
            Ratios::Beside => {
                cells.push(name.into_owned());
                cells.extend(beside.then(|| ratios.join(", ")));
            }
        }
        table.add_row(cells);
    }
    let last = titles.len() - 1;
    for (index, column) in table.column_iter_mut().enumerate() {
        // Between two columns comfy-table puts one blank more.
        column.set_padding((0, if index == last { 0 } else { GAP as u16 - 1 }));
        if !matches!(titles[index], "event" | "ratio") {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.lines().map(|line| line.trim_end_matches(' ').to_owned()).collect()
}

fn ratios(row: &StatRow) -> Vec<String> {
    row.ratios.iter().map(|ratio| printable(&value::ratio(ratio)).into_owned()).collect()
}
