//! The mean of several values and how far they lie apart.

/// The mean of several values and how far they lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The mean; of a single value that value.
    pub mean: f64,
    /// The standard deviation of the values, as far as a sample tells it (with n - 1 in the denominator); `None` for a
    /// single value, which tells nothing of it.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of these values; `None` where there are none.
    pub fn of(values: &[f64]) -> Option<Spread> {
        let number = values.len() as f64;
        if values.is_empty() {
            return None;
        }
        let mean = values.iter().sum::<f64>() / number;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (values.len() > 1).then(|| (squares / (number - 1.0)).sqrt());
        Some(Spread { mean, deviation })
    }

    /// The standard deviation in percent of the mean.
    pub fn percent(&self) -> Option<f64> {
        let deviation = self.deviation?;
        Some(if deviation == 0.0 { 0.0 } else { deviation * 100.0 / self.mean })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation_are_those_of_a_sample() {
        // The squares of the distances to 5 are 9, 1, 1, 1, 0, 0, 4, 16: together 32.
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).expect("eight values");
        assert_eq!(spread.mean, 5.0);
        assert_eq!(spread.deviation, Some((32.0_f64 / 7.0).sqrt()));
    }

    #[test]
    fn a_single_value_has_no_deviation_and_equal_ones_have_none_to_tell() {
        assert_eq!(Spread::of(&[3.0]), Some(Spread { mean: 3.0, deviation: None }));
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(Spread::of(&[0.0, 0.0]).and_then(|spread| spread.percent()), Some(0.0));
        assert_eq!(Spread::of(&[8.0, 12.0]).and_then(|spread| spread.percent()), Some(8_f64.sqrt() * 10.0));
    }
}
