//! A comparison as JSON, one object.
//!
//! Fields are only ever added; what has another meaning gets another `schema`. `diff.schema.json` beside the sources of
//! this crate says what each means.

use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use super::DiffLook;
use crate::diff::{
    Diff, DiffChange, DiffRow, DiffSide, Identity, Module as DiffModule, Normalise, Regression,
};

const SCHEMA: &str = "oprof-diff/1";

#[derive(Serialize)]
struct Comparison<'a> {
    schema: &'static str,
    event: &'a str,
    by: &'static str,
    normalise: &'static str,
    unit: String,
    confidence: f64,
    before: Side<'a>,
    after: Side<'a>,
    total: Total,
    compared: usize,
    significant: usize,
    rows: Vec<Row<'a>>,
    fail_above: Option<f64>,
    regressions: Vec<Regressed<'a>>,
    doubts: &'a [String],
}

#[derive(Serialize)]
struct Side<'a> {
    recordings: &'a [String],
    command: &'a [String],
    samples: u64,
    seconds: f64,
}

#[derive(Serialize)]
struct Total {
    unit: String,
    #[serde(flatten)]
    change: Numbers,
}

#[derive(Serialize)]
struct Numbers {
    before: f64,
    after: f64,
    change: f64,
    interval: [f64; 2],
    relative: Option<f64>,
    chance: f64,
    significant: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    state: &'static str,
    #[serde(flatten)]
    change: Numbers,
    adjusted_chance: f64,
    samples_before: u64,
    samples_after: u64,
    moved_from: Option<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
struct Regressed<'a> {
    /// `null` for the total.
    row: Option<Place<'a>>,
    unit: String,
    before: f64,
    after: f64,
    relative: Option<f64>,
    chance: f64,
}

/// Writes a comparison as an object on a line.
pub fn json(diff: &Diff, look: &DiffLook, out: &mut impl Write) -> io::Result<()> {
    let of_total = match diff.settings.normalise {
        Normalise::Time => Normalise::Time,
        _ => Normalise::Run,
    };
    let comparison = Comparison {
        schema: SCHEMA,
        event: &diff.event.name,
        by: diff.settings.by.name(),
        normalise: diff.settings.normalise.name(),
        unit: unit(diff, diff.settings.normalise),
        confidence: 1.0 - diff.settings.level,
        before: side(&diff.sides[0]),
        after: side(&diff.sides[1]),
        total: Total { unit: unit(diff, of_total), change: change(&diff.total) },
        compared: diff.rows.len(),
        significant: diff.significant().count(),
        rows: look.rows(diff).iter().map(row).collect(),
        fail_above: diff.settings.fail_above,
        regressions: diff.regressions.iter().map(|found| regressed(found, unit(diff, of_total))).collect(),
        doubts: &diff.doubts,
    };
    serde_json::to_writer(&mut *out, &comparison).map_err(io::Error::from)?;
    writeln!(out)
}

fn unit(diff: &Diff, normalise: Normalise) -> String {
    let what = if diff.event.nanoseconds { "ns" } else { "events" };
    match normalise {
        Normalise::Total => "share".to_owned(),
        Normalise::Run => format!("{what}/run"),
        Normalise::Time => format!("{what}/s"),
    }
}

fn side(side: &DiffSide) -> Side<'_> {
    Side {
        recordings: &side.recordings,
        command: &side.command,
        samples: side.samples,
        seconds: side.seconds,
    }
}

fn change(change: &DiffChange) -> Numbers {
    Numbers {
        before: change.before,
        after: change.after,
        change: change.change(),
        interval: [change.interval.0, change.interval.1],
        relative: change.relative(),
        chance: change.chance,
        significant: change.significant,
    }
}

fn row(row: &DiffRow) -> Row<'_> {
    Row {
        place: place(&row.identity, row.name()),
        state: row.state.name(),
        change: change(&row.change),
        adjusted_chance: row.change.adjusted,
        samples_before: row.samples_before,
        samples_after: row.samples_after,
        moved_from: row.moved_from.as_ref().map(|from| place(from, &from.name)),
    }
}

fn place<'a>(identity: &'a Identity, name: &'a str) -> Place<'a> {
    fn module(module: &Option<Arc<DiffModule>>) -> Option<&str> {
        module.as_ref().map(|module| module.name.as_str())
    }
    Place {
        app: module(&identity.app),
        image: module(&identity.image),
        name: Some(name).filter(|name| !name.is_empty()),
        file: identity.file.as_deref(),
        line: identity.line,
    }
}

fn regressed<'a>(found: &'a Regression, unit: String) -> Regressed<'a> {
    Regressed {
        row: found.row.as_ref().map(|row| place(row, &found.name)),
        unit,
        before: found.before,
        after: found.after,
        relative: (found.before > 0.0).then(|| found.after / found.before - 1.0),
        chance: found.chance,
    }
}
