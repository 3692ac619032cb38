//! Descriptions as vendors write them, made fit for one line.

use crate::unprintable::is_unprintable;

/// Most characters that are kept.
const MOST: usize = 200;

/// A text on one line, at most its first 200 characters; of a longer one the first sentence, if that is not as long.
pub(super) fn brief(text: &str) -> String {
    let line = line(text);
    match line.char_indices().nth(MOST) {
        None => without_stop(&line).to_owned(),
        Some(_) => cut(first_sentence(&line)),
    }
}

/// The first sentence of a long text, at most 200 characters of it.
pub(super) fn sentence(text: &str) -> String {
    cut(first_sentence(&line(text)))
}

/// Blanks and control characters in a row become one blank.
fn line(text: &str) -> String {
    let words = text.split(|c: char| is_unprintable(c) || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Ends before the first full stop that a capital follows: the one of "e.g. this" does not end a sentence.
fn first_sentence(line: &str) -> &str {
    let mut stops = line.match_indices(". ");
    let end = stops.find(|(at, _)| line[at + 2..].starts_with(char::is_uppercase));
    without_stop(end.map_or(line, |(at, _)| &line[..at]))
}

fn without_stop(line: &str) -> &str {
    line.strip_suffix('.').unwrap_or(line)
}

fn cut(line: &str) -> String {
    const DOTS: &str = "...";
    match line.char_indices().nth(MOST) {
        None => line.to_owned(),
        Some(_) => line.chars().take(MOST - DOTS.len()).chain(DOTS.chars()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_one_line() {
        assert_eq!(brief(" Loads\u{1b}[31m,\n\t all of them. Twice. "), "Loads [31m, all of them. Twice");
        assert_eq!(sentence("Loads, e.g. of words. Stores are not counted."), "Loads, e.g. of words");
        assert_eq!((brief(""), sentence(" \n")), (String::new(), String::new()));
    }

    #[test]
    fn long_texts_are_cut() {
        let long = format!("Short. Then {}", "é".repeat(300));
        assert_eq!(brief(&long), "Short");
        let long = "é".repeat(300);
        assert_eq!((brief(&long).chars().count(), sentence(&long).chars().count()), (200, 200));
        assert_eq!(brief(&"é".repeat(200)).chars().count(), 200);
    }
}
