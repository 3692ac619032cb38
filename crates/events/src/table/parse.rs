//! Reads a table in the project's own form.
//!
//! Lines that begin with `#` are the header: `#oprof-events 1` first, then any of `#cpu NAME`, `#family NAME`,
//! `#source TEXT`, `#pmu NAME`, `#counters N`, `#default EVENT [MASK]`, `#include CPU`, `#field NAME=FIELD:FIRST-LAST`; other such
//! lines are comments. Each other line is an event, in columns that are parted by tabs; those at the end can be left
//! out: name, terms, counters (`0-3,5`, `fixed1`; empty for any), counts (`DEFAULT/MINIMUM`, either can be left out),
//! unit masks, flags, description. Flags: `1` can be precise, `2` has to be, `d` deprecated, `l` tells data addresses,
//! `t` taken alone, `x` not countable by the kernel.
//!
//! An included table's events come before the table's own, but for those whose name the table has itself.

use std::collections::{HashMap, HashSet};

use super::{
    BuiltInTable, Counters, DefaultEvent, EventTable, Family, FamilyFields, FieldAlias, TableEvent, UnitMasks,
};
use crate::config::{DEFAULT_COUNT, min_count};
use crate::error::shortened_to;
use crate::number;
use crate::term::Term;
use crate::unprintable::is_unprintable;

/// First line of a table in the project's own form.
pub(crate) const FIRST_LINE: &str = "#oprof-events 1";
/// Most events of one table.
pub(crate) const MOST_EVENTS: usize = 100_000;
/// Longest line, in bytes. The longest of the built-in tables has some hundred.
const LONGEST_LINE: usize = 16 * 1024;
/// Longest reason of an error, in characters.
const LONGEST_REASON: usize = 400;
/// How deep includes may stand in one another.
const DEEPEST_INCLUDE: usize = 4;
/// Most includes of one table, and most fields.
const MOST_HEADERS: usize = 64;
/// Most terms of one event.
const MOST_TERMS: usize = 64;

