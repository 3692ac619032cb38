//! Where the code of a report's rows is: in its image, and in the source.

use std::borrow::Cow;

use super::Report;
use crate::detail::Detail;
use crate::place::Place;
use crate::rows::Row;
use crate::symbol_name::Code;

impl<'r> Report<'r> {
    /// Where in its image the symbol of a row begins; 0 where it has none.
    pub(crate) fn address(&self, row: &Row) -> u64 {
        match (row.place, &self.places.symbols) {
            (Place::Symbol { code, .. }, Some(symbols)) => {
                symbols.address(code).map_or(0, |address| address.0)
            }
            _ => 0,
        }
    }

    /// How many digits addresses have: where one needs more than 8, all have 16.
    pub fn address_digits(&self) -> usize {
        if self.rows.iter().any(|row| self.address(row) > u64::from(u32::MAX)) { 16 } else { 8 }
    }

    /// Where the symbol of a row is in the source, for sorting: what is not known comes first.
    pub(crate) fn source(&self, row: &Row) -> (&str, u32) {
        let Place::Symbol { code, .. } = row.place else { return ("", 0) };
        let (path, line) = self.source_of(code).unwrap_or_default();
        let shown = if self.options.long_names { path } else { path.rsplit('/').next().unwrap_or(path) };
        (shown, line)
    }

    /// The whole path and the line of a row's symbol; `None` where that is not known.
    pub(crate) fn source_path(&self, row: &Row) -> Option<(Cow<'r, str>, u32)> {
        let Place::Symbol { code, .. } = row.place else { return None };
        let (path, line) = self.source_of(code)?;
        Some((self.options.source_paths.show(path), line))
    }

    pub(super) fn source_of(&self, code: Code) -> Option<(&'r str, u32)> {
        self.places.symbols.as_ref().and_then(|symbols| symbols.line(code))
    }

    /// The same of a detail.
    pub(crate) fn detail_source_path(&self, detail: &Detail) -> Option<(Cow<'r, str>, u32)> {
        let (path, line) = self.source_of_detail(detail)?;
        Some((self.options.source_paths.show(path), line))
    }

    pub(super) fn source_of_detail(&self, detail: &Detail) -> Option<(&'r str, u32)> {
        let names = self.recording.image_names(detail.image)?;
        // Of some symbols only the file is known, for all their code.
        let of_symbol = || names.symbol(names.lookup(detail.offset).ok()?)?.line;
        let line = names.place(detail.offset).and_then(|place| place.line);
        let line = line.or_else(|| of_symbol().filter(|line| line.line == 0))?;
        Some((names.file(line.file)?, line.line))
    }
}
