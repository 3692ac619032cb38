//! Filters: which samples a report is of, as an expression on what is known of them.
//!
//! ```text
//! EXPRESSION = TERM (or TERM)*          TERM = FACTOR (and FACTOR)*        FACTOR = not FACTOR | ( EXPRESSION ) | TEST
//! TEST       = KEY = VALUE,..           one of the values: names with * and ?, numbers or ranges (0..3)
//!            | KEY != VALUE,..          none of them
//!            | KEY ~ REGEX | KEY !~ REGEX | KEY < NUMBER | KEY > NUMBER
//! KEY        = app image symbol line process pid thread tid command cpu event kernel
//! ```
//! A value with blanks, commas or brackets stands in quotes (`"..."` or `'...'`).

mod expression;
mod parse;
mod test;
mod words;

use std::fmt;
use std::str::FromStr;

use oprof_profile::{Key, Recording};

use expression::Expression;
pub(crate) use test::Test;

/// An expression that samples fulfil or not.
#[derive(Clone, Debug)]
pub struct Filter(Expression);

/// What is wrong with the text of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The character at which it was seen, from 1.
    pub position: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.position, self.what)
    }
}

impl std::error::Error for FilterError {}

/// A recording cannot be asked this, or holds nothing of it: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NothingKept(pub String);

impl fmt::Display for NothingKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NothingKept {}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Filter, FilterError> {
        parse::parse(text).map(Filter)
    }
}

impl Filter {
    /// Keeps the samples and calls of a recording that fulfil the expression; of calls the callee counts. What was counted
    /// of whole processes is taken away, as it is of more than what is kept.
    ///
    /// # Errors
    /// Where the recording does not tell apart what is asked, or nothing is kept: what there is.
    pub fn apply(&self, recording: &mut Recording) -> Result<(), NothingKept> {
        self.0.check(recording)?;
        let mut matcher = test::Matcher::default();
        let mut holds =
            |recording: &Recording, key: &Key| self.0.holds(&mut |test| matcher.holds(recording, test, key));
        if !recording.counts.iter().any(|(key, _)| holds(recording, &key)) {
            return Err(self.0.why_nothing(recording));
        }
        let mut counts = std::mem::take(&mut recording.counts);
        counts.retain(|key| holds(recording, key));
        let mut calls = std::mem::take(&mut recording.calls);
        calls.retain(|call| {
            let key = Key {
                process: call.process,
                thread: call.thread,
                image: call.callee_image,
                offset: call.callee,
                event: call.event,
                cpu: call.cpu,
            };
            holds(recording, &key)
        });
        recording.calls = calls;
        recording.counts = counts;
        for process in &mut recording.processes {
            process.event_totals.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
