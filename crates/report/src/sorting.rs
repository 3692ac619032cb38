//! The order of rows.

use std::cmp::Ordering;

use crate::grouping::By;
use crate::place::Place;
use crate::report::Report;
use crate::rows::Row;

/// What rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// Samples of the first class, most first.
    Sample,
    /// The image's name.
    Image,
    /// The app's name.
    App,
    /// The symbol's name.
    Symbol,
    /// Where the symbol is in the source.
    Debug,
    /// The address of the symbol in its image.
    Vma,
    /// What the row is called.
    Name,
    /// The number of a process, a thread or a CPU.
    Number,
    /// What was counted in all, most first.
    Total,
}

impl SortKey {
    /// All, in the order in which they count where nothing else is asked for.
    pub const ALL: [SortKey; 6] =
        [SortKey::Sample, SortKey::Image, SortKey::App, SortKey::Symbol, SortKey::Debug, SortKey::Vma];

    /// The names of the keys of `oprof report --sort`.
    pub const NAMES: [(&str, SortKey); 9] = [
        ("samples", SortKey::Sample),
        ("total", SortKey::Total),
        ("name", SortKey::Name),
        ("app", SortKey::App),
        ("image", SortKey::Image),
        ("symbol", SortKey::Symbol),
        ("line", SortKey::Debug),
        ("address", SortKey::Vma),
        ("number", SortKey::Number),
    ];

    /// The key of this name, one of OProfile's.
    pub fn parse(name: &str) -> Option<SortKey> {
        Some(match name {
            "sample" => SortKey::Sample,
            "image" => SortKey::Image,
            "app-name" => SortKey::App,
            "symbol" => SortKey::Symbol,
            "debug" => SortKey::Debug,
            "vma" => SortKey::Vma,
            _ => return None,
        })
    }
}

/// Sorts rows: by what was asked for, else most first, ties by names, then by address, so that the order is always the
/// same.
pub(crate) fn sort(report: &Report<'_>, rows: &mut [Row]) {
    let keys = keys(report);
    rows.sort_unstable_by(|a, b| compare(&keys, (report, a), (report, b)));
}

/// What the rows of a report are sorted by, each key once.
pub(crate) fn keys(report: &Report<'_>) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> = Vec::new();
    for key in report.options().sort.iter().chain(&SortKey::ALL) {
        if !keys.contains(key) {
            keys.push(*key);
        }
    }
    // Without lines nothing is known of the source.
    keys.retain(|key| *key != SortKey::Debug || report.knows_lines());
    keys
}

/// How two rows stand, each of its own report: of two that are compared, say.
pub(crate) fn compare(
    keys: &[SortKey],
    (report_a, a): (&Report<'_>, &Row),
    (report_b, b): (&Report<'_>, &Row),
) -> Ordering {
    let one = |key: &SortKey| match key {
        SortKey::Sample => amount(report_a, a).cmp(&amount(report_b, b)).reverse(),
        SortKey::Vma => report_a.address(a).cmp(&report_b.address(b)),
        SortKey::Debug => report_a.source(a).cmp(&report_b.source(b)),
        SortKey::Name => report_a.label(a).cmp(&report_b.label(b)),
        SortKey::Number => report_a.number(a).cmp(&report_b.number(b)),
        SortKey::Total => {
            let total = |row: &Row| row.totals.first().map_or(0, |total| total.value);
            total(a).cmp(&total(b)).reverse()
        }
        SortKey::Image | SortKey::App | SortKey::Symbol => {
            name(report_a, a.place, *key).cmp(name(report_b, b.place, *key))
        }
    };
    let ordering = keys.iter().map(one).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal);
    let ordering = if report_a.options().reverse { ordering.reverse() } else { ordering };
    // The indexes of symbols of one name follow their addresses.
    ordering.then_with(|| a.place.cmp(&b.place))
}

/// What a row is worth: of commands the total counts first, of all else what was sampled.
fn amount(report: &Report<'_>, row: &Row) -> (u64, u64, u64) {
    let total = row.totals.first().map_or(0, |total| total.value);
    let count = row.counts.first().copied().unwrap_or_default();
    let measure = report.classes().first().map_or(0, |class| class.measure(count));
    match report.by() {
        By::Command => (total, measure, count.samples),
        _ => (measure, count.samples, total),
    }
}

fn name<'a>(report: &'a Report<'_>, place: Place, key: SortKey) -> &'a str {
    let text = |name| report.places().images.text(name, report.options().long_names);
    match (place, key) {
        (Place::App(app) | Place::Symbol { app, .. }, SortKey::App) => text(app),
        (Place::Image(image) | Place::Symbol { image, .. }, SortKey::Image) => text(image),
        (Place::Symbol { image, code, .. }, SortKey::Symbol) => report.symbol(image, code),
        _ => "",
    }
}
