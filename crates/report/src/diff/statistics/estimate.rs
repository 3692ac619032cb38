//! A row's change, with its interval and its chance.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use super::dispersion::Moderated;
use super::distribution::{student_quantile, student_two_sided};
use super::exact::{Tails, rates, shares};
use super::limits::{Counted, Measure, difference, distance_of_zero};

/// How sure a change is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    /// The interval in which the true change is, at the level's confidence.
    pub(crate) interval: (f64, f64),
    /// How often chance alone makes a change of at least this size.
    pub(crate) chance: f64,
}

/// The level at which changes are told from chance: 0.05 for intervals of 95 %.
#[derive(Debug)]
pub(crate) struct Level {
    chance: f64,
    /// For each number of degrees of freedom, by its bits: there are few.
    distances: RefCell<FxHashMap<u64, f64>>,
}

impl Level {
    pub(crate) fn new(chance: f64) -> Level {
        Level { chance, distances: RefCell::default() }
    }

    pub(crate) fn chance(&self) -> f64 {
        self.chance
    }

    fn distance(&self, freedom: f64) -> f64 {
        let mut distances = self.distances.borrow_mut();
        *distances.entry(freedom.to_bits()).or_insert_with(|| student_quantile(self.chance, freedom))
    }
}

/// Estimates a change.
///
/// The chance is the larger one of two: that of the exact test of the counts, and that with which the interval, made
/// with the dispersion, begins to hold zero. Where the exact test is the less sure one the interval is widened to zero,
/// so that both say the same.
pub(crate) fn estimate(
    measure: Measure,
    before: Counted,
    after: Counted,
    moderated: Moderated,
    level: &Level,
) -> Estimate {
    let Moderated { dispersion, freedom } = moderated;
    let distance = distance_of_zero(measure, before, after, dispersion);
    let chance = student_two_sided(distance, freedom).max(counting(measure, before, after).two_sided());
    let mut interval = difference(measure, before, after, level.distance(freedom), dispersion);
    if chance > level.chance {
        interval = (interval.0.min(0.0), interval.1.max(0.0));
    }
    Estimate { interval, chance }
}

/// How often chance alone makes the second rate at least so much larger than `factor` times the first, if it is not.
pub(crate) fn growth_chance(before: Counted, after: Counted, factor: f64, moderated: Moderated) -> f64 {
    let after = Counted { of: after.of * factor, ..after };
    if after.rate() <= before.rate() {
        return 1.0;
    }
    let distance = distance_of_zero(Measure::Rate, before, after, moderated.dispersion);
    let upper = counting(Measure::Rate, before, after).upper;
    (student_two_sided(distance, moderated.freedom) / 2.0).max(upper)
}

/// The exact test of two counts.
fn counting(measure: Measure, before: Counted, after: Counted) -> Tails {
    let [b, a] = [before, after].map(|side| side.count.round() as u64);
    match measure {
        Measure::Share => shares(b, before.of.round() as u64, a, after.of.round() as u64),
        Measure::Rate => rates(b, a, after.of / (before.of + after.of)),
    }
}

/// The most extreme division of what was counted among the two sides would be less likely than the level: other rows
/// need not be counted among the tests (Tarone 1990), as their chance is known to be no find beforehand.
pub(crate) fn is_testable(measure: Measure, before: Counted, after: Counted, level: &Level) -> bool {
    let all = (before.count + after.count).round();
    let share = after.of / (before.of + after.of);
    if all < 1.0 || !(share > 0.0 && share < 1.0) {
        return false;
    }
    let least = share.min(1.0 - share);
    match measure {
        Measure::Rate => 2.0 * (all * least.ln()).exp() <= level.chance,
        // Of a whole that is nearly all one row, the binomial chance says too little; few rows are so large.
        Measure::Share => 2.0 * (all * least.ln()).exp() <= level.chance || all > 20.0,
    }
}
