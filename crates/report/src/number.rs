//! Numbers as people read them.

/// Writes a number with its digits in groups of three: `1,612`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes `number` of something: `1 process`, `1,002 processes`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Writes a number as C++ streams do by default: six significant digits, no trailing zeros, with an exponent where
/// these digits do not reach the point. OProfile writes the CPU's speed so.
pub(crate) fn six_digits(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        return number.to_string().to_ascii_lowercase();
    }
    let scientific = format!("{number:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        let decimals = (5 - exponent).max(0) as usize;
        return without_trailing_zeros(&format!("{number:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_trailing_zeros(digits), exponent.unsigned_abs())
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let texts = [0, 7, 999, 1000, 1612, 123456, 1234567, u64::MAX].map(grouped);
        let expected =
            ["0", "7", "999", "1,000", "1,612", "123,456", "1,234,567", "18,446,744,073,709,551,615"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn speeds_are_written_with_six_digits() {
        let texts = [2596.134, 2400.12, 3000.0, 3e6, 999999.6, 0.5, 1.23456789e-5, 100.0].map(six_digits);
        let expected = ["2596.13", "2400.12", "3000", "3e+06", "1e+06", "0.5", "1.23457e-05", "100"];
        assert_eq!(texts, expected);
    }
}
