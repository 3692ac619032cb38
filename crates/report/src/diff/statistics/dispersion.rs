//! Dispersion: how much more repeated runs of one program differ than counting alone makes them.
//!
//! Each row has so few runs that its own spread says little. What all rows say together moderates it, as in
//! Smyth 2004 (limma): a row's dispersion is taken for one of a family whose spread is estimated from all rows, by the
//! moments of the logarithm.

use super::distribution::{freedom_of_variance, mean_log_chi_squared, variance_log_chi_squared};

/// Rows with fewer events expected in a run do not show the family's spread: their counts are too coarse.
const LEAST_EXPECTED: f64 = 5.0;

/// With fewer rows there is no family.
const FEWEST_ROWS: usize = 3;

/// Two counts that are equal by chance would have a logarithm without end.
const LEAST_DISPERSION: f64 = 1e-3;

/// What the runs of a row say of its dispersion.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    /// The variance between runs over that of counting (Pearson's statistic over its degrees of freedom).
    pub(crate) dispersion: f64,
    /// On how many degrees of freedom that rests; 0 where no side has two runs.
    pub(crate) freedom: f64,
    /// Events expected in a run, on average.
    pub(crate) expected: f64,
}

impl Spread {
    /// Of the runs of both sides, each run with its count, its exposure (what counts are proportional to) and, for
    /// shares, the rest of the variance that a share leaves (1 for rates).
    pub(crate) fn of<'a>(sides: impl IntoIterator<Item = &'a [(f64, f64)]>, is_share: bool) -> Spread {
        let (mut statistic, mut freedom, mut expected, mut runs) = (0.0, 0.0, 0.0, 0.0);
        for side in sides {
            let (count, exposure) =
                side.iter().fold((0.0, 0.0), |(count, exposure), run| (count + run.0, exposure + run.1));
            expected += count;
            runs += side.len() as f64;
            // A side without an event says nothing of how they vary.
            if count < 1.0 || exposure <= 0.0 || side.len() < 2 {
                continue;
            }
            let rate = count / exposure;
            let rest = if is_share { (1.0 - rate).max(1e-9) } else { 1.0 };
            for (count, exposure) in side {
                let expected = rate * exposure;
                if expected > 0.0 {
                    statistic += (count - expected).powi(2) / (expected * rest);
                }
            }
            freedom += side.len() as f64 - 1.0;
        }
        Spread {
            dispersion: if freedom > 0.0 { statistic / freedom } else { 1.0 },
            freedom,
            expected: if runs > 0.0 { expected / runs } else { 0.0 },
        }
    }

    /// What its own runs say, without a family: never less than counting makes.
    pub(crate) fn alone(self) -> Moderated {
        match self.freedom > 0.0 {
            true => Moderated { dispersion: self.dispersion.max(1.0), freedom: self.freedom },
            false => Moderated { dispersion: 1.0, freedom: f64::INFINITY },
        }
    }
}

/// The dispersion that a row is judged with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moderated {
    /// At least 1: nothing is surer than counting allows.
    pub(crate) dispersion: f64,
    /// Of how many degrees of freedom the test statistic is; infinite where only counting is known.
    pub(crate) freedom: f64,
}

/// The family of all rows' dispersions.
///
/// A row's variance over that of counting grows with what it counts, since runs differ by some percent: dispersions are
/// taken relative to `1 + growth * expected`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Family {
    growth: f64,
    /// The family's middle, relative to the above.
    scale: f64,
    /// What the family is worth beside a row's own runs.
    freedom: f64,
    /// The degrees of freedom of all runs of all rows: nobody can know more.
    known: f64,
}

impl Family {
    /// Estimates the family; `None` where too few rows have something to say.
    pub(crate) fn of(rows: &[Spread]) -> Option<Family> {
        let telling: Vec<Spread> =
            rows.iter().copied().filter(|row| row.freedom > 0.0 && row.expected >= LEAST_EXPECTED).collect();
        if telling.len() < FEWEST_ROWS {
            return None;
        }
        let growth = growth(&telling);
        let logs: Vec<f64> = telling.iter().map(|row| surplus(row, growth)).collect();
        let number = logs.len() as f64;
        let mean = logs.iter().sum::<f64>() / number;
        let variance = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / (number - 1.0);
        let by_chance = telling.iter().map(|row| variance_log_chi_squared(row.freedom)).sum::<f64>() / number;
        let freedom = freedom_of_variance(variance - by_chance);
        let correction = if freedom.is_finite() { mean_log_chi_squared(freedom) } else { 0.0 };
        let known = telling.iter().map(|row| row.freedom).sum();
        Some(Family { growth, scale: (mean + correction).exp(), freedom, known })
    }

