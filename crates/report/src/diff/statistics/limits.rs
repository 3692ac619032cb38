//! Limits of a rate or a share, and of the difference of two.

/// What one side counted of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counted {
    /// Events, in samples' worth.
    pub(crate) count: f64,
    /// Of how many, for a share; for a rate, of how many units (runs, seconds).
    pub(crate) of: f64,
}

impl Counted {
    /// The rate or share.
    pub(crate) fn rate(self) -> f64 {
        if self.of > 0.0 { self.count / self.of } else { 0.0 }
    }
}

/// What is measured of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Part of a whole that is counted in the same way.
    Share,
    /// Events for each unit.
    Rate,
}

/// The score limits (Wilson 1927; for rates those of a Poisson count) `distance` standard deviations away, where
/// variances are `dispersion` times those of counting.
fn limits(measure: Measure, counted: Counted, distance: f64, dispersion: f64) -> (f64, f64) {
    if counted.of <= 0.0 {
        return (0.0, 0.0);
    }
    let (x, n, z) = (counted.count / dispersion, counted.of / dispersion, distance);
    match measure {
        Measure::Rate => {
            let half = z * (x + z * z / 4.0).sqrt();
            (((x + z * z / 2.0 - half) / n).max(0.0), (x + z * z / 2.0 + half) / n)
        }
        Measure::Share => {
            let p = (x / n).min(1.0);
            let scale = 1.0 + z * z / n;
            let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
            let centre = p + z * z / (2.0 * n);
            (((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0))
        }
    }
}

/// The interval of the difference of two rates or shares, made of each one's limits (Newcombe 1998, method 10; for
/// rates Zou and Donner 2008).
pub(crate) fn difference(
    measure: Measure,
    before: Counted,
    after: Counted,
    distance: f64,
    dispersion: f64,
) -> (f64, f64) {
    let (low_before, high_before) = limits(measure, before, distance, dispersion);
    let (low_after, high_after) = limits(measure, after, distance, dispersion);
    let (rate_before, rate_after) = (before.rate(), after.rate());
    let change = rate_after - rate_before;
    (
        change - (rate_after - low_after).hypot(high_before - rate_before),
        change + (high_after - rate_after).hypot(rate_before - low_before),
    )
}

/// No statistic is looked at further out.
const FURTHEST: f64 = 1e3;

/// How many standard deviations away the interval of [`difference`] begins to hold zero.
pub(crate) fn distance_of_zero(measure: Measure, before: Counted, after: Counted, dispersion: f64) -> f64 {
    let change = (after.rate() - before.rate()).abs();
    if change == 0.0 {
        return 0.0;
    }
    let grows = after.rate() > before.rate();
    // How far the interval reaches towards zero: nearly proportional to the distance, or to its square, so that a secant
    // of the logarithms leads to the distance at which it is the change in a few steps.
    let reach = |distance: f64| {
        let (low, high) = difference(measure, before, after, distance, dispersion);
        change - if grows { low } else { -high }
    };
    let (mut low, mut high) = (0.0, FURTHEST);
    if reach(FURTHEST) <= change {
        return FURTHEST;
    }
    let (mut last, mut last_reach) = (1.0, reach(1.0));
    let mut distance = (change / last_reach).clamp(0.01, FURTHEST / 2.0);
    for _ in 0..60 {
        let found = reach(distance);
        match found < change {
            true => low = distance,
            false => high = distance,
        }
        if (found / change - 1.0).abs() < 1e-13 || high - low <= 1e-13 * high {
            break;
        }
        let slope = (found / last_reach).ln() / (distance / last).ln();
        let next = distance * ((change / found).ln() / slope).exp();
        (last, last_reach) = (distance, found);
        distance = if next > low && next < high { next } else { (low + high) / 2.0 };
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: f64, of: f64) -> Counted {
        Counted { count, of }
    }

    /// Newcombe's paper (Statistics in Medicine 17, 873-890, table II): method 10 at 95 %.
    #[test]
    fn intervals_of_shares_are_those_that_newcombe_gives() {
        for (after, before, low, high) in [
            (of(56.0, 70.0), of(48.0, 80.0), 0.0524, 0.3339),
            (of(9.0, 10.0), of(3.0, 10.0), 0.1705, 0.8090),
            (of(5.0, 56.0), of(0.0, 29.0), -0.0381, 0.1926),
            (of(0.0, 10.0), of(0.0, 20.0), -0.1611, 0.2775),
            (of(10.0, 10.0), of(0.0, 20.0), 0.6791, 1.0),
        ] {
            let (found_low, found_high) = difference(Measure::Share, before, after, 1.959964, 1.0);
            assert!(
                (found_low - low).abs() < 6e-5 && (found_high - high).abs() < 6e-5,
                "{found_low} {found_high}"
            );
        }
    }

    #[test]
    fn zero_is_where_the_interval_says() {
        for measure in [Measure::Share, Measure::Rate] {
            for (before, after, dispersion) in [
                (of(0.0, 1e3), of(9.0, 1e3), 1.0),
                (of(400.0, 1e3), of(300.0, 1e3), 3.0),
                (of(5.0, 50.0), of(9.0, 80.0), 1.0),
            ] {
                let distance = distance_of_zero(measure, before, after, dispersion);
                let (low, high) = difference(measure, before, after, distance, dispersion);
                assert!(low.abs().min(high.abs()) < 1e-9, "{low} {high}");
            }
        }
        assert_eq!(distance_of_zero(Measure::Share, of(1.0, 2.0), of(2.0, 4.0), 1.0), 0.0);
    }

    #[test]
    fn more_dispersion_makes_wider_intervals() {
        let at = |dispersion| difference(Measure::Rate, of(100.0, 3.0), of(120.0, 3.0), 1.96, dispersion);
        assert!(at(4.0).0 < at(1.0).0 && at(4.0).1 > at(1.0).1);
    }
}
