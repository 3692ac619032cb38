//! A file of JSON, with no more of it kept than is of use.
//!
//! A tree of all values would be many times as large as the file, so that the values pass by once and those under
//! unknown keys are dropped at once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::row::{Row, Value};
use crate::table::{MOST_EVENTS, TableError};
use crate::unprintable::is_unprintable;

/// What is read of a file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// What stands beside the events: the values of [`TOP_KEYS`].
    pub(super) top: Row,
    /// How the events are laid out; `None` if there are none.
    pub(super) form: Option<Form>,
    /// The events as far as they are at most [`MOST_EVENTS`].
    pub(super) events: Vec<Value>,
    /// How many events are beyond those.
    pub(super) events_left: usize,
}

/// How the events are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Intel perfmon with its header.
    Perfmon,
    /// The same rows without a header.
    Rows,
    /// Arm.
    Arm,
}

/// Keys beside the events, and those of the two objects there that say more.
const TOP_KEYS: &[&str] =
    &["Info", "Version", "cpu", "architecture", "pmu_architecture", "counters", "product_name"];

/// Keys of an event, in any form.
const EVENT_KEYS: &[&str] = &[
    "EventName",
    "EventCode",
    "UMask",
    "UMaskExt",
    "CounterMask",
    "Invert",
    "EdgeDetect",
    "AnyThread",
    "Equal",
    "MSRIndex",
    "MSRValue",
    "Counter",
    "CounterHTOff",
    "SampleAfterValue",
    "PEBS",
    "Data_LA",
    "TakenAlone",
    "Deprecated",
    "BriefDescription",
    "PublicDescription",
    "ConfigCode",
    "ArchStdEvent",
    "Unit",
    "MetricName",
    "MetricExpr",
    "CountersNumGeneric",
    NAME,
    "code",
    "title",
    "description",
    "accesses",
];

/// The key of an event's name in Arm's forms; in one of them the name is the key of the event itself.
const NAME: &str = "name";

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TableError`] with the line for what is not JSON.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, TableError> {
        let mut document = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let read = json.deserialize_any(&mut document).and_then(|()| json.end());
        match read {
            Ok(()) => Ok(document),
            Err(error) => Err(not_json(file, &error)),
        }
    }

    fn keep(&mut self, event: Value) {
        match self.events.len() < MOST_EVENTS {
            true => self.events.push(event),
            false => self.events_left += 1,
        }
    }
}

/// The place moves from the end of serde_json's message to where places of rows are.
fn not_json(file: &str, error: &serde_json::Error) -> TableError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let what: String = what.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    TableError::of_row(file, line, ("", format!("not JSON: {what} (at character {column} of the line)")))
}

impl<'de> Visitor<'de> for &mut Document {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, events: A) -> Result<(), A::Error> {
        self.form = Some(Form::Rows);
        Events(self).visit_seq(events)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "Events" => {
                    self.form = Some(Form::Perfmon);
                    map.next_value_seed(Events(self))?;
                }
                "events" => {
                    self.form = self.form.or(Some(Form::Arm));
                    map.next_value_seed(Events(self))?;
                }
                "Header" | "product_configuration" => {
                    if let Value::Object(row) = map.next_value_seed(Seed(TOP_KEYS))? {
                        row.into_values().for_each(|(key, value)| self.top.set(key, value));
                    }
                }
                _ => match known(TOP_KEYS, &key) {
                    Some(key) => self.top.set(key, map.next_value_seed(Seed(&[]))?),
                    None => _ = map.next_value::<IgnoredAny>()?,
                },
            }
        }
        Ok(())
    }
}

/// The events, as a list or by name.
struct Events<'d>(&'d mut Document);

impl<'de> DeserializeSeed<'de> for Events<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Events<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the events: a list, or an object with one for each name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while self.0.events_left == 0
            && let Some(event) = events.next_element_seed(Seed(EVENT_KEYS))?
        {
            self.0.keep(event);
        }
        while events.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut events: A) -> Result<(), A::Error> {
        while let Some(name) = events.next_key::<String>()? {
            let mut event = events.next_value_seed(Seed(EVENT_KEYS))?;
            if let Value::Object(row) = &mut event {
                row.set(NAME, Value::Text(name));
            }
            self.0.keep(event);
        }
        Ok(())
    }
}

/// Reads a value; of an object what is under these keys.
struct Seed(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        // Few of them, so that a long list is not kept.
        const MOST: usize = 16;
        let mut texts = Vec::new();
        while texts.len() < MOST
            && let Some(item) = list.next_element_seed(Seed(&[]))?
        {
            texts.extend(item.into_text());
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::List(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<String>()? {
            match known(self.0, &key) {
                Some(key) => row.set(key, map.next_value_seed(Seed(&[]))?),
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Value::Object(row))
    }
}

/// The key in the list that is the same.
fn known(keys: &[&'static str], key: &str) -> Option<&'static str> {
    keys.iter().find(|known| **known == key).copied()
}
