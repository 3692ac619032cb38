//! Names made fit for forms in which some characters mean something.

use crate::printable::printable;

/// A field of CSV (RFC 4180): in quotes where it has to be.
pub(crate) fn csv_field(field: &str) -> String {
    let field = printable(field);
    match field.contains(['"', ',']) || field.starts_with(' ') || field.ends_with(' ') {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.into_owned(),
    }
}

/// Text in a table of Markdown that stands for itself: nothing in it is markup.
pub(crate) fn markdown_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            character => escaped.push(character),
        }
    }
    escaped
}
