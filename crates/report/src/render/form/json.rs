//! JSON, by the schema `report.schema.json` beside this crate's manifest.

use std::io::{self, Write};

use oprof_profile::{Recording, Sampling};
use serde_json::{Map, Value, json as value};

use super::{Shape, key, share};
use crate::cell::Cell;
use crate::column::Column;
use crate::coverage::coverage_lines;
use crate::notes::notes;
use crate::rows::Row;
use crate::tree::Node;

/// The version of the form: a number that changes where what is there changes; what is added changes nothing.
const VERSION: u64 = 1;

/// Writes the run, its events with their coverage, and the rows: numbers as they are, shares from 0 to 1. How many rows there are is told,
/// if only the first are shown.
pub fn json(shape: &Shape<'_, '_>, recording: &Recording, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
    let run = &recording.run;
    let levels: Vec<&str> = shape.levels().into_iter().map(|level| level.name()).collect();
    let classes: Vec<Value> = shape
        .report()
        .classes()
        .iter()
        .map(|class| {
            value!({
                "event": class.event.0,
                "cpu": class.axes.cpu,
                "pid": class.axes.process,
                "tid": class.axes.thread,
            })
        })
        .collect();
    let (rows, all, below): (Vec<Value>, usize, u64) = match shape {
        Shape::Flat(report) => (
            report.rows().iter().map(|row| Value::Object(cells(shape, row))).collect(),
            report.rows().len() + report.beyond_top(),
            report.below_threshold(),
        ),
        Shape::Tree(tree) => (
            tree.roots().iter().take(tree.top()).map(|node| nested(shape, node, 0, tree.top())).collect(),
            tree.roots().len(),
            tree.below_threshold(),
        ),
    };
    let document = value!({
        "version": VERSION,
        "run": {
            "oprof": run.version,
            "command": run.command,
            "working_directory": run.working_directory,
            "host": run.host,
            "kernel": run.kernel_release,
            "architecture": run.architecture,
            "cpu": run.cpu,
            "cpus": run.cpus,
            "scope": run.scope.to_string(),
            "started": run.started_unix,
            "duration_ns": u64::try_from(recording.duration.as_nanos()).unwrap_or(u64::MAX),
            "whole": recording.end.is_some() && recording.damage.is_none(),
        },
        "events": events(recording),
        "by": levels,
        "classes": classes,
        "rows": rows,
        "rows_there_are": all,
        "rows_below_threshold": below,
        "coverage": coverage_lines(recording),
        "notes": notes(recording),
    });
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn events(recording: &Recording) -> Vec<Value> {
    let events = recording.events.iter().zip(0..);
    let event = |(event, index): (&oprof_profile::Event, usize)| {
        let coverage = recording.coverage.events.get(index);
        let (count, frequency) = match event.sampling {
            Sampling::Count(count) => (Some(count), None),
            Sampling::Frequency(hertz) => (None, Some(hertz)),
            Sampling::WithLeader => (None, None),
        };
        value!({
            "name": event.name,
            "unit_mask": event.unit_mask,
            "count": count,
            "frequency": frequency,
            "nanoseconds": event.nanoseconds,
            "samples": coverage.map(|coverage| coverage.samples),
            "weight": coverage.map(|coverage| coverage.weight),
            "counted": coverage.and_then(|coverage| coverage.counted),
            "covered": coverage.and_then(|coverage| coverage.covered()),
            "running": coverage.map(|coverage| coverage.running()),
        })
    };
    events.map(event).collect()
}

fn nested(shape: &Shape<'_, '_>, node: &Node, level: usize, top: usize) -> Value {
    let mut object = cells(shape, &node.row);
    let Shape::Tree(tree) = shape else { return Value::Object(object) };
    if let Some(by) = tree.levels().get(level) {
        object.insert("name".to_owned(), tree.report().label(&node.row).into());
        object.insert("by".to_owned(), by.name().into());
    }
    if !node.children.is_empty() {
        let parts = node.children.iter().take(top).map(|child| nested(shape, child, level + 1, top));
        object.insert("rows".to_owned(), parts.collect::<Vec<_>>().into());
    }
    Value::Object(object)
}

/// The cells of a row: those of classes in lists, one entry a class.
fn cells(shape: &Shape<'_, '_>, row: &Row) -> Map<String, Value> {
    let mut object = Map::new();
    let mut ratios = Map::new();
    for column in shape.columns() {
        let cell = cell_value(shape.report().cell(row, column));
        match (column, column.class()) {
            (Column::Ratio { .. }, _) => {
                ratios.insert(key(shape, column), cell);
            }
            (_, Some(class)) => {
                let name = match column {
                    Column::Samples(_) => "samples",
                    Column::Events(_) => "events",
                    Column::Percent(_) => "share",
                    Column::Error(_) => "interval",
                    Column::AccumulatedSamples(_) => "accumulated_samples",
                    Column::AccumulatedPercent(_) => "accumulated_share",
                    Column::Total(_) => "total",
                    Column::TotalPercent(_) => "total_share",
                    _ => continue,
                };
                let classes = shape.report().classes().len();
                let list = object.entry(name).or_insert_with(|| vec![Value::Null; classes].into());
                if let Some(place) = list.as_array_mut().and_then(|list| list.get_mut(class)) {
                    *place = cell;
                }
            }
            _ => {
                object.insert(key(shape, column), cell);
            }
        }
    }
    if !ratios.is_empty() {
        object.insert("ratios".to_owned(), ratios.into());
    }
    object
}

fn cell_value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Number(number) | Cell::Identifier(number) => number.into(),
        Cell::Events { value, exact } => value!({ "value": value, "exact": exact }),
        Cell::Time { nanoseconds, exact } => value!({ "value": nanoseconds, "exact": exact }),
        Cell::Address(address) => format!("0x{address:x}").into(),
        Cell::Percent { part, whole } => share(part, whole).into(),
        Cell::Interval { low, high } => vec![low, high].into(),
        Cell::Ratio(ratio) => ratio.into(),
        Cell::Text(text) => text.into_owned().into(),
        Cell::Change(_) | Cell::Unknown => Value::Null,
    }
}
