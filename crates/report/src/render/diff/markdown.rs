//! A comparison as Markdown, for the summary of a CI run.

use std::io::{self, Write};

use super::DiffLook;
use super::cells::columns;
use super::summary::{lines, regression_line};
use crate::diff::Diff;
use crate::render::quoting::markdown_text;

/// Writes a comparison as a list of what is compared, what regressed, and a table of the rows (GitHub's form).
pub fn markdown(diff: &Diff, look: &DiffLook, out: &mut impl Write) -> io::Result<()> {
    if !look.no_header {
        for (title, text) in lines(diff, look) {
            writeln!(out, "- **{title}**: {}", markdown_text(&text))?;
        }
        for regression in &diff.regressions {
            writeln!(out, "- **{}**", markdown_text(&regression_line(diff, regression)))?;
        }
        for doubt in &diff.doubts {
            writeln!(out, "- {}", markdown_text(doubt))?;
        }
    }
    let rows = look.rows(diff);
    if rows.is_empty() {
        return Ok(());
    }
    let columns = columns(diff, look);
    let titles: Vec<String> = columns.iter().map(|column| markdown_text(&column.title)).collect();
    let rules: Vec<&str> =
        columns.iter().map(|column| if column.is_number { "---:" } else { ":---" }).collect();
    if !look.no_header {
        writeln!(out)?;
    }
    writeln!(out, "| {} |\n| {} |", titles.join(" | "), rules.join(" | "))?;
    for index in 0..rows.len() {
        let cells: Vec<String> = columns.iter().map(|column| markdown_text(&column.cells[index])).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}