/// What is wrong with a table, and where. The message is one line without control characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event table {file:?}{}: {reason}", place(*.row, .column))]
#[non_exhaustive]
pub struct TableError {
    /// The file, as it was given.
    pub file: String,
    /// The row, from 1; in JSON the event's number; 0 where the whole file is meant.
    pub row: usize,
    /// The column or key; empty where the whole row is meant.
    pub column: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

/// `, row 3, column "counters"`.
fn place(row: usize, column: &str) -> String {
    let row = if row == 0 { String::new() } else { format!(", row {row}") };
    if column.is_empty() { row } else { format!("{row}, column {column:?}") }
}

/// What is wrong with a row: the column and the reason.
pub(crate) type RowError = (&'static str, String);

impl TableError {
    /// What is wrong with the whole file.
    pub(crate) fn of_file(file: &str, reason: impl Into<String>) -> Self {
        Self::of_row(file, 0, ("", reason.into()))
    }

    /// What is wrong with a row, from 1. A reason that quotes a long text is cut, since it has to stay one that is read.
    pub(crate) fn of_row(file: &str, row: usize, (column, reason): RowError) -> Self {
        let (file, column) = (file.to_owned(), column.to_owned());
        Self { file, row, column, reason: shortened_to(LONGEST_REASON, &reason) }
    }
}

impl EventTable {
    /// Reads a table in the project's own form; `file` is for messages and stands for the name where there is none.
    ///
    /// # Errors
    /// [`TableError`] with row and column.
    pub fn parse(file: &str, text: &str) -> Result<Self, TableError> {
        Self::parse_within(file, text, 0).map(|(table, _)| table)
    }

    /// Reads a table that is not known to be sound: as [`parse`](Self::parse), and its events have to fit the fields of
    /// the family and to have a name each.
    ///
    /// # Errors
    /// [`TableError`] with row and column.
    pub(crate) fn parse_checked(file: &str, text: &str) -> Result<Self, TableError> {
        let (table, rows) = Self::parse_within(file, text, 0)?;
        let fields = FamilyFields::of(table.family, &table.fields);
        let mut seen = HashMap::new();
        let own = table.events.len() - rows.len();
        for (event, row) in table.events[own..].iter().zip(rows) {
            let wrong = |error| TableError::of_row(file, row, error);
            if let Some(first) = seen.insert(event.name.to_ascii_lowercase(), row) {
                let reason =
                    format!("{:?} is the name of row {first} already; rename one of the two", event.name);
                return Err(wrong(("name", reason)));
            }
            if let Some(fields) = &fields {
                fields.check_row(event).map_err(wrong)?;
            }
        }
        Ok(table)
    }

    /// The table, and the rows in which its own events stand; these are the last of its events.
    fn parse_within(file: &str, text: &str, depth: usize) -> Result<(Self, Vec<usize>), TableError> {
        let at = |row: usize, error: RowError| TableError::of_row(file, row + 1, error);
        let mut table = Self::empty(file);
        let (mut included, mut rows) = (Vec::new(), Vec::new());
        let mut includes = 0;
        for (row, line) in text.lines().enumerate() {
            if row == 0 && line.trim_end() != FIRST_LINE {
                return Err(at(row, ("", format!("the first line has to be {FIRST_LINE}"))));
            }
            if line.len() > LONGEST_LINE {
                return Err(at(row, ("", format!("longer than {LONGEST_LINE} bytes"))));
            }
            if let Some(header) = line.strip_prefix('#') {
                includes += usize::from(header.starts_with("include "));
                if includes.max(table.fields.len()) > MOST_HEADERS {
                    return Err(at(row, ("", format!("more than {MOST_HEADERS} lines of its kind"))));
                }
                included.extend(table.header(header, depth).map_err(|reason| at(row, ("", reason)))?);
            } else if !line.trim().is_empty() {
                table.events.push(TableEvent::parse(line).map_err(|error| at(row, error))?);
                rows.push(row + 1);
            }
            if included.len() + table.events.len() > MOST_EVENTS {
                return Err(at(row, ("", format!("more than {MOST_EVENTS} events"))));
            }
        }
        table.put_before(included);
        Ok((table, rows))
    }

    /// Puts the events of included tables before the table's own. An own event replaces that of the same name, in the
    /// same case; and of the counters none is left that this type does not have.
    fn put_before(&mut self, mut included: Vec<TableEvent>) {
        let own: HashSet<_> = self.events.iter().map(|event| event.name.as_str()).collect();
        included.retain(|event| !own.contains(event.name.as_str()));
        included.append(&mut self.events);
        self.events = included;
        if let Some(number) = self.counters {
            for event in &mut self.events {
                event.counters = event.counters.below(number);
            }
        }
    }

    /// A table without events.
    pub(crate) fn empty(cpu: &str) -> Self {
        Self {
            cpu: cpu.to_owned(),
            family: Family::Other,
            source: String::new(),
            counters: None,
            default_event: None,
            pmu: None,
            fields: Vec::new(),
            events: Vec::new(),
            left_out: 0,
        }
    }

    /// Reads a line of the header; the answer is the events that it includes.
    fn header(&mut self, line: &str, depth: usize) -> Result<Vec<TableEvent>, String> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.trim();
        if matches!(key, "cpu" | "pmu" | "source" | "default" | "field") {
            check_text(value)?;
        }
        match key {
            "cpu" => self.cpu = value.to_owned(),
            "pmu" => self.pmu = Some(value.to_owned()),
            "source" => self.source = value.to_owned(),
            "family" => {
                self.family = Family::find(value).ok_or_else(|| format!("no family {value:?} is known"))?
            }
            "counters" => {
                let number = value.parse().ok().filter(|number| (1..=64).contains(number));
                self.counters = Some(number.ok_or_else(|| format!("{value:?} counters: 1 to 64 can be"))?);
            }
            "default" => {
                let (name, mask) = value.split_once(' ').unwrap_or((value, "0"));
                let unit_mask = number::parse(mask).ok_or_else(|| format!("{mask:?} is no unit mask"))?;
                self.default_event = Some(DefaultEvent { name: name.to_owned(), unit_mask });
            }
            "field" => self.fields.push(FieldAlias::parse(value)?),
            "include" => {
                let text =
                    BuiltInTable::text(value).ok_or_else(|| format!("no table {value:?} is built in"))?;
                if depth == DEEPEST_INCLUDE {
                    return Err("tables include each other too deeply".to_owned());
                }
                let (included, _) =
                    Self::parse_within(value, text, depth + 1).map_err(|error| error.to_string())?;
                return Ok(included.events);
            }
            _ => {}
        }
        Ok(Vec::new())
    }
}

impl TableEvent {
    /// An event with all but name and terms left to the defaults.
    pub(crate) fn new(name: &str, terms: &str) -> Self {
        Self {
            name: name.to_owned(),
            terms: terms.to_owned(),
            counters: Counters::Any,
            default_count: DEFAULT_COUNT,
            min_count: min_count(DEFAULT_COUNT),
            unit_masks: None,
            precise: 0,
            deprecated: false,
            data_address: false,
            taken_alone: false,
            refused: false,
            description: String::new(),
        }
    }

