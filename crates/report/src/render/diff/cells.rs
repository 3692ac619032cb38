//! The columns of a comparison, each listed once.

use std::sync::Arc;

use super::DiffLook;
use super::quantity::{Unit, chance, growth};
use super::summary::confidence;
use crate::diff::{Diff, DiffBy, DiffRow, Module};
use crate::printable::printable;

/// A column of a comparison for people.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) title: String,
    /// Numbers stand at the right edge and are never cut.
    pub(super) is_number: bool,
    pub(super) cells: Vec<String>,
}

/// The columns, left to right; what does not tell rows apart is left out.
pub(super) fn columns(diff: &Diff, look: &DiffLook) -> Vec<Column> {
    let rows = look.rows(diff);
    let largest = rows.iter().map(|row| row.change.before.max(row.change.after)).fold(0.0, f64::max);
    let unit = Unit::of_rows(diff, largest);
    let column = |title: &str, is_number, cell: &dyn Fn(&DiffRow) -> String| Column {
        title: title.to_owned(),
        is_number,
        cells: rows.iter().map(|row| printable(&cell(row)).into_owned()).collect(),
    };
    let module = |module: &Option<Arc<Module>>| module_name(module, look.long_names);
    let mut columns = vec![
        column("before", true, &|row| unit.write(row.change.before)),
        column("after", true, &|row| unit.write(row.change.after)),
        column("change", true, &|row| unit.write_change(row.change.change())),
        column(&format!("{} % interval", confidence(diff)), true, &|row| interval(row, unit)),
        column("growth", true, &|row| growth(&row.change)),
        column("chance", true, &|row| chance(row.change.chance)),
    ];
    let of_name = |title: &str| column(title, false, &|row| name(row, look.long_names));
    match diff.settings.by {
        DiffBy::Symbol => columns.push(of_name("symbol")),
        DiffBy::Command => columns.push(of_name("command line")),
        DiffBy::Line => columns.push(of_name("line")),
        DiffBy::Image => columns.push(column("image", false, &|row| module(&row.identity.image))),
        DiffBy::App => columns.push(column("app", false, &|row| module(&row.identity.app))),
    }
    if matches!(diff.settings.by, DiffBy::Symbol | DiffBy::Line) {
        let elsewhere = |row: &&DiffRow| module(&row.identity.image) != module(&row.identity.app);
        if rows.iter().any(|row| elsewhere(&row)) {
            columns.push(column("image", false, &|row| module(&row.identity.image)));
        }
        let first = rows.first().map(|row| module(&row.identity.app));
        if rows.iter().any(|row| Some(module(&row.identity.app)) != first) {
            columns.push(column("app", false, &|row| module(&row.identity.app)));
        }
    }
    if rows.iter().any(|row| !moved_from(row).is_empty()) {
        columns.push(column("moved from", false, &|row| moved_from(row)));
    }
    columns
}

fn module_name(module: &Option<Arc<Module>>, long: bool) -> String {
    module.as_ref().map_or(String::new(), |module| match long {
        true => module.name.clone(),
        false => module.short_name.clone(),
    })
}

fn name(row: &DiffRow, long: bool) -> String {
    match (&row.identity.file, row.identity.line) {
        (Some(file), Some(line)) => {
            let file = if long { file } else { file.rsplit('/').next().unwrap_or(file) };
            format!("{file}:{line}")
        }
        _ => row.name().to_owned(),
    }
}

fn interval(row: &DiffRow, unit: Unit) -> String {
    let (low, high) = row.change.interval;
    format!("{}..{}", unit.write_change(low), unit.write_change(high))
}

/// What was another: the name, the image, the app or the source file. That a whole program is at another path is said
/// once, above the rows.
fn moved_from(row: &DiffRow) -> String {
    let Some(from) = &row.moved_from else { return String::new() };
    let to = &row.identity;
    let mut parts = Vec::new();
    if from.name != to.name {
        parts.push(from.name.clone());
    }
    for (from, to) in [(&from.image, &to.image), (&from.app, &to.app)] {
        if let (Some(from), Some(to)) = (from, to)
            && !from.is_likely(to)
            && !parts.contains(&from.short_name)
        {
            parts.push(from.short_name.clone());
        }
    }
    let base = |file: &Option<String>| {
        file.as_deref().map(|file| file.rsplit('/').next().unwrap_or(file).to_owned())
    };
    if parts.is_empty() && base(&from.file) != base(&to.file) {
        parts.extend(base(&from.file));
    }
    parts.join(", ")
}
