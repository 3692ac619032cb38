//! Paragraphs: text broken into the lines of a terminal.

/// Breaks a text at blanks so that it fits, further lines indented; where no width is known it stays one line. A number
/// and its unit stay together, and a word that is longer than a line is not broken.
pub(crate) fn wrapped(text: &str, indent: usize, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let own_indent = text.len() - text.trim_start().len();
    let mut lines = Vec::new();
    let mut line = " ".repeat(own_indent);
    let mut is_empty = true;
    for piece in pieces(text) {
        if !is_empty && length(&line) + 1 + length(&piece) > width {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&piece);
        is_empty = false;
    }
    lines.push(line);
    lines
}

/// What is not to be broken: words, and numbers with their units.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let unit = word.trim_end_matches([';', ',', '.', ')']);
        let is_unit = matches!(unit, "%" | "s" | "ms" | "\u{b5}s" | "ns" | "KB" | "MB" | "GB");
        match pieces.last_mut() {
            Some(number) if is_unit && number.ends_with(|last: char| last.is_ascii_digit()) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
    }
    pieces
}

/// How many columns a text takes.
pub(crate) fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "oprof: coverage: 7,284 samples stand for 98.1 % of cpu-clock's exact total (7.450 s); 459 processes";

    #[test]
    fn numbers_are_not_broken_and_stay_with_their_units() {
        for width in 20..100 {
            let lines = wrapped(LINE, 2, Some(width));
            assert!(lines.iter().all(|line| length(line) <= width), "{width}: {lines:#?}");
            assert!(lines[1..].iter().all(|line| line.starts_with("  ")), "{width}: {lines:#?}");
            for whole in ["7,284", "98.1 %", "(7.450 s);"] {
                assert_eq!(
                    lines.iter().filter(|line| line.contains(whole)).count(),
                    1,
                    "{width}: {lines:#?}"
                );
            }
        }
    }

    #[test]
    fn in_a_pipe_a_paragraph_is_one_line() {
        assert_eq!(wrapped(LINE, 2, None), [LINE]);
    }

    #[test]
    fn a_word_longer_than_the_line_stands_alone() {
        assert_eq!(wrapped("in /a/long/path here", 1, Some(6)), ["in", " /a/long/path", " here"]);
    }
}
