//! The table of a tree: numbers, then names, each level further to the right.

use std::io::{self, Write};

use crate::column::Column;
use crate::number::counted;
use crate::printable::printable;
use crate::render::arrangement::plain_text;
use crate::render::table::Look;
use crate::tree::{Node, Tree};

/// How far each level stands further to the right.
const STEP: usize = 2;
/// Between columns.
const GAP: usize = 2;

/// Writes a tree as a table: titles, a rule, a row for each node below the one that it is a part of. Of the first
/// roots, and parts of each row, alone where that is asked for. Give it a buffered `out`.
pub fn tree(tree: &Tree<'_>, look: Look, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let columns = tree.columns();
    let mut lines: Vec<(Vec<String>, String, f64)> = Vec::new();
    collect(tree, tree.roots(), 0, &columns, &mut lines);
    let titles: Vec<&str> = columns.iter().map(|column| tree.report().title(*column)).collect();
    let width = |index: usize| {
        let cells = lines.iter().map(|(cells, _, _)| cells[index].chars().count());
        cells.chain([titles[index].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let names: Vec<&str> = tree.levels().iter().map(|level| level.name()).collect();
    if !tree.report().options().no_header {
        if tree.report().classes().len() > 1 {
            writeln!(out, "{}", events(tree, &columns, &widths))?;
        }
        let mut line = String::new();
        for (title, width) in titles.iter().zip(&widths) {
            line.push_str(&format!("{title:>width$}{:GAP$}", ""));
        }
        line.push_str(&names.join(" > "));
        let rule = "-".repeat(line.chars().count());
        match look.colour {
            true => writeln!(out, "\x1b[1m{line}\x1b[0m\n{rule}")?,
            false => writeln!(out, "{line}\n{rule}")?,
        }
    }
    for (cells, name, share) in &lines {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str(&format!("{cell:>width$}{:GAP$}", ""));
        }
        line.push_str(name);
        if let Some(width) =
            look.width.map(usize::from).filter(|width| line.chars().count() > *width && *width > 20)
        {
            line = line.chars().take(width - 3).chain("...".chars()).collect();
        }
        match share {
            _ if !look.colour => writeln!(out, "{line}")?,
            0.05.. => writeln!(out, "\x1b[31m{line}\x1b[0m")?,
            0.01.. => writeln!(out, "\x1b[33m{line}\x1b[0m")?,
            _ => writeln!(out, "{line}")?,
        }
    }
    if tree.below_threshold() > 0 {
        let rows = counted(tree.below_threshold(), "row", "rows");
        writeln!(out, "{rows} below {} % not shown", tree.threshold())?;
    }
    Ok(())
}

/// The names of events above their columns.
fn events(tree: &Tree<'_>, columns: &[Column], widths: &[usize]) -> String {
    let mut line = String::new();
    let mut at = 0;
    let mut before = None;
    for (column, width) in columns.iter().zip(widths) {
        let class = column.class();
        if class != before && line.chars().count() <= at {
            line.extend(std::iter::repeat_n(' ', at - line.chars().count()));
            let name =
                class.and_then(|class| tree.report().event(class)).map_or("", |event| event.name.as_str());
            line.push_str(&printable(name));
            line.push(' ');
        }
        before = class;
        at += width + GAP;
    }
    line.trim_end().to_owned()
}

fn collect(
    tree: &Tree<'_>,
    nodes: &[Node],
    level: usize,
    columns: &[Column],
    lines: &mut Vec<(Vec<String>, String, f64)>,
) {
    for node in nodes.iter().take(tree.top()) {
        let cells = columns.iter().map(|column| plain_text(tree.report().cell(&node.row, *column))).collect();
        let name = format!("{:1$}{2}", "", level * STEP, printable(&tree.label(&node.row)));
        let classes = 0..tree.report().classes().len();
        let share = classes.map(|class| tree.report().share(&node.row, class)).fold(0.0, f64::max);
        lines.push((cells, name, share));
        collect(tree, &node.children, level + 1, columns, lines);
    }
}
