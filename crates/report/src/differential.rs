//! Two profiles side by side: what changed from the first to the second, as OProfile tells it.

use std::cmp::Ordering;
use std::fmt;

use oprof_profile::{Count, Recording};
use rustc_hash::FxHashMap;

use crate::cell::Cell;
use crate::class::{Class, ClassOrder};
use crate::column::Column;
use crate::grouping::By;
use crate::options::Options;
use crate::place::Place;
use crate::report::Report;
use crate::rows::Row;
use crate::sorting::{compare, keys};
use crate::symbol_name::Code;

/// How the share of a symbol changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Only the second profile has it.
    New,
    /// Only the first profile has it.
    Gone,
    /// By this many percent of what it was.
    Percent(f64),
}

/// The symbols of two profiles, each once.
pub struct Differential<'r> {
    before: Report<'r>,
    after: Report<'r>,
    rows: Vec<DifferentialRow>,
    columns: Vec<Column>,
}

/// A symbol: the numbers of its rows in the two reports, one of which may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferentialRow {
    before: Option<usize>,
    after: Option<usize>,
    accumulated: Vec<Count>,
}

/// Two profiles are not of the same events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferentClasses {
    before: Vec<String>,
    after: Vec<String>,
}

impl fmt::Display for DifferentClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the profiles are not of the same events: {} and {}; choose one by event:, count: or --merge",
            self.before.join(" "),
            self.after.join(" ")
        )
    }
}

impl std::error::Error for DifferentClasses {}

impl<'r> Differential<'r> {
    /// Pairs the symbols of two profiles by image, app and name, wherever they are in their images. What is left out for
    /// its share by the options' threshold is left out for its change here, in percent of what it was.
    ///
    /// # Errors
    /// Where the profiles are not of the same events.
    pub fn new(
        before: &'r Recording,
        after: &'r Recording,
        options: &Options,
    ) -> Result<Differential<'r>, DifferentClasses> {
        let whole = Options { oprofile_words: true, threshold: 0.0, details: false, ..options.clone() };
        let order = ClassOrder::of_oprofile(options);
        let before = Report::new(before, By::Symbol, order, &whole);
        let after = Report::new(after, By::Symbol, order, &whole);
        let (old, new) = (class_names(&before), class_names(&after));
        if old != new {
            return Err(DifferentClasses { before: old, after: new });
        }
        let rows = pairs(&before, &after);
        let columns = columns(&before, &after, options);
        let mut differential = Differential { before, after, rows: Vec::new(), columns };
        differential.rows = differential.sorted(rows, options.threshold);
        Ok(differential)
    }

    /// The report of the second profile, whose header stands above the rows.
    pub fn after(&self) -> &Report<'r> {
        &self.after
    }

    /// The symbols, top to bottom.
    pub fn rows(&self) -> &[DifferentialRow] {
        &self.rows
    }

    /// The columns, left to right.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many digits addresses have.
    pub fn address_digits(&self) -> usize {
        self.before.address_digits().max(self.after.address_digits())
    }

    /// How the share of a symbol in the samples of a class changed. Of a class in which it had none before it is new.
    pub fn change(&self, row: &DifferentialRow, class: usize) -> Change {
        let share = |report: &Report<'_>, row: Option<usize>| {
            row.and_then(|row| report.rows().get(row)).map(|row| report.share(row, class))
        };
        match (share(&self.before, row.before), share(&self.after, row.after)) {
            (_, None) => Change::Gone,
            (None, _) => Change::New,
            (Some(before), Some(after)) if before == 0.0 && after == 0.0 => Change::Percent(0.0),
            (Some(before), Some(after)) => Change::Percent((after - before) * 100.0 / before),
        }
    }

    /// What stands in a row and column: of a symbol that is gone the samples of the first profile.
    pub fn cell(&self, row: &DifferentialRow, column: Column) -> Cell<'_> {
        let Some((report, shown)) = self.shown(row) else { return Cell::Unknown };
        let is_gone = row.after.is_none();
        match column {
            Column::Change(class) => Cell::Change(self.change(row, class)),
            Column::Percent(_) | Column::AccumulatedSamples(_) | Column::AccumulatedPercent(_) if is_gone => {
                Cell::Change(Change::Gone)
            }
            Column::AccumulatedSamples(class) => {
                row.accumulated.get(class).map_or(Cell::Unknown, |count| Cell::Number(count.samples))
            }
            Column::AccumulatedPercent(class) => {
                row.accumulated.get(class).map_or(Cell::Unknown, |count| report.part(class, *count))
            }
            column => report.cell(shown, column),
        }
    }

    /// The report and the row of it that a symbol shows: the second's where that has it.
    fn shown(&self, row: &DifferentialRow) -> Option<(&Report<'r>, &Row)> {
        let of = |report: &'_ Report<'r>, index: Option<usize>| {
            index.is_some_and(|index| index < report.rows().len())
        };
        match (row.before, row.after) {
            (_, Some(after)) if of(&self.after, row.after) => Some((&self.after, &self.after.rows()[after])),
            (Some(before), _) if of(&self.before, row.before) => {
                Some((&self.before, &self.before.rows()[before]))
            }
            _ => None,
        }
    }

    /// The rows whose change reaches the threshold, in order.
    fn sorted(&self, mut rows: Vec<DifferentialRow>, threshold: f64) -> Vec<DifferentialRow> {
        rows.retain(|row| match self.change(row, 0) {
            Change::New | Change::Gone => true,
            Change::Percent(change) => change.abs() >= threshold,
        });
        let keys = keys(&self.after);
        rows.sort_by(|a, b| match (self.shown(a), self.shown(b)) {
            (Some(a), Some(b)) => compare(&keys, a, b),
            _ => Ordering::Equal,
        });
        let mut sums = vec![Count::default(); self.after.classes().len()];
        for row in &mut rows {
            let counts = row.after.and_then(|after| self.after.rows().get(after)).map(|row| &row.counts);
            for (sum, count) in sums.iter_mut().zip(counts.into_iter().flatten()) {
                sum.add(*count);
            }
            row.accumulated.clone_from(&sums);
        }
        rows
    }
}

