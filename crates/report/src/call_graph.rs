//! Call graphs: each symbol with those that call it and those that it calls.

use oprof_profile::{Call, Count, Key, Recording};
use rustc_hash::FxHashMap;

use crate::cell::Cell;
use crate::class::{ClassOfKey, ClassOrder};
use crate::column::Column;
use crate::grouping::By;
use crate::options::Options;
use crate::place::{Place, Places};
use crate::report::Report;
use crate::rows::Row;

/// The symbols of a recording with their callers and callees.
///
/// A call counts once for each pair of frames that it was seen in: a function that calls itself is seen many times in one
/// stack, and is its own caller and callee for each of these.
pub struct CallGraph<'r> {
    report: Report<'r>,
    relatives: Vec<Relatives>,
}

/// Those that call a symbol, and those that it calls.
#[derive(Debug, Default)]
pub struct Relatives {
    /// The callers, those of the most calls last.
    pub callers: Vec<Relative>,
    /// The callees, those of the most calls first, the symbol's own code among them.
    pub callees: Vec<Relative>,
}

/// A symbol that calls another, or is called by it.
#[derive(Debug)]
pub struct Relative {
    /// The symbol, with the calls in place of its samples.
    pub row: Row,
    /// It is the symbol itself, and its samples are its own.
    pub is_self: bool,
    /// For each class: the calls of all callers, or of all callees with the symbol's own samples.
    whole: Vec<Count>,
}

/// A call between two places.
struct Arc {
    caller: Place,
    callee: Place,
    key: Key,
    times: u64,
}

impl<'r> CallGraph<'r> {
    /// Folds the calls of a recording. Symbols that only call have a row, too, unless shares below a threshold are left
    /// out; a choice of symbols is one of rows, not of their callers and callees.
    pub fn new(recording: &'r Recording, order: ClassOrder, options: &Options) -> CallGraph<'r> {
        let mut arcs = Vec::new();
        let mut report = Report::with_places(recording, By::Symbol, order, options, |places| {
            arcs = arcs_of(recording, places, options);
            let ends = arcs.iter().flat_map(|arc| [arc.caller, arc.callee]);
            ends.filter(|place| places.is_taken(*place, options)).collect()
        });
        let separation = options.separation.in_fact(recording);
        let class_of = ClassOfKey::new(recording, report.classes(), separation);
        let classes = report.classes().len();
        let mut calls: FxHashMap<(Place, Place), Vec<Count>> = FxHashMap::default();
        for arc in &arcs {
            if let Some(class) = class_of.get(&arc.key) {
                let counts =
                    calls.entry((arc.caller, arc.callee)).or_insert_with(|| vec![Count::default(); classes]);
                counts[class].add(Count { samples: arc.times, weight: 0 });
            }
        }
        let row_of: FxHashMap<Place, usize> =
            report.rows().iter().zip(0..).map(|(row, index)| (row.place, index)).collect();
        let mut relatives: Vec<Relatives> = Vec::new();
        relatives.resize_with(report.rows().len(), Relatives::default);
        for ((caller, callee), counts) in calls {
            if let Some(&row) = row_of.get(&callee) {
                relatives[row].callers.push(Relative::new(caller, counts.clone(), false));
            }
            if let Some(&row) = row_of.get(&caller) {
                relatives[row].callees.push(Relative::new(callee, counts, false));
            }
        }
        for (relatives, row) in relatives.iter_mut().zip(report.rows()) {
            relatives.callees.push(Relative::new(row.place, row.counts.clone(), true));
            finish(&report, &mut relatives.callers, classes, Most::Last);
            finish(&report, &mut relatives.callees, classes, Most::First);
            accumulate(&mut relatives.callers);
            accumulate(&mut relatives.callees);
        }
        show_names(&mut report, &relatives);
        CallGraph { report, relatives }
    }

    /// The symbols without their callers and callees.
    pub fn report(&self) -> &Report<'r> {
        &self.report
    }

    /// The callers and callees of the row of this number.
    pub fn relatives(&self, row: usize) -> Option<&Relatives> {
        self.relatives.get(row)
    }

    /// What stands in a column of a caller or callee.
    pub fn cell(&self, relative: &Relative, column: Column) -> Cell<'_> {
        let samples = |counts: &[Count], class: usize| {
            counts.get(class).map_or(Cell::Unknown, |count| Cell::Number(count.samples))
        };
        match column {
            Column::Samples(class) => samples(&relative.row.counts, class),
            Column::AccumulatedSamples(class) => samples(&relative.row.accumulated, class),
            Column::Percent(class) => self.report.part_of_calls(relative, &relative.row.counts, class),
            Column::AccumulatedPercent(class) => {
                self.report.part_of_calls(relative, &relative.row.accumulated, class)
            }
            Column::Symbol => match (self.report.cell(&relative.row, column), relative.is_self) {
                (Cell::Text(name), true) => Cell::Text(format!("{name} [self]").into()),
                (name, _) => name,
            },
            column => self.report.cell(&relative.row, column),
        }
    }
}

