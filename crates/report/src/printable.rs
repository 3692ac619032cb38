//! Text from a recording made fit for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// Makes visible what a terminal would act on or hide: control characters, line separators, and the characters that turn
/// the direction of writing or have no shape of their own, but for those that join letters in some scripts. Names and
/// arguments in a recording are whatever some process chose.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if !is_unprintable(character) {
            visible.push(character);
        } else if u32::from(character) < 0x100 {
            // SANITY: writing to a String does not fail.
            write!(visible, "\\x{:02x}", u32::from(character)).unwrap();
        } else {
            write!(visible, "\\u{{{:x}}}", u32::from(character)).unwrap();
        }
    }
    Cow::Owned(visible)
}

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        let text = "ns::Accum<double>::add(double const&, int) Größe 漢字";
        assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
    }

    #[test]
    fn what_a_terminal_would_act_on_becomes_visible() {
        assert_eq!(printable("a\x1b[31mb\tc\n\x7f\u{9b}"), r"a\x1b[31mb\x09c\x0a\x7f\x9b");
        assert_eq!(printable("\u{202e}gpj.exe\u{2066}\u{2028}"), r"\u{202e}gpj.exe\u{2066}\u{2028}");
        assert_eq!(printable("a\u{feff}\u{200b}\u{200e}b\u{e0041}"), r"a\u{feff}\u{200b}\u{200e}b\u{e0041}");
    }

    #[test]
    fn no_control_character_is_left_in_any_text() {
        let all: String = (0..0x11_0000).filter_map(char::from_u32).collect();
        assert!(!printable(&all).chars().any(is_unprintable));
    }
}
