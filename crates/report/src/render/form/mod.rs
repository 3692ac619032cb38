//! Forms for programs: JSON, CSV and Markdown, of flat reports and of trees.

mod csv;
mod json;
mod markdown;

pub use csv::csv;
pub use json::json;
pub use markdown::markdown;

use crate::cell::Cell;
use crate::column::Column;
use crate::grouping::By;
use crate::report::Report;
use crate::rows::Row;
use crate::tree::{Node, Tree};

/// A report in one of the two shapes.
pub enum Shape<'a, 'r> {
    /// Rows.
    Flat(&'a Report<'r>),
    /// Rows within rows.
    Tree(&'a Tree<'r>),
}

impl<'r> Shape<'_, 'r> {
    fn report(&self) -> &Report<'r> {
        match self {
            Shape::Flat(report) => report,
            Shape::Tree(tree) => tree.report(),
        }
    }

    fn levels(&self) -> Vec<By> {
        match self {
            Shape::Flat(report) => vec![report.by()],
            Shape::Tree(tree) => tree.levels().to_vec(),
        }
    }

    /// The columns; of a tree those of numbers, which stand before the names of its levels.
    fn columns(&self) -> Vec<Column> {
        match self {
            Shape::Flat(report) => report.columns().to_vec(),
            Shape::Tree(tree) => tree.columns(),
        }
    }

    /// The innermost rows, each with the names of those that it is within.
    fn leaves(&self) -> Vec<(Vec<String>, &Row)> {
        match self {
            Shape::Flat(report) => report.rows().iter().map(|row| (Vec::new(), row)).collect(),
            Shape::Tree(tree) => {
                let mut leaves = Vec::new();
                add_leaves(tree, tree.roots(), &mut Vec::new(), tree.top(), &mut leaves);
                leaves
            }
        }
    }
}

fn add_leaves<'a>(
    tree: &Tree<'_>,
    nodes: &'a [Node],
    path: &mut Vec<String>,
    top: usize,
    leaves: &mut Vec<(Vec<String>, &'a Row)>,
) {
    for node in nodes.iter().take(top) {
        path.push(tree.report().label(&node.row));
        match node.children.is_empty() {
            true => leaves.push((path.clone(), &node.row)),
            false => add_leaves(tree, &node.children, path, top, leaves),
        }
        path.pop();
    }
}

/// The name of a column for programs: of several events with the event's number.
fn key(shape: &Shape<'_, '_>, column: Column) -> String {
    let name = match column {
        Column::Samples(_) => "samples",
        Column::Events(_) => "events",
        Column::Percent(_) => "share",
        Column::Error(_) => "interval",
        Column::AccumulatedSamples(_) => "accumulated_samples",
        Column::AccumulatedPercent(_) => "accumulated_share",
        Column::Change(_) => "change",
        Column::Address => "address",
        Column::Ratio { .. } => "ratio",
        Column::Total(_) => "total",
        Column::TotalPercent(_) => "total_share",
        Column::Processes => "processes",
        Column::Pid => "pid",
        Column::Tid => "tid",
        Column::WallTime => "wall_time_ns",
        Column::Cpu => "cpu",
        Column::Line => "line",
        Column::Image => "image",
        Column::App => "app",
        Column::Symbol => "symbol",
        Column::CommandName => "command_name",
        Column::ThreadName => "thread_name",
        Column::WorkingDirectory => "working_directory",
        Column::CommandLine => "command_line",
    };
    match (column, column.class()) {
        (Column::Ratio { .. }, Some(class)) => {
            let unit = shape.report().title(column);
            match shape.report().event(class) {
                Some(event) => format!("{} {unit}", event.name),
                None => unit.to_owned(),
            }
        }
        (_, Some(class)) if shape.report().classes().len() > 1 => {
            let event = shape.report().event(class).map_or("", |event| event.name.as_str());
            format!("{event} {name}")
        }
        _ => name.to_owned(),
    }
}

/// A share from 0 to 1; a whole of nothing has no parts.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A cell as plain text, numbers without groups, shares and times in full.
fn bare(cell: Cell<'_>) -> String {
    match cell {
        Cell::Number(number) | Cell::Identifier(number) | Cell::Events { value: number, .. } => {
            number.to_string()
        }
        Cell::Time { nanoseconds, .. } => nanoseconds.to_string(),
        Cell::Address(address) => format!("0x{address:x}"),
        Cell::Percent { part, whole } => format!("{:.6}", share(part, whole)),
        Cell::Interval { low, high } => format!("{low:.6}..{high:.6}"),
        Cell::Ratio(ratio) => format!("{ratio:.6}"),
        Cell::Text(text) => text.into_owned(),
        Cell::Change(_) | Cell::Unknown => String::new(),
    }
}
