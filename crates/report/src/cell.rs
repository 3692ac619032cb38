//! Cells: what stands in one row and column, before a renderer makes text of it.

use std::borrow::Cow;

use crate::differential::Change;

/// What stands in one row and column. Text is as the recording has it: a renderer makes it printable.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A number of things.
    Number(u64),
    /// A number that names a thing: its digits are not grouped.
    Identifier(u64),
    /// An address in an image.
    Address(u64),
    /// A share.
    Percent {
        /// The part.
        part: u64,
        /// Of this whole.
        whole: u64,
    },
    /// Between these shares, from 0 to 1, something is.
    Interval {
        /// The lower.
        low: f64,
        /// The higher.
        high: f64,
    },
    /// How a share changed.
    Change(Change),
    /// A number of events.
    Events {
        /// How many.
        value: u64,
        /// Counted; else estimated.
        exact: bool,
    },
    /// A length of time.
    Time {
        /// In nanoseconds.
        nanoseconds: u64,
        /// Measured; else estimated.
        exact: bool,
    },
    /// Events for each other event, in the unit that the column names.
    Ratio(f64),
    /// A name, a path, a command line.
    Text(Cow<'a, str>),
    /// It is not known.
    Unknown,
}
