//! The words of a filter.

use super::FilterError;

/// A word, and the character at which it begins, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) position: usize,
    pub(super) kind: Kind,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key, a value, or one of and, or, not.
    Text(String),
    /// A value in quotes.
    Quoted(String),
    /// One of `= != ~ !~ < >`.
    Operator(&'static str),
    Open,
    Close,
    Comma,
}

/// How long a filter may be, in bytes.
const LONGEST: usize = 64 << 10;

/// Parts a text into words.
pub(super) fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    if text.len() > LONGEST {
        return Err(FilterError { position: 1, what: "the filter is longer than 64 KiB".to_owned() });
    }
    let characters: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let position = at + 1;
        let next = characters.get(at + 1);
        let kind = match (character, next) {
            (character, _) if character.is_whitespace() => {
                at += 1;
                continue;
            }
            ('!', Some('=')) => Kind::Operator("!="),
            ('!', Some('~')) => Kind::Operator("!~"),
            ('=', Some('=')) => Kind::Operator("=="),
            ('=', _) => Kind::Operator("="),
            ('~', _) => Kind::Operator("~"),
            ('<', _) => Kind::Operator("<"),
            ('>', _) => Kind::Operator(">"),
            ('(', _) => Kind::Open,
            (')', _) => Kind::Close,
            (',', _) => Kind::Comma,
            ('"' | '\'', _) => {
                let rest = &characters[at + 1..];
                let Some(length) = rest.iter().position(|other| *other == character) else {
                    return Err(FilterError { position, what: format!("{character} is not closed") });
                };
                at += length + 2;
                words.push(Word { position, kind: Kind::Quoted(rest[..length].iter().collect()) });
                continue;
            }
            _ => {
                let is_end = |character: &char| {
                    character.is_whitespace()
                        || matches!(character, '=' | '~' | '<' | '>' | '(' | ')' | ',' | '"' | '\'')
                };
                let rest = &characters[at..];
                // A ! alone belongs to a word; before = or ~ it is an operator.
                let ends = |offset: usize| {
                    is_end(&rest[offset])
                        || rest[offset] == '!' && matches!(rest.get(offset + 1), Some('=' | '~'))
                };
                let length = (1..rest.len()).find(|offset| ends(*offset)).unwrap_or(rest.len());
                at += length;
                words.push(Word { position, kind: Kind::Text(rest[..length].iter().collect()) });
                continue;
            }
        };
        at += if let Kind::Operator(operator) = &kind { operator.len() } else { 1 };
        let kind = if kind == Kind::Operator("==") { Kind::Operator("=") } else { kind };
        words.push(Word { position, kind });
    }
    Ok(words)
}
