//! Counts as people read them.

use crate::number::grouped;
use crate::stat::{Ratio, Spread, StatRow};
use crate::time::time;

/// Of an event that was never counted.
pub(super) const NOT_COUNTED: &str = "not counted";

/// A count with its unit: `12,345`, `1.617 s`, `3.25 Joules`.
pub(super) fn count(row: &StatRow) -> String {
    let Some(Spread { mean, .. }) = row.count else { return NOT_COUNTED.to_owned() };
    let event = &row.event;
    match () {
        () if event.nanoseconds => time(mean.round() as u64),
        () if event.scale != 1.0 || !event.unit.is_empty() => {
            format!("{} {}", number(mean * event.scale, 2), event.unit).trim_end().to_owned()
        }
        // Below a thousand a mean is seldom a whole number, and half an event can be a large part.
        () if mean.fract() != 0.0 && mean < 1_000.0 => number(mean, 1),
        () => grouped(mean.round() as u64),
    }
}

/// How far the runs lie apart: `0.35 %` of the mean.
pub(super) fn deviation(spread: &Spread) -> String {
    spread.percent().map_or(String::new(), |percent| format!("{percent:.2} %"))
}

/// `2.75 per cycle`, `~3.10 % of branches`; what was scaled has a tilde.
pub(super) fn ratio(ratio: &Ratio) -> String {
    let tilde = if ratio.exact { "" } else { "~" };
    format!("{tilde}{} {}", ratio_value(ratio.value), ratio.unit)
}

/// As many digits as a ratio is worth: three behind the point where it is small, none where it is large.
pub(in crate::render) fn ratio_value(value: f64) -> String {
    match value.abs() {
        1_000.0.. => number(value, 0),
        100.0.. => number(value, 1),
        10.0.. => number(value, 2),
        _ => number(value, 3),
    }
}

/// A number with its digits in groups of three before the point.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    // A negative scale is nobody's; what cannot be grouped stays as it is.
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    rest.map_or(whole.clone(), |rest| format!("{whole}.{rest}"))
}

/// The share of the time in which an event was counted: `63.2 %`.
pub(super) fn share(row: &StatRow) -> String {
    format!("{:.1} %", row.sum.share_counted() * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_they_are_worth() {
        let texts = [0.0, 0.12345, 9.87654, 12.345, 123.456, 1234.5, 1234567.89, -2.5].map(ratio_value);
        assert_eq!(texts, ["0.000", "0.123", "9.877", "12.35", "123.5", "1,234", "1,234,568", "-2.500"]);
    }
}
