//! OProfile's way to write a percentage.

/// Writes `part` of `whole` in percent as OProfile does: right-aligned in seven places, four decimals, with an
/// exponent where these would not show it, and a place less at 100 so that the width stays.
pub fn percent(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return format!("{:>7}", 0);
    }
    format_percent(part as f64 * 100.0 / whole as f64)
}

/// Writes a change in percent as OProfile does: as a percentage, with a sign, and with all its digits at 100.
pub(crate) fn signed_percent(value: f64) -> String {
    let unsigned = format_percent(value.abs());
    let sign = if value < 0.0 { "-" } else { "+" };
    match (value == 0.0, value.abs() > 0.001 && value.is_finite()) {
        (true, _) => unsigned,
        (_, true) => format!("{value:+7.4}"),
        _ => format!("{:>7}", format!("{sign}{}", unsigned.trim_start())),
    }
}

/// Writes a percentage as [`percent`] does.
fn format_percent(value: f64) -> String {
    if value == 0.0 {
        return format!("{:>7}", 0);
    }
    if !value.is_finite() {
        return format!("{:>7}", value.to_string().to_ascii_lowercase());
    }
    if value.abs() > 0.001 {
        let mut text = format!("{value:7.4}");
        if text.starts_with("100.") {
            text.pop();
        }
        return text;
    }
    // C writes at least two digits of an exponent, Rust as many as it has.
    let text = format!("{value:.1e}");
    match text.split_once("e-") {
        Some((digits, exponent)) => format!("{:>7}", format!("{digits}e-{exponent:0>2}")),
        None => format!("{text:>7}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What OProfile itself wrote for these values.
    const VALUES: &[(f64, &str)] = &[
        (0.0, "      0"),
        (1e-10, "1.0e-10"),
        (1e-5, "1.0e-05"),
        (4.4e-5, "4.4e-05"),
        (9.94e-5, "9.9e-05"),
        (9.95e-5, "1.0e-04"),
        (1e-4, "1.0e-04"),
        (0.00055, "5.5e-04"),
        (0.00094, "9.4e-04"),
        (0.00095, "9.5e-04"),
        (0.00099, "9.9e-04"),
        (0.000999, "1.0e-03"),
        (0.0009999999, "1.0e-03"),
        (0.001, "1.0e-03"),
        (0.0010000001, " 0.0010"),
        (0.0011, " 0.0011"),
        (0.00149, " 0.0015"),
        (0.0015, " 0.0015"),
        (0.01, " 0.0100"),
        (0.1, " 0.1000"),
        (0.12345, " 0.1235"),
        (0.99995, " 1.0000"),
        (1.0, " 1.0000"),
        (9.9999, " 9.9999"),
        (9.99994, " 9.9999"),
        (9.99995, "10.0000"),
        (9.99996, "10.0000"),
        (10.0, "10.0000"),
        (12.34565, "12.3456"),
        (50.0, "50.0000"),
        (99.9999, "99.9999"),
        (99.99994, "99.9999"),
        (99.99995, "99.9999"),
        (99.99999, "100.000"),
        (100.0, "100.000"),
        (100.00004, "100.000"),
        (100.0001, "100.000"),
        (101.0, "101.0000"),
        (150.0, "150.0000"),
        (999.99995, "1000.0000"),
        (1000.0, "1000.0000"),
        (12345.678, "12345.6780"),
        (1e7, "10000000.0000"),
        (-1e-5, "-1.0e-05"),
        (-0.0005, "-5.0e-04"),
        (-0.001, "-1.0e-03"),
        (-0.00101, "-0.0010"),
        (-0.5, "-0.5000"),
        (-9.99995, "-10.0000"),
        (-22.5, "-22.5000"),
        (-99.99996, "-100.0000"),
        (-100.0, "-100.0000"),
        (-123.4567, "-123.4567"),
        (f64::INFINITY, "    inf"),
        (f64::NEG_INFINITY, "   -inf"),
        (f64::NAN, "    nan"),
    ];

    /// The same, for parts of a whole.
    const SHARES: &[(u64, u64, &str)] = &[
        (0, 1, "      0"),
        (1, 1, "100.000"),
        (0, 0, "      0"),
        (1, 3, "33.3333"),
        (2, 3, "66.6667"),
        (1, 7, "14.2857"),
        (2, 7, "28.5714"),
        (3, 7, "42.8571"),
        (1, 46239, " 0.0022"),
        (2, 46239, " 0.0043"),
        (3, 46239, " 0.0065"),
        (7, 46239, " 0.0151"),
        (99, 46239, " 0.2141"),
        (1000, 46239, " 2.1627"),
        (46239, 46239, "100.000"),
        (1, 133275, "7.5e-04"),
        (2, 133275, " 0.0015"),
        (3, 133275, " 0.0023"),
        (7, 133275, " 0.0053"),
        (99, 133275, " 0.0743"),
        (1000, 133275, " 0.7503"),
        (46239, 133275, "34.6944"),
        (1, 100000000, "1.0e-06"),
        (3, 100000000, "3.0e-06"),
        (7, 100000000, "7.0e-06"),
        (99, 100000000, "9.9e-05"),
        (1000, 100000000, "1.0e-03"),
        (46239, 100000000, " 0.0462"),
        (133275, 100000000, " 0.1333"),
    ];

    /// What OProfile itself wrote for changes.
    const CHANGES: &[(f64, &str)] = &[
        (0.0, "      0"),
        (1e-10, "+1.0e-10"),
        (1e-5, "+1.0e-05"),
        (4.4e-5, "+4.4e-05"),
        (9.94e-5, "+9.9e-05"),
        (9.95e-5, "+1.0e-04"),
        (1e-4, "+1.0e-04"),
        (0.00055, "+5.5e-04"),
        (0.00094, "+9.4e-04"),
        (0.00095, "+9.5e-04"),
        (0.00099, "+9.9e-04"),
        (0.000999, "+1.0e-03"),
        (0.0009999999, "+1.0e-03"),
        (0.001, "+1.0e-03"),
        (0.0010000001, "+0.0010"),
        (0.0011, "+0.0011"),
        (0.00149, "+0.0015"),
        (0.0015, "+0.0015"),
        (0.01, "+0.0100"),
        (0.1, "+0.1000"),
        (0.12345, "+0.1235"),
        (0.99995, "+1.0000"),
        (1.0, "+1.0000"),
        (9.9999, "+9.9999"),
        (9.99994, "+9.9999"),
        (9.99995, "+10.0000"),
        (9.99996, "+10.0000"),
        (10.0, "+10.0000"),
        (12.34565, "+12.3456"),
        (50.0, "+50.0000"),
        (99.9999, "+99.9999"),
        (99.99994, "+99.9999"),
        (99.99995, "+99.9999"),
        (99.99999, "+100.0000"),
        (100.0, "+100.0000"),
        (100.00004, "+100.0000"),
        (100.0001, "+100.0001"),
        (101.0, "+101.0000"),
        (150.0, "+150.0000"),
        (999.99995, "+1000.0000"),
        (1000.0, "+1000.0000"),
        (12345.678, "+12345.6780"),
        (1e7, "+10000000.0000"),
        (-1e-5, "-1.0e-05"),
        (-0.0005, "-5.0e-04"),
        (-0.001, "-1.0e-03"),
        (-0.00101, "-0.0010"),
        (-0.5, "-0.5000"),
        (-9.99995, "-10.0000"),
        (-22.5, "-22.5000"),
        (-99.99996, "-100.0000"),
        (-100.0, "-100.0000"),
        (-123.4567, "-123.4567"),
        (f64::INFINITY, "   +inf"),
        (f64::NEG_INFINITY, "   -inf"),
        (f64::NAN, "   +nan"),
    ];

    #[test]
    fn changes_are_written_as_oprofile_writes_them() {
        for &(value, text) in CHANGES {
            assert_eq!(signed_percent(value), text, "of {value}");
        }
    }

    #[test]
    fn values_are_written_as_oprofile_writes_them() {
        for &(value, text) in VALUES {
            assert_eq!(format_percent(value), text, "of {value}");
        }
    }

    #[test]
    fn shares_are_written_as_oprofile_writes_them() {
        for &(part, whole, text) in SHARES {
            assert_eq!(percent(part, whole), text, "of {part}/{whole}");
        }
    }
}
