//! Quantities of a comparison as people read them.

use crate::diff::{Diff, DiffChange, Normalise};

/// In which unit a column of quantities is written, and with how many decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    scale: f64,
    decimals: usize,
    /// The unit's name; empty for events themselves.
    pub(super) name: &'static str,
}

/// Larger changes have no decimals in percent.
const LARGE_PERCENT: f64 = 1000.0;

/// Growth beyond this says nothing by its digits.
const LARGEST_PERCENT: f64 = 99_999.0;

impl Unit {
    /// The unit for the rows of a comparison of which this is the largest quantity.
    pub(super) fn of_rows(diff: &Diff, largest: f64) -> Unit {
        match diff.is_of_shares() {
            true => Unit { scale: 100.0, decimals: 2, name: "%" },
            false => Unit::of(diff.event.nanoseconds, largest),
        }
    }

    /// The unit for events, or nanoseconds, of which this is the largest number.
    pub(super) fn of(nanoseconds: bool, largest: f64) -> Unit {
        let (size, name) = match (nanoseconds, largest) {
            (true, 1e9..) => (1e9, "s"),
            (true, 1e6..) => (1e6, "ms"),
            (true, _) => (1e3, "us"),
            (false, 1e10..) => (1e9, "G"),
            (false, 1e7..) => (1e6, "M"),
            (false, 1e4..) => (1e3, "k"),
            (false, _) => (1.0, ""),
        };
        let decimals = match largest / size {
            1000.0.. => 1,
            100.0.. => 2,
            _ => 3,
        };
        Unit { scale: 1.0 / size, decimals, name }
    }

    /// A quantity, without the unit.
    pub(super) fn write(self, quantity: f64) -> String {
        without_minus_zero(format!("{:.*}", self.decimals, quantity * self.scale))
    }

    /// A quantity with its unit.
    pub(super) fn with_name(self, quantity: f64) -> String {
        match self.name {
            "" => self.write(quantity),
            name => format!("{} {name}", self.write(quantity)),
        }
    }

    /// A change, with its sign.
    pub(super) fn write_change(self, change: f64) -> String {
        signed(self.write(change))
    }
}

fn signed(text: String) -> String {
    if text.starts_with('-') { text } else { format!("+{text}") }
}

fn without_minus_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// A relative change in percent: `+49.5 %`; `new` and `gone` where one side has nothing.
pub(super) fn growth(change: &DiffChange) -> String {
    match change.relative() {
        None if change.after > 0.0 => "new".to_owned(),
        None => "-".to_owned(),
        Some(_) if change.after == 0.0 => "gone".to_owned(),
        Some(relative) => percent(relative),
    }
}

/// A relative change in percent, with its sign.
pub(super) fn percent(relative: f64) -> String {
    let percent = relative * 100.0;
    match percent.abs() {
        LARGEST_PERCENT.. => ">99999 %".to_owned(),
        LARGE_PERCENT.. => signed(format!("{percent:.0} %")),
        _ => signed(without_minus_zero(format!("{percent:.1}")) + " %"),
    }
}

/// A chance, as exactly as it is of use: `<1e-15`, `3e-7`, `0.003`, `0.03`.
pub(super) fn chance(chance: f64) -> String {
    match chance {
        ..1e-15 => "<1e-15".to_owned(),
        ..9.5e-4 => format!("{chance:.0e}"),
        ..9.5e-3 => format!("{chance:.3}"),
        _ => format!("{chance:.2}"),
    }
}

/// What the rows' quantities are, in words.
pub(super) fn words(diff: &Diff, unit: Unit) -> String {
    let what = match (diff.event.nanoseconds, unit.name) {
        (true, name) => format!("in {name}"),
        (false, "") => "in events".to_owned(),
        (false, "k") => "in thousand events".to_owned(),
        (false, "M") => "in million events".to_owned(),
        (false, _) => "in thousand million events".to_owned(),
    };
    match diff.settings.normalise {
        Normalise::Total => "in % of each side's total".to_owned(),
        Normalise::Run => format!("{what} a run"),
        Normalise::Time => format!("{what} each second"),
    }
}

/// After a quantity of the total: of each what it is.
pub(super) fn each(diff: &Diff) -> &'static str {
    if diff.settings.normalise == Normalise::Time { "a second" } else { "a run" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_written_as_exactly_as_they_are_of_use() {
        let texts = [0.0, 9e-16, 3.4e-7, 9.4e-4, 9.6e-4, 0.0034, 0.03, 0.349, 1.0].map(chance);
        assert_eq!(texts, ["<1e-15", "<1e-15", "3e-7", "9e-4", "0.001", "0.003", "0.03", "0.35", "1.00"]);
    }

    #[test]
    fn changes_have_their_sign() {
        let unit = Unit { scale: 100.0, decimals: 2, name: "%" };
        assert_eq!(
            [0.165, -0.001, 0.0, -0.00001].map(|change| unit.write_change(change)),
            ["+16.50", "-0.10", "+0.00", "+0.00"]
        );
        assert_eq!([0.495, -0.5, 12.0, 5e9].map(percent), ["+49.5 %", "-50.0 %", "+1200 %", ">99999 %"]);
    }

    #[test]
    fn units_fit_the_largest_quantity() {
        let texts =
            [(true, 2.5e9), (true, 3e6), (true, 12.0), (false, 5e10), (false, 123456.0), (false, 7.0)]
                .map(|(nanoseconds, largest)| Unit::of(nanoseconds, largest).with_name(largest));
        assert_eq!(texts, ["2.500 s", "3.000 ms", "0.012 us", "50.000 G", "123.46 k", "7.000"]);
    }
}
