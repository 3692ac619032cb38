//! Rows: counts, folded by place.

use oprof_profile::{Count, Key, Recording};
use rustc_hash::FxHashMap;

use crate::class::ClassOfKey;
use crate::place::Place;
use crate::total::Total;

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub(crate) place: Place,
    /// Samples, for each class of the report.
    pub counts: Vec<Count>,
    /// The samples of this row and of those above it, for each class, where they are to be summed up.
    pub(crate) accumulated: Vec<Count>,
    /// Totals, for each class of the report; empty where a row is not made of whole processes.
    pub totals: Vec<Total>,
    /// How many processes it stands for; 0 where a row is not made of whole processes.
    pub processes: u64,
}

impl Row {
    /// It has a sample.
    pub fn is_sampled(&self) -> bool {
        self.counts.iter().any(|count| count.samples > 0)
    }

    pub(crate) fn has_total(&self) -> bool {
        self.totals.iter().any(|total| total.value > 0)
    }
}

/// Rows while they are being folded, found by their place.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    index: FxHashMap<Place, usize>,
    rows: Vec<Row>,
    classes: usize,
}

impl Rows {
    /// The samples of a recording, folded by `place`; a sample without a place is left out.
    pub(crate) fn fold(
        recording: &Recording,
        classes: usize,
        class_of: &ClassOfKey,
        mut place: impl FnMut(&Key) -> Option<Place>,
    ) -> Rows {
        let mut rows = Rows { classes, ..Rows::default() };
        for (key, count) in recording.counts.iter() {
            if let (Some(class), Some(place)) = (class_of.get(&key), place(&key)) {
                rows.at(place).counts[class].add(count);
            }
        }
        rows
    }

    /// The row of a place, made where there is none.
    pub(crate) fn at(&mut self, place: Place) -> &mut Row {
        let index = *self.index.entry(place).or_insert_with(|| {
            self.rows.push(Row {
                place,
                counts: vec![Count::default(); self.classes],
                accumulated: Vec::new(),
                totals: Vec::new(),
                processes: 0,
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// The rows, in no order.
    pub(crate) fn into_rows(self) -> Vec<Row> {
        self.rows
    }
}

/// Sums up counts from the first row on.
pub(crate) fn accumulate(rows: &mut [Row], classes: usize) {
    let mut sums = vec![Count::default(); classes];
    for row in rows {
        for (sum, count) in sums.iter_mut().zip(&row.counts) {
            sum.add(*count);
        }
        row.accumulated.clone_from(&sums);
    }
}

/// The sum of the counts of `rows`, for each class.
pub(crate) fn sum(rows: &[Row], classes: usize) -> Vec<Count> {
    let mut sum = vec![Count::default(); classes];
    for row in rows {
        for (sum, count) in sum.iter_mut().zip(&row.counts) {
            sum.add(*count);
        }
    }
    sum
}
