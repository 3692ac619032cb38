//! Elements of XML as OProfile lays them out.

use std::fmt::Write;

use crate::printable::printable;

/// A start tag: OProfile leaves two blanks before its first attribute.
pub(super) struct Tag {
    text: String,
    is_bare: bool,
}

impl Tag {
    pub(super) fn new(name: &str) -> Tag {
        Tag { text: format!("<{name} "), is_bare: true }
    }

    /// Adds an attribute.
    pub(super) fn with(mut self, name: &str, value: impl AsRef<str>) -> Tag {
        // SANITY: writing to a String does not fail.
        write!(self.text, " {name}=\"{}\"", escaped(value.as_ref())).unwrap();
        self.is_bare = false;
        self
    }

    /// Adds an attribute that stands further away.
    pub(super) fn with_gap(mut self, name: &str, value: impl AsRef<str>) -> Tag {
        self.text.push(' ');
        self.with(name, value)
    }

    /// Adds an attribute where there is a value.
    pub(super) fn with_some(self, name: &str, value: Option<impl AsRef<str>>) -> Tag {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The tag of an element that has content.
    pub(super) fn open(self) -> String {
        if self.is_bare { format!("{}>\n", self.text.trim_end()) } else { self.text + ">\n" }
    }

    /// The tag of an element without content.
    pub(super) fn empty(self) -> String {
        self.text + "/>\n"
    }
}

/// Text fit for an attribute or content: what XML 1.0 has no characters for is shown as reports show it.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // No characters of XML (section 2.2).
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_what_they_stand_in() {
        assert_eq!(escaped("a<b>\"&\u{1}\n"), "a&lt;b&gt;&quot;&amp;\\x01\\x0a");
        let tag = Tag::new("symbol").with("name", "operator\"\"<>").open();
        assert_eq!(tag, "<symbol  name=\"operator&quot;&quot;&lt;&gt;\">\n");
        assert_eq!(Tag::new("options").empty(), "<options />\n");
    }
}
