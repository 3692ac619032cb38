//! Renderers of comparisons.

mod cells;
mod csv;
mod json;
mod markdown;
mod quantity;
mod summary;
mod table;

pub use csv::csv;
pub use json::json;
pub use markdown::markdown;
pub use summary::regression_line;
pub use table::table;

use crate::diff::{Diff, DiffRow};

/// How a comparison is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffLook {
    /// Rows that changed no more than chance makes them are shown, too.
    pub all: bool,
    /// So many rows at most; `None` for all of them.
    pub top: Option<usize>,
    /// The lines above the rows are left out.
    pub no_header: bool,
    /// Images and apps are shown by their whole path.
    pub long_names: bool,
    /// Names are cut so that lines have at most this width; `None` for names never cut.
    pub width: Option<u16>,
    /// Titles stand out, growth is red and what shrank green.
    pub colour: bool,
}

impl DiffLook {
    /// The rows that are shown: in the order of the comparison, those that are significant first.
    fn rows<'d>(&self, diff: &'d Diff) -> &'d [DiffRow] {
        let significant = diff.significant().count();
        let number = if self.all { diff.rows.len() } else { significant };
        &diff.rows[..number.min(self.top.unwrap_or(usize::MAX))]
    }
}
