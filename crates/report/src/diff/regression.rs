//! Regressions: what grew by more than is allowed.

use std::sync::Arc;

use super::comparison::{Runs, Tested, tested, tested_total};
use super::identity::Identity;
use super::pairing::Pair;
use super::settings::Normalise;
use super::statistics::{Level, Measure, adjusted, growth_chance, is_testable};

/// Something that grew, beyond chance, by more than was allowed: what it costs in each run (or second).
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// The row; `None` for the total.
    pub row: Option<Arc<Identity>>,
    /// Its name in the style that was asked for.
    pub name: String,
    /// Events in each run (or second) before.
    pub before: f64,
    /// The same after.
    pub after: f64,
    /// How often chance makes such a growth of one that is within what is allowed, adjusted for the number of rows.
    pub chance: f64,
}

/// What grew by more than `percent` of what it was: the total first, then the rows by what they grew.
///
/// Tested is whether the growth is beyond `percent`, not merely beyond nothing: a growth that is measured a little above
/// the limit, and may be below it, is none. What is new has grown beyond any limit.
pub(crate) fn regressions(
    runs: &Runs<'_>,
    pairs: &[Pair<'_>],
    normalise: Normalise,
    percent: f64,
    level: &Level,
) -> Vec<Regression> {
    let factor = 1.0 + percent / 100.0;
    // An interval at the level leaves out half of it on each side.
    let chance = |row: &Tested| (2.0 * growth_chance(row.before, row.after, factor, row.moderated)).min(1.0);
    let mut found = Vec::new();
    let total = tested_total(runs, normalise);
    let of_total = chance(&total);
    if of_total <= level.chance() {
        let (before, after) = (total.before.rate(), total.after.rate());
        found.push(Regression { row: None, name: "the total".to_owned(), before, after, chance: of_total });
    }
    let rows = tested(runs, pairs, normalise);
    let testable: Vec<usize> = (0..rows.len())
        .filter(|row| is_testable(Measure::Rate, rows[*row].before, rows[*row].after, level))
        .collect();
    let chances: Vec<f64> = testable.iter().map(|row| chance(&rows[*row])).collect();
    let mut grown: Vec<Regression> = testable
        .into_iter()
        .zip(adjusted(&chances))
        .filter(|(_, adjusted)| *adjusted <= level.chance())
        .filter_map(|(row, chance)| {
            let shown = pairs[row].after?;
            Some(Regression {
                row: Some(Arc::clone(&shown.identity)),
                name: shown.shown.clone().unwrap_or_else(|| shown.identity.name.clone()),
                before: rows[row].before.rate(),
                after: rows[row].after.rate(),
                chance,
            })
        })
        .collect();
    grown.sort_by(|a, b| {
        (b.after - b.before).total_cmp(&(a.after - a.before)).then_with(|| a.row.cmp(&b.row))
    });
    found.extend(grown);
    found
}
