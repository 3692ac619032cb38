//! Distributions of test statistics: how often chance goes so far.

use special::{Beta, Error, Gamma};

/// From so many degrees of freedom on Student's distribution is the normal one, to seven digits.
const NORMAL_FROM: f64 = 1e7;

/// How often a normal value is at least so far from its mean, in standard deviations, on either side.
pub(crate) fn normal_two_sided(distance: f64) -> f64 {
    (distance.abs() / std::f64::consts::SQRT_2).compl_error()
}

/// How often a value of Student's distribution is at least so far from zero on either side; infinite degrees of freedom
/// make it the normal distribution.
pub(crate) fn student_two_sided(distance: f64, freedom: f64) -> f64 {
    if freedom >= NORMAL_FROM {
        return normal_two_sided(distance);
    }
    let (a, b) = (freedom / 2.0, 0.5);
    let x = freedom / (freedom + distance * distance);
    // Next to 1 the incomplete beta function has lost the digits of what is left of it.
    if distance.abs() < 1e-8 { 1.0 } else { x.inc_beta(a, b, a.ln_beta(b)).clamp(0.0, 1.0) }
}

/// The distance from zero which a value of Student's distribution reaches so often on either side.
pub(crate) fn student_quantile(chance: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_two_sided(high, freedom) > chance && high < 1e12 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        match student_two_sided(middle, freedom) > chance {
            true => low = middle,
            false => high = middle,
        }
    }
    high
}

/// The logarithm of the number of ways to choose `chosen` of `all`.
pub(crate) fn ln_choose(all: f64, chosen: f64) -> f64 {
    ln_factorial(all) - ln_factorial(chosen) - ln_factorial(all - chosen)
}

fn ln_factorial(number: f64) -> f64 {
    Gamma::ln_gamma(number + 1.0).0
}

/// The mean of the logarithm of a chi-squared value over its degrees of freedom.
pub(crate) fn mean_log_chi_squared(freedom: f64) -> f64 {
    (freedom / 2.0).digamma() - (freedom / 2.0).ln()
}

/// The variance of the logarithm of a chi-squared value.
pub(crate) fn variance_log_chi_squared(freedom: f64) -> f64 {
    (freedom / 2.0).trigamma()
}

/// The degrees of freedom with which the logarithm of a chi-squared value has this variance; infinite for none.
pub(crate) fn freedom_of_variance(variance: f64) -> f64 {
    if variance <= 1e-7 {
        return f64::INFINITY;
    }
    // The trigamma function falls from infinity to zero.
    let (mut low, mut high) = (1e-8_f64, 1e8_f64);
    for _ in 0..200 {
        let middle = (low * high).sqrt();
        match middle.trigamma() > variance {
            true => low = middle,
            false => high = middle,
        }
    }
    2.0 * high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(value: f64, expected: f64, relative: f64) {
        assert!((value - expected).abs() <= relative * expected.abs(), "{value:e} is not {expected:e}");
    }

    use super::super::known_values::{LOG_CHI_SQUARED, NORMAL, QUANTILE, STUDENT};

    #[test]
    fn chances_are_those_that_scipy_has() {
        for &(distance, expected) in NORMAL {
            assert_close(normal_two_sided(distance), expected, 1e-12);
        }
        for &(distance, freedom, expected) in STUDENT {
            assert_close(student_two_sided(distance, freedom), expected, 1e-8);
        }
        assert_eq!(student_two_sided(0.0, 3.0), 1.0);
    }

    #[test]
    fn quantiles_are_those_that_scipy_has() {
        for &(chance, freedom, expected) in QUANTILE {
            assert_close(student_quantile(chance, freedom), expected, 1e-8);
        }
    }

    #[test]
    fn moments_of_logarithms_are_those_that_scipy_has() {
        for &(freedom, mean, variance) in LOG_CHI_SQUARED {
            assert_close(mean_log_chi_squared(freedom), mean, 1e-9);
            assert_close(variance_log_chi_squared(freedom), variance, 1e-9);
            assert_close(freedom_of_variance(variance), freedom, 1e-7);
        }
        assert_eq!(freedom_of_variance(0.0), f64::INFINITY);
    }
}
