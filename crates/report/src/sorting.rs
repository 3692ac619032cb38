//! The order of rows.

use std::cmp::{Ordering, Reverse};

use crate::grouping::By;
use crate::place::Place;
use crate::report::Report;
use crate::rows::Row;

/// Sorts rows: most first, ties by names, then by address, so that the order is always the same.
pub(crate) fn sort(report: &Report<'_>, rows: &mut [Row]) {
    let total = |row: &Row| Reverse(row.totals.first().map_or(0, |total| total.value));
    let samples = |row: &Row| {
        let count = row.counts.first().copied().unwrap_or_default();
        let measure = report.classes().first().map_or(0, |class| class.measure(count));
        Reverse((measure, count.samples))
    };
    let names = |a: &Row, b: &Row| by_name(report, a, b);
    if report.by() == By::Command {
        rows.sort_unstable_by(|a, b| {
            total(a).cmp(&total(b)).then_with(|| samples(a).cmp(&samples(b))).then_with(|| names(a, b))
        });
    } else {
        rows.sort_unstable_by(|a, b| {
            samples(a).cmp(&samples(b)).then_with(|| total(a).cmp(&total(b))).then_with(|| names(a, b))
        });
    }
}

fn by_name(report: &Report<'_>, a: &Row, b: &Row) -> Ordering {
    let long = report.options().long_names;
    let images = &report.places().images;
    let text = |name| images.text(name, long);
    let names = match (a.place, b.place) {
        (Place::App(a), Place::App(b)) | (Place::Image(a), Place::Image(b)) => text(a).cmp(text(b)),
        (
            Place::Symbol { image: image_a, app: app_a, code: code_a },
            Place::Symbol { image: image_b, app: app_b, code: code_b },
        ) => text(image_a)
            .cmp(text(image_b))
            .then_with(|| text(app_a).cmp(text(app_b)))
            .then_with(|| report.symbol(image_a, code_a).cmp(report.symbol(image_b, code_b))),
        _ => Ordering::Equal,
    };
    // The indexes of symbols of one name follow their addresses.
    names.then_with(|| a.place.cmp(&b.place))
}