/// What tells the classes of a report apart.
fn class_names(report: &Report<'_>) -> Vec<String> {
    let name = |(index, class): (usize, &Class)| {
        let event = report.event(index)?;
        Some(format!("{}{}", crate::header::class_name(class.axes, event, true), mask(event.unit_mask)))
    };
    report.classes().iter().enumerate().filter_map(name).collect()
}

fn mask(unit_mask: u64) -> String {
    if unit_mask == 0 { String::new() } else { format!(":{unit_mask:#x}") }
}

/// Pairs rows by image, app and name; of several of one name the first by address with the first.
fn pairs(before: &Report<'_>, after: &Report<'_>) -> Vec<DifferentialRow> {
    let in_order = |report: &Report<'_>| {
        let mut rows: Vec<usize> = (0..report.rows().len()).collect();
        rows.sort_by_key(|&row| report.address(&report.rows()[row]));
        rows
    };
    let mut of_name: FxHashMap<[&str; 3], Vec<usize>> = FxHashMap::default();
    for row in in_order(before).into_iter().rev() {
        if let Some(name) = name(before, &before.rows()[row]) {
            of_name.entry(name).or_default().push(row);
        }
    }
    let mut pairs = Vec::new();
    for row in in_order(after) {
        let same = name(after, &after.rows()[row]).and_then(|name| of_name.get_mut(&name)?.pop());
        pairs.push(DifferentialRow { before: same, after: Some(row), accumulated: Vec::new() });
    }
    let gone = of_name.into_values().flatten();
    pairs.extend(gone.map(|row| DifferentialRow { before: Some(row), after: None, accumulated: Vec::new() }));
    pairs
}

/// What a symbol is paired by. Memory goes by its name alone: whose it is and where differs from run to run.
fn name<'a>(report: &'a Report<'_>, row: &Row) -> Option<[&'a str; 3]> {
    let Place::Symbol { image, app, code } = row.place else { return None };
    let images = &report.places().images;
    let symbol = match code {
        Code::Symbol(_) => report.symbol(image, code),
        Code::Nameless(nameless) => nameless.text(),
    };
    Some([images.name(image).bare, images.name(app).bare, symbol])
}

/// The columns: those of both profiles together, and the change of each class after all else of it.
fn columns(before: &Report<'_>, after: &Report<'_>, options: &Options) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    columns.extend(options.addresses.then_some(Column::Address));
    for class in 0..after.classes().len() {
        columns.extend(after.columns().iter().filter(|column| column.class() == Some(class)));
        columns.push(Column::Change(class));
    }
    for column in [Column::Line, Column::Image, Column::App, Column::Symbol] {
        if [before, after].iter().any(|report| report.columns().contains(&column)) {
            columns.push(column);
        }
    }
    columns
}
