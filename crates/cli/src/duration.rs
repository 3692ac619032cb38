//! Lengths of time as they are typed.

use std::time::Duration;

/// The longest that is taken; longer ones would be typing errors.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// Units, the longest name first among those that end alike.
const UNITS: [(&str, f64); 5] = [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];

/// Reads a length of time: `10` and `10s` are ten seconds, `500ms`, `2.5s`, `5m`, `1h`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let unit = UNITS.iter().find(|(name, _)| text.ends_with(name));
    let (number, seconds) = match unit {
        Some((name, seconds)) => (&text[..text.len() - name.len()], *seconds),
        None => (text, 1.0),
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = number.parse::<f64>().ok().filter(|_| is_number);
    let Some(number) = number else {
        return Err("not a length of time such as 10, 500ms, 2.5s or 5m".to_owned());
    };
    match Duration::try_from_secs_f64(number * seconds) {
        Ok(Duration::ZERO) => Err("must be longer than nothing".to_owned()),
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err("too long: at most a year".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_a_unit_or_is_in_seconds() {
        let milliseconds = |text| parse(text).map(|duration| duration.as_millis());
        assert_eq!((milliseconds("10"), milliseconds("10s")), (Ok(10_000), Ok(10_000)));
        assert_eq!((milliseconds("500ms"), milliseconds("2.5s")), (Ok(500), Ok(2_500)));
        assert_eq!((milliseconds("5m"), milliseconds("1h")), (Ok(300_000), Ok(3_600_000)));
        for wrong in ["", "s", "-1", "0", "0ms", "1e3", "x", "1 s", "inf", "nan", "99999h", "1.2.3"] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