impl Relative {
    fn new(place: Place, counts: Vec<Count>, is_self: bool) -> Relative {
        let row = Row { place, counts, accumulated: Vec::new(), totals: Vec::new(), processes: 0 };
        Relative { row, is_self, whole: Vec::new() }
    }
}

impl Report<'_> {
    /// The share of some of a relative's calls: of all callers or callees, or of all samples where that is asked for.
    fn part_of_calls(&self, relative: &Relative, part: &[Count], class: usize) -> Cell<'static> {
        let whole = if self.options().global_percent { self.sums() } else { &relative.whole };
        match (part.get(class), whole.get(class)) {
            (Some(part), Some(whole)) => Cell::Percent { part: part.samples, whole: whole.samples },
            _ => Cell::Unknown,
        }
    }
}

/// The calls of a recording whose ends both have a place in the report.
fn arcs_of(recording: &Recording, places: &Places<'_>, options: &Options) -> Vec<Arc> {
    let arc = |(call, times): (Call, u64)| {
        let Call { process, thread, event, cpu, .. } = call;
        let end = |image, offset| Key { process, thread, image, offset, event, cpu };
        let callee = end(call.callee_image, call.callee);
        Some(Arc {
            caller: places.kept(By::Symbol, &end(call.caller_image, call.caller), options)?,
            callee: places.kept(By::Symbol, &callee, options)?,
            key: callee,
            times,
        })
    };
    recording.calls.iter().filter_map(arc).collect()
}

/// Where the relatives of the most calls stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Most {
    First,
    Last,
}

/// Gives relatives the whole that their shares are of, sorts them and leaves out those below the threshold. Those of as
/// many calls are sorted by image, app, symbol and address.
fn finish(report: &Report<'_>, relatives: &mut Vec<Relative>, classes: usize, most: Most) {
    let mut whole = vec![Count::default(); classes];
    for relative in &*relatives {
        for (whole, count) in whole.iter_mut().zip(&relative.row.counts) {
            whole.add(*count);
        }
    }
    for relative in &mut *relatives {
        relative.whole.clone_from(&whole);
    }
    let threshold = report.options().threshold;
    relatives.retain(|relative| {
        let [part, whole] = [&relative.row.counts, &relative.whole]
            .map(|counts| counts.first().map_or(0, |count| count.samples));
        let share = if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
        threshold <= 0.0 || share * 100.0 >= threshold
    });
    let names = |relative: &Relative| {
        let text = |column| match report.cell(&relative.row, column) {
            Cell::Text(text) => text.into_owned(),
            _ => String::new(),
        };
        let names = [Column::Image, Column::App, Column::Symbol].map(text);
        (names, report.address(&relative.row), relative.row.place, relative.is_self)
    };
    relatives.sort_by_cached_key(|relative| {
        let calls = relative.row.counts.iter().map(|count| match most {
            Most::First => u64::MAX - count.samples,
            Most::Last => count.samples,
        });
        let calls: Vec<u64> = calls.collect();
        (calls, names(relative))
    });
}

fn accumulate(relatives: &mut [Relative]) {
    let mut sums: Vec<Count> = Vec::new();
    for relative in relatives {
        sums.resize(relative.row.counts.len(), Count::default());
        for (sum, count) in sums.iter_mut().zip(&relative.row.counts) {
            sum.add(*count);
        }
        relative.row.accumulated.clone_from(&sums);
    }
}

/// Columns that the rows can do without are there where a caller or callee needs them.
fn show_names(report: &mut Report<'_>, relatives: &[Relatives]) {
    let mut apps = Vec::new();
    let mut is_dependent = false;
    let of_rows = report.rows().iter().map(|row| row.place);
    let all = relatives.iter().flat_map(|relatives| relatives.callers.iter().chain(&relatives.callees));
    for place in of_rows.chain(all.map(|relative| relative.row.place)) {
        if let Place::Symbol { image, app, .. } = place {
            is_dependent |= image != app;
            if !apps.contains(&app) && apps.len() < 2 {
                apps.push(app);
            }
        }
    }
    if apps.len() > 1 {
        report.add_column(Column::App, &[Column::Symbol]);
    }
    if is_dependent {
        report.add_column(Column::Image, &[Column::App, Column::Symbol]);
    }
}
