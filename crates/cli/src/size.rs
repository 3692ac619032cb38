//! Sizes in bytes, as they are typed and as they are shown.

use std::num::IntErrorKind;

/// What is wrong with a size that was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSize {
    /// It is no size.
    Malformed,
    /// It is more than 64 bits hold.
    TooLarge,
}

/// Reads a size: `65536`, `512K`, `4M`.
pub(crate) fn parse(text: &str) -> Result<u64, NoSize> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let shift = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err(NoSize::Malformed),
    };
    let number: u64 = digits.parse().map_err(|error: std::num::ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => NoSize::TooLarge,
        _ => NoSize::Malformed,
    })?;
    number.checked_mul(1 << shift).ok_or(NoSize::TooLarge)
}

/// A size with its unit: `12 KB`, `1.5 MB`.
pub(crate) fn shown(bytes: u64) -> String {
    const MEGABYTE: u64 = 1 << 20;
    const GIGABYTE: u64 = 1 << 30;
    match bytes {
        0..MEGABYTE => format!("{} KB", bytes.div_ceil(1 << 10)),
        MEGABYTE..GIGABYTE => format!("{:.1} MB", bytes as f64 / MEGABYTE as f64),
        GIGABYTE.. => format!("{:.1} GB", bytes as f64 / GIGABYTE as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse("0"), Ok(0));
        assert_eq!(parse("65536"), Ok(65536));
        assert_eq!(parse("512K"), Ok(512 << 10));
        assert_eq!(parse("4m"), Ok(4 << 20));
        assert_eq!(parse("2GiB"), Ok(2 << 30));
        for wrong in ["", "K", "-1", "4X", "1.5M", "4TT"] {
            assert_eq!(parse(wrong), Err(NoSize::Malformed), "{wrong}");
        }
        for wrong in ["99999999999999999999M", "99999999T"] {
            assert_eq!(parse(wrong), Err(NoSize::TooLarge), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_shown_with_units() {
        let sizes = [0, 1, 5000, 1 << 20, 3 << 19, 256 << 20, 5 << 30].map(shown);
        assert_eq!(sizes, ["0 KB", "1 KB", "5 KB", "1.0 MB", "1.5 MB", "256.0 MB", "5.0 GB"]);
    }
}
