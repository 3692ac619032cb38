//! A comparison as a table for people.

use std::io::{self, Write};

use super::DiffLook;
use super::cells::{Column, columns};
use super::summary::lines;
use crate::diff::Diff;
use crate::number::counted;

/// Blanks between two columns.
const GAP: usize = 2;

/// A name is not cut below this width, even if a line gets longer than it should.
const NARROWEST_NAME: usize = 12;

/// ANSI graphic renditions: of titles, of growth, of what shrank.
const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";

/// Writes a comparison: the sides and the total, then the rows, those that changed beyond chance first.
pub fn table(diff: &Diff, look: &DiffLook, out: &mut impl Write) -> io::Result<()> {
    let rows = look.rows(diff);
    if !look.no_header {
        for (title, text) in lines(diff, look) {
            for line in folded(&format!("{title:<7} {text}"), 8, look.width.map(usize::from)) {
                writeln!(out, "{line}")?;
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(out)?;
    }
    let mut columns = columns(diff, look);
    make_room(&mut columns, look);
    let widths = widths(&columns, look);
    if !look.no_header {
        let titles = line(&columns, &widths, |column| &column.title);
        let rule = "-".repeat(titles.chars().count());
        write_line(&titles, Some(BOLD).filter(|_| look.colour), out)?;
        writeln!(out, "{rule}")?;
    }
    let significant = rows.iter().take_while(|row| row.change.significant).count();
    for (index, row) in rows.iter().enumerate() {
        if index == significant && index > 0 && !look.no_header {
            writeln!(out, "no more than chance:")?;
        }
        let text = line(&columns, &widths, |column| &column.cells[index]);
        let colour = if row.change.change() > 0.0 { RED } else { GREEN };
        write_line(&text, Some(colour).filter(|_| look.colour && row.change.significant), out)?;
    }
    let all = if look.all { diff.rows.len() } else { diff.significant().count() };
    if rows.len() < all && !look.no_header {
        let rest = counted((all - rows.len()) as u64, "more row", "more rows");
        writeln!(out, "{rest}: a larger --top shows them")?;
    }
    Ok(())
}

fn write_line(line: &str, colour: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    match colour {
        Some(colour) => writeln!(out, "\x1b[{colour}m{line}\x1b[0m"),
        None => writeln!(out, "{line}"),
    }
}

/// Breaks a line at blanks where it is wider than a terminal; further lines are indented. A number and its unit stay
/// together.
fn folded(text: &str, indent: usize, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut words = text.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        let mut piece = word.to_owned();
        while let Some(unit) = words.next_if(|next| is_unit(next)) {
            piece.push_str(unit);
        }
        let length = line.chars().count() + piece.trim_end().chars().count();
        if length > width && line.trim().chars().count() > 0 {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
        }
        line.push_str(&piece);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

fn is_unit(word: &str) -> bool {
    matches!(word.trim_end_matches([' ', ',', ';', ':', ')']), "%" | "s" | "ms" | "us" | "k" | "M" | "G")
}

/// Leaves out the names that say least, the last ones, where there is no room for all on a terminal.
fn make_room(columns: &mut Vec<Column>, look: &DiffLook) {
    let Some(width) = look.width.map(usize::from) else { return };
    let is_too_wide = |columns: &[Column]| {
        let numbers = columns.iter().filter(|column| column.is_number);
        let numbers: usize = numbers.map(|column| natural_width(column, look) + GAP).sum();
        let names = columns.iter().filter(|column| !column.is_number);
        numbers + names.map(|column| natural_width(column, look).min(NARROWEST_NAME) + GAP).sum::<usize>()
            > width + GAP
    };
    while is_too_wide(columns) && columns.iter().filter(|column| !column.is_number).count() > 1 {
        columns.pop();
    }
}

/// The width at which nothing of a column is cut.
fn natural_width(column: &Column, look: &DiffLook) -> usize {
    let title = if look.no_header { 0 } else { column.title.chars().count() };
    column.cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(title)
}

/// The width of each column: names share what numbers leave of the line.
fn widths(columns: &[Column], look: &DiffLook) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| natural_width(column, look)).collect();
    let Some(width) = look.width.map(usize::from) else { return widths };
    // The widest name gives way first, until all fit or none can.
    loop {
        let whole = widths.iter().sum::<usize>() + GAP * columns.len().saturating_sub(1);
        let names = columns.iter().zip(widths.iter_mut()).filter(|(column, _)| !column.is_number);
        match names.map(|(_, width)| width).max() {
            Some(widest) if whole > width && *widest > NARROWEST_NAME => {
                *widest = widest.saturating_sub(whole - width).max(NARROWEST_NAME).min(*widest - 1);
            }
            _ => return widths,
        }
    }
}

fn line<'c>(columns: &'c [Column], widths: &[usize], text: impl Fn(&'c Column) -> &'c str) -> String {
    let mut line = String::new();
    for (column, width) in columns.iter().zip(widths) {
        let text = cut(text(column), *width, column.is_number);
        let blanks = " ".repeat(width.saturating_sub(text.chars().count()));
        if column.is_number {
            line.push_str(&blanks);
            line.push_str(&text);
        } else {
            line.push_str(&text);
            line.push_str(&blanks);
        }
        line.push_str(&" ".repeat(GAP));
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

fn cut(text: &str, width: usize, is_number: bool) -> String {
    match is_number || text.chars().count() <= width {
        true => text.to_owned(),
        false => text.chars().take(width.saturating_sub(3)).chain("...".chars()).collect(),
    }
}
