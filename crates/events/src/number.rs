//! Numbers as they are typed: decimal, or hexadecimal after `0x`.

/// Reads a decimal or `0x` number; `None` if it is not one or has more than 64 bits.
pub(crate) fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => hexadecimal(digits),
        None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

/// Reads hexadecimal digits without a prefix; `None` if there are none or more than 64 bits.
pub(crate) fn hexadecimal(digits: &str) -> Option<u64> {
    // from_str_radix would take a sign.
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_and_hexadecimal() {
        assert_eq!(parse("0"), Some(0));
        assert_eq!(parse("010"), Some(10));
        assert_eq!(parse("0xfF"), Some(255));
        assert_eq!(parse("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "0x", "+1", "-1", "0x+1", "1k", "18446744073709551616", "0x10000000000000000", "１"]
        {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
