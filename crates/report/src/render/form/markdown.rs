//! A Markdown table, for the summaries of CI.

use std::io::{self, Write};

use super::Shape;
use crate::column::Column;
use crate::render::arrangement::plain_text;
use crate::render::quoting::markdown_text;
use crate::tree::{Node, Tree};

/// Writes a table in the Markdown of GitHub and GitLab: numbers to the right, a tree's levels indented.
pub fn markdown(shape: &Shape<'_, '_>, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let columns = shape.columns();
    let several = shape.report().classes().len() > 1;
    let mut titles: Vec<String> = columns
        .iter()
        .map(|column| {
            let title = shape.report().title(*column);
            match column.class().filter(|_| several).and_then(|class| shape.report().event(class)) {
                Some(event) => format!("{} {title}", event.name),
                None => title.to_owned(),
            }
        })
        .collect();
    let mut rules: Vec<&str> =
        columns.iter().map(|column| if column.is_number() { "---:" } else { "---" }).collect();
    if let Shape::Tree(tree) = shape {
        let names: Vec<&str> = tree.levels().iter().map(|level| level.name()).collect();
        titles.push(names.join(" > "));
        rules.push("---");
    }
    line(titles.iter().map(|title| markdown_text(title)), out)?;
    line(rules.into_iter().map(str::to_owned), out)?;
    match shape {
        Shape::Flat(report) => {
            for row in report.rows().iter() {
                line(
                    columns.iter().map(|column| markdown_text(&plain_text(report.cell(row, *column)))),
                    out,
                )?;
            }
            Ok(())
        }
        Shape::Tree(tree) => nodes(tree, tree.roots(), 0, &columns, tree.top(), out),
    }
}

fn nodes(
    tree: &Tree<'_>,
    nodes_: &[Node],
    level: usize,
    columns: &[Column],
    top: usize,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    for node in nodes_.iter().take(top) {
        let cells =
            columns.iter().map(|column| markdown_text(&plain_text(tree.report().cell(&node.row, *column))));
        let name = format!("{}{}", "&emsp;".repeat(level), markdown_text(&tree.label(&node.row)));
        line(cells.chain([name]), out)?;
        nodes(tree, &node.children, level + 1, columns, top, out)?;
    }
    Ok(())
}

fn line(cells: impl Iterator<Item = String>, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let cells: Vec<String> = cells.collect();
    writeln!(out, "| {} |", cells.join(" | "))
}