    /// Reads a row.
    fn parse(line: &str) -> Result<Self, RowError> {
        let mut columns = line.split('\t').map(str::trim);
        let mut column = || columns.next().unwrap_or_default();
        let (name, terms, counters, counts, unit_masks, flags, description) =
            (column(), column(), column(), column(), column(), column(), column());
        if columns.next().is_some_and(|text| !text.is_empty()) {
            return Err((
                "",
                "more columns than name, terms, counters, counts, unit masks, flags, description".to_owned(),
            ));
        }
        check_name(name).map_err(|reason| ("name", reason))?;
        check_terms(terms).map_err(|reason| ("terms", reason))?;
        let mut event = Self::new(name, terms);
        event.counters = Counters::parse(counters).map_err(|reason| ("counters", reason))?;
        let (default, minimum) = parse_counts(counts).map_err(|reason| ("counts", reason))?;
        event.set_counts(default, minimum);
        if !unit_masks.is_empty() {
            event.unit_masks = Some(UnitMasks::parse(unit_masks).map_err(|reason| ("unit masks", reason))?);
        }
        for flag in flags.chars() {
            match flag {
                '1' => event.precise = 1,
                '2' => event.precise = 2,
                'd' => event.deprecated = true,
                'l' => event.data_address = true,
                't' => event.taken_alone = true,
                'x' => event.refused = true,
                _ => return Err(("flags", format!("no flag {flag:?}; there are 1, 2, d, l, t and x"))),
            }
        }
        event.description = check_text(description).map_err(|reason| ("description", reason))?;
        Ok(event)
    }

    /// Fills in what is not given: the minimum is a twentieth of the default, the default what suits most events.
    pub(crate) fn set_counts(&mut self, default: Option<u64>, minimum: Option<u64>) {
        self.default_count = default.unwrap_or(DEFAULT_COUNT);
        self.min_count = minimum.unwrap_or_else(|| min_count(self.default_count));
        self.default_count = self.default_count.max(self.min_count);
    }
}

/// Reads `DEFAULT`, `DEFAULT/MINIMUM`, `/MINIMUM` or nothing.
fn parse_counts(text: &str) -> Result<(Option<u64>, Option<u64>), String> {
    let (default, minimum) = text.split_once('/').unwrap_or((text, ""));
    let count = |text: &str| match text {
        "" => Ok(None),
        _ => number::parse(text)
            .filter(|&count| count > 0)
            .map(Some)
            .ok_or_else(|| format!("{text:?} is no count; DEFAULT/MINIMUM is wanted, each at least 1")),
    };
    match (count(default)?, count(minimum)?) {
        (Some(default), Some(minimum)) if default < minimum => {
            Err(format!("the default {default} is below the minimum {minimum}; DEFAULT/MINIMUM is wanted"))
        }
        counts => Ok(counts),
    }
}

/// A name has to be one that can be typed as an event.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name is missing".to_owned());
    }
    if name.len() > 200 {
        return Err("the name is longer than 200 bytes".to_owned());
    }
    match name
        .chars()
        .find(|&c| is_unprintable(c) || c.is_whitespace() || matches!(c, ':' | '/' | ',' | '{' | '}'))
    {
        Some(c) => Err(format!("the name {name:?} holds {c:?}, so that it could not be typed")),
        None => Ok(()),
    }
}

/// Terms have to be there, and numbers, each field once.
pub(crate) fn check_terms(terms: &str) -> Result<(), String> {
    check_text(terms)?;
    let list =
        Term::parse_list(terms, terms).map_err(|_| format!("{terms:?} is not like event=0xc5,umask=0x1"))?;
    if list.is_empty() {
        return Err("terms such as event=0xc5,umask=0x1 are missing".to_owned());
    }
    if list.len() > MOST_TERMS {
        return Err(format!("more than {MOST_TERMS} terms"));
    }
    for (position, term) in list.iter().enumerate() {
        term.number(terms).map_err(|_| format!("{:?} is not like umask=0x1", term.name))?;
        if list[..position].iter().any(|earlier| earlier.is(term.name)) {
            return Err(format!("{:?} is given twice", term.name));
        }
    }
    Ok(())
}

/// Text that may go to a terminal.
pub(crate) fn check_text(text: &str) -> Result<String, String> {
    match text.contains(is_unprintable) {
        true => Err("control characters and invisible ones are not allowed".to_owned()),
        false => Ok(text.to_owned()),
    }
}
