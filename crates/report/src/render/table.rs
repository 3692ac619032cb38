//! The table of `oprof report`: a line of titles, a rule, rows.

use std::io::{self, Write};

use crate::number::counted;
use crate::render::arrangement::{Arrangement, GAP};
use crate::report::Report;
use crate::rows::Row;

/// How a table looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Names are cut so that lines have at most this width; `None` for names never cut.
    pub width: Option<u16>,
    /// Titles stand out, and the hotter a row the more it does.
    pub colour: bool,
}

/// Rows of at least these shares stand out: red, yellow.
const HOT: f64 = 0.05;
const WARM: f64 = 0.01;

/// The ANSI graphic rendition of titles.
const BOLD: &str = "1";

/// Writes a report as a table: a line of titles, a rule, rows; where there are several events, their names stand in
/// a line above. Each line is written on its own; give it a buffered `out`.
pub fn table(report: &Report<'_>, look: Look, out: &mut impl Write) -> io::Result<()> {
    let arrangement = Arrangement::new(report, look.width);
    let header = !report.options().no_header;
    if header && report.classes().len() > 1 {
        write_line(&arrangement.event_line(), look.colour.then_some(BOLD), out)?;
    }
    let titles = if header { 2 } else { 0 };
    let mut title_width = 0;
    let mut line = String::new();
    for (index, columns) in arrangement.table(report).lines().enumerate() {
        let row = index.checked_sub(titles);
        line.clear();
        line.push_str(&columns);
        if let Some(tail) = arrangement.tail(row) {
            line.extend(std::iter::repeat_n(' ', GAP));
            line.push_str(tail);
        }
        line.truncate(line.trim_end_matches(' ').len());
        if header && index == 0 {
            title_width = line.chars().count();
        } else if row.is_none() {
            // As long as the titles, not as the longest name, which may have a thousand characters.
            line = "-".repeat(title_width);
        }
        let colour = match row.and_then(|row| report.rows().get(row)) {
            Some(row) => colour(report, row),
            None => (index == 0).then_some(BOLD),
        };
        write_line(&line, colour.filter(|_| look.colour), out)?;
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

/// The colour of a row, as an ANSI graphic rendition.
fn colour(report: &Report<'_>, row: &Row) -> Option<&'static str> {
    let shares = (0..report.classes().len()).map(|class| report.share(row, class));
    match shares.fold(0.0, f64::max) {
        HOT.. => Some("31"),
        WARM.. => Some("33"),
        _ => None,
    }
}