    /// The dispersion to judge a row with.
    pub(crate) fn moderate(&self, row: Spread) -> Moderated {
        if row.freedom == 0.0 {
            // Its own runs say nothing; nor does the family, where there is no second run on any side.
            let dispersion = (self.trend(&row) * self.scale).max(1.0);
            return Moderated { dispersion, freedom: self.freedom.min(self.known) };
        }
        let trend = self.trend(&row);
        let dispersion = match self.freedom.is_finite() {
            true => {
                (self.freedom * self.scale * trend + row.freedom * row.dispersion)
                    / (self.freedom + row.freedom)
            }
            false => self.scale * trend,
        };
        let freedom = (self.freedom + row.freedom).min(self.known.max(row.freedom));
        Moderated { dispersion: dispersion.max(1.0), freedom }
    }

    fn trend(&self, row: &Spread) -> f64 {
        1.0 + self.growth * row.expected
    }
}

/// The logarithm of a row's dispersion beyond what the growth and chance make of it on average.
fn surplus(row: &Spread, growth: f64) -> f64 {
    let relative = row.dispersion.max(LEAST_DISPERSION) / (1.0 + growth * row.expected);
    relative.ln() - mean_log_chi_squared(row.freedom)
}

/// The growth with which the rows' surplus is zero on average; zero where it is none without growth already.
fn growth(rows: &[Spread]) -> f64 {
    let mean = |growth: f64| rows.iter().map(|row| surplus(row, growth)).sum::<f64>();
    if mean(0.0) <= 0.0 {
        return 0.0;
    }
    let (mut low, mut high) = (1e-12, 1e6);
    for _ in 0..80 {
        let middle: f64 = f64::sqrt(low * high);
        match mean(middle) > 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_runs_have_no_spread_and_one_run_says_nothing() {
        let runs = [(10.0, 1.0), (10.0, 1.0)];
        assert_eq!(Spread::of([&runs[..], &runs[..]], false).dispersion, 0.0);
        let one = Spread::of([&runs[..1], &runs[..1]], false);
        assert_eq!((one.freedom, one.alone().dispersion), (0.0, 1.0));
        assert_eq!(one.alone().freedom, f64::INFINITY);
    }

    #[test]
    fn the_dispersion_is_pearsons() {
        // Counts 8, 12 around 10: (4 + 4) / 10 on one degree of freedom.
        let spread = Spread::of([&[(8.0, 1.0), (12.0, 1.0)][..], &[(0.0, 1.0), (0.0, 1.0)][..]], false);
        assert!((spread.dispersion - 0.8).abs() < 1e-12);
        assert_eq!((spread.freedom, spread.expected), (1.0, 5.0));
        // As shares of 100 the variance is less by a tenth.
        let spread = Spread::of([&[(8.0, 100.0), (12.0, 100.0)][..]], true);
        assert!((spread.dispersion - 0.8 / 0.9).abs() < 1e-12);
    }

    #[test]
    fn rows_that_vary_alike_are_a_firm_family() {
        let rows: Vec<Spread> =
            (1..40).map(|_| Spread { dispersion: 0.85, freedom: 4.0, expected: 50.0 }).collect();
        let family = Family::of(&rows).expect("a family");
        assert_eq!(family.freedom, f64::INFINITY);
        let outlier = family.moderate(Spread { dispersion: 2.0, freedom: 4.0, expected: 50.0 });
        assert!(outlier.dispersion < 1.3, "{outlier:?}");
        assert!(Family::of(&rows[..2]).is_none());
    }

    #[test]
    fn runs_that_differ_by_a_share_make_hot_rows_vary_more() {
        let rows: Vec<Spread> = (0..40)
            .map(|index| {
                let expected = 10.0 * f64::from(1 << (index % 10));
                Spread { dispersion: 0.84 * (1.0 + 0.01 * expected), freedom: 4.0, expected }
            })
            .collect();
        let family = Family::of(&rows).expect("a family");
        let at = |expected| {
            let own = 1.0 + 0.01 * expected;
            family.moderate(Spread { dispersion: own, freedom: 4.0, expected }).dispersion / own
        };
        assert!((0.7..1.5).contains(&at(100.0)) && (0.7..1.5).contains(&at(5000.0)), "{family:?}");
    }

    #[test]
    fn nothing_is_surer_than_counting() {
        let rows = vec![Spread { dispersion: 0.01, freedom: 2.0, expected: 50.0 }; 20];
        let family = Family::of(&rows).expect("a family");
        assert_eq!(family.moderate(rows[0]).dispersion, 1.0);
        assert_eq!(rows[0].alone().dispersion, 1.0);
    }
}
