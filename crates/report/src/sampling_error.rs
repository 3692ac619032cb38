//! How far a share in samples can be from the true one.

/// Two standard deviations of the normal distribution hold 95 % of it: the 0.975 quantile.
const QUANTILE: f64 = 1.959_964;

/// Between which shares the true one is, with 95 % confidence, where `share` was found in so many samples: Wilson's score
/// interval, which never leaves 0 to 1 and holds for small counts, too.
pub(crate) fn interval(share: f64, samples: f64) -> (f64, f64) {
    if samples.is_nan() || samples <= 0.0 {
        return (0.0, 1.0);
    }
    let square = QUANTILE * QUANTILE;
    let middle = share + square / (2.0 * samples);
    let width =
        QUANTILE * (share * (1.0 - share) / samples + square / (4.0 * samples * samples)).max(0.0).sqrt();
    let whole = 1.0 + square / samples;
    (((middle - width) / whole).clamp(0.0, 1.0), ((middle + width) / whole).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of R's prop.test(..., correct = FALSE).
    #[test]
    fn known_intervals_come_out() {
        let near = |(low, high): (f64, f64), expected: (f64, f64)| {
            (low - expected.0).abs() < 5e-5 && (high - expected.1).abs() < 5e-5
        };
        assert!(near(interval(0.5, 100.0), (0.40383, 0.59617)));
        assert!(near(interval(0.0, 10.0), (0.0, 0.27753)));
        assert!(near(interval(1.0, 10.0), (0.72247, 1.0)));
        assert!(near(interval(0.03, 1000.0), (0.02109, 0.04251)));
        assert_eq!(interval(0.3, 0.0), (0.0, 1.0));
    }

    #[test]
    fn more_samples_are_surer() {
        let width = |samples| {
            let (low, high) = interval(0.2, samples);
            high - low
        };
        assert!(width(1000.0) < width(100.0) && width(100.0) < width(10.0));
    }
}
