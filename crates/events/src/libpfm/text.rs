//! Text from the library, which ends up on terminals.

use crate::unprintable::is_unprintable;

/// The longest string that is taken over, in bytes; the longest of libpfm 4.13 has 1097.
pub(super) const LENGTH: usize = 4096;

/// Text of one line without control characters; what is not UTF-8 becomes U+FFFD.
pub(super) fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let clean = text.chars().map(|c| match c {
        _ if c.is_whitespace() => ' ',
        _ if is_unprintable(c) => '?',
        _ => c,
    });
    clean.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_one_line_without_control_characters() {
        assert_eq!(printable(b" a\tb\nc\x1b[2J \xff\xc3\xa9 "), "a b c?[2J \u{fffd}é");
        assert_eq!(printable(b""), "");
    }
}
