//! Exact tests of two counts, given their sum: what counting alone allows to say.

use super::distribution::ln_choose;

/// The chances of a tail that is summed up from where it begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tails {
    /// That the second count is at most what it is.
    pub(crate) lower: f64,
    /// That the second count is at least what it is.
    pub(crate) upper: f64,
}

impl Tails {
    /// The chance of what is at least so unlikely, on either side: twice the smaller tail.
    pub(crate) fn two_sided(self) -> f64 {
        (2.0 * self.lower.min(self.upper)).min(1.0)
    }
}

/// Two Poisson counts, where of both together this share is expected in the second.
///
/// Given the sum, the second is binomial (Przyborowski and Wilenski 1940).
pub(crate) fn rates(before: u64, after: u64, share_after: f64) -> Tails {
    let (x, all) = (after as f64, before as f64 + after as f64);
    if !(share_after > 0.0 && share_after < 1.0) {
        return Tails { lower: 1.0, upper: 1.0 };
    }
    let odds = share_after / (1.0 - share_after);
    let here = (ln_choose(all, x) + x * share_after.ln() + (all - x) * (-share_after).ln_1p()).exp();
    let up = |x: f64| odds * (all - x) / (x + 1.0);
    tails(here, x, 0.0, all, up)
}

/// The counts of a row among all of each side: given the margins of the table of four, the second is hypergeometric
/// (Fisher 1935).
pub(crate) fn shares(before: u64, all_before: u64, after: u64, all_after: u64) -> Tails {
    let (before, after) = (before.min(all_before) as f64, after.min(all_after) as f64);
    let (all_before, all_after) = (all_before as f64, all_after as f64);
    let (row, all) = (before + after, all_before + all_after);
    let here = (ln_choose(all_after, after) + ln_choose(all_before, before) - ln_choose(all, row)).exp();
    let up = |x: f64| (all_after - x) * (row - x) / ((x + 1.0) * (all_before - row + x + 1.0));
    tails(here, after, (row - all_before).max(0.0), row.min(all_after), up)
}

/// Sums up the tail that leads away from the distribution's mode, term by term; `up` is the ratio of the chance of one
/// more to that of `x`. The other tail is what is left.
fn tails(here: f64, x: f64, least: f64, most: f64, up: impl Fn(f64) -> f64) -> Tails {
    let is_above = x >= most || up(x) < 1.0;
    let (mut sum, mut term, mut at) = (here, here, x);
    while if is_above { at < most } else { at > least } {
        term *= if is_above { up(at) } else { 1.0 / up(at - 1.0) };
        at += if is_above { 1.0 } else { -1.0 };
        sum += term;
        if term <= sum * 1e-17 {
            break;
        }
    }
    let (tail, rest) = (sum.min(1.0), (1.0 - sum + here).clamp(0.0, 1.0));
    match is_above {
        true => Tails { lower: rest, upper: tail },
        false => Tails { lower: tail, upper: rest },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use super::super::known_values::{BINOMIAL, HYPERGEOMETRIC};

    fn assert_close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    #[test]
    fn tails_of_rates_are_those_that_scipy_has() {
        for &(before, after, share, lower, upper) in BINOMIAL {
            let tails = rates(before, after, share);
            assert_close(tails.lower, lower, 1e-7);
            assert_close(tails.upper, upper, 1e-7);
        }
    }

    #[test]
    fn tails_of_shares_are_those_that_scipy_has() {
        for &(before, all_before, after, all_after, lower, upper) in HYPERGEOMETRIC {
            let tails = shares(before, all_before, after, all_after);
            assert_close(tails.lower, lower, 1e-6);
            assert_close(tails.upper, upper, 1e-6);
        }
    }

    #[test]
    fn nothing_is_no_evidence() {
        assert_eq!(rates(0, 0, 0.5).two_sided(), 1.0);
        assert_eq!(shares(0, 10, 0, 20).two_sided(), 1.0);
        assert_eq!(shares(0, 0, 0, 0).two_sided(), 1.0);
        assert_eq!(rates(5, 5, 0.0).two_sided(), 1.0);
        assert_eq!(shares(7, 7, 9, 9).two_sided(), 1.0);
    }
}
