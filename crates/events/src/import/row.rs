//! The values of one event, and what they have to be.

use crate::error::shortened;
use crate::number;
use crate::table::RowError;

/// A value of JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number that is whole and not below 0.
    Number(u64),
    /// Another one.
    OtherNumber,
    /// A text.
    Text(String),
    /// A list: the texts in it.
    List(Vec<String>),
    /// An object: what is known in it.
    Object(Row),
}

impl Value {
    /// The text, if it is one.
    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for a message.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Values by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    values: Vec<(&'static str, Value)>,
}

impl Row {
    /// Gives a key its value, instead of any that it had.
    pub(super) fn set(&mut self, key: &'static str, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.values.push((key, value)),
        }
    }

    /// All of them.
    pub(super) fn into_values(self) -> impl Iterator<Item = (&'static str, Value)> {
        self.values.into_iter()
    }

    /// The value of a key; `null` is none.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        let found = self.values.iter().find(|(known, _)| *known == key);
        found.map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    /// One of these keys has a value.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.get(key).is_some())
    }

    /// A text without the blanks around it; `None` if it is missing or empty.
    pub(super) fn text(&self, key: &'static str) -> Result<Option<&str>, RowError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(other) => Err((key, format!("{} instead of a text", other.kind()))),
        }
    }

    /// A number, which may be written as a text, decimal or hexadecimal after `0x`; `None` if it is missing or empty.
    pub(super) fn number(&self, key: &'static str) -> Result<Option<u64>, RowError> {
        self.number_of(key, |text| text)
    }

    /// The first of the numbers that commas part in a text.
    pub(super) fn first_number(&self, key: &'static str) -> Result<Option<u64>, RowError> {
        self.number_of(key, |text| text.split(',').next().unwrap_or_default().trim())
    }

    fn number_of(&self, key: &'static str, part: impl Fn(&str) -> &str) -> Result<Option<u64>, RowError> {
        let wanted = "a number such as 12 or 0xc is wanted";
        match self.get(key) {
            None => Ok(None),
            Some(&Value::Number(number)) => Ok(Some(number)),
            Some(Value::Text(text)) => match part(text.trim()) {
                "" => Ok(None),
                text => match number::parse(text) {
                    Some(number) => Ok(Some(number)),
                    None => Err((key, format!("{:?}: {wanted}", shortened(text)))),
                },
            },
            Some(Value::OtherNumber) => Err((key, format!("too large, broken or below 0: {wanted}"))),
            Some(other) => Err((key, format!("{}: {wanted}", other.kind()))),
        }
    }

    /// A flag: 0 or 1, as number or text, or `true` or `false`; missing means `false`.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, RowError> {
        if let Some(&Value::Flag(flag)) = self.get(key) {
            return Ok(flag);
        }
        match self.number(key)? {
            None | Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(other) => Err((key, format!("{other} instead of 0 or 1"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_have_to_be_or_named() {
        let mut row = Row::default();
        row.set("code", Value::Text(" 0xB7, 0xBB ".to_owned()));
        row.set("name", Value::Number(5));
        row.set("title", Value::Null);
        assert_eq!(row.first_number("code"), Ok(Some(0xb7)));
        assert!(row.number("code").unwrap_err().1.contains("0xB7, 0xBB"));
        assert_eq!(row.text("name"), Err(("name", "a number instead of a text".to_owned())));
        assert_eq!(
            (row.text("title"), row.number("title"), row.flag("title")),
            (Ok(None), Ok(None), Ok(false))
        );
        assert_eq!(row.flag("name"), Err(("name", "5 instead of 0 or 1".to_owned())));
        row.set("name", Value::Flag(true));
        assert_eq!((row.flag("name"), row.has_any(&["title"])), (Ok(true), false));
    }
}
