//! The tables at the end of OProfile's XML: symbols, the samples of their addresses, their code.

use std::collections::BTreeMap;
use std::fmt::Write;

use oprof_profile::{ImageId, ImageOffset};
use rustc_hash::FxHashMap;

use super::element::Tag;
use super::symbol_name;
use crate::detail::Detail;
use crate::image_name::NameId;
use crate::place::Place;
use crate::report::Report;
use crate::rows::Row;
use crate::symbol_name::Code;

/// How much code of one symbol is written, in bytes: of what is larger there is none.
const MOST_CODE: u64 = 1 << 20;

/// What the tables hold, while the rest is written: a symbol is the same in whatever app it is.
pub(super) struct Tables<'a, 'r> {
    report: &'a Report<'r>,
    ids: FxHashMap<(NameId, Code), usize>,
    symbols: Vec<Row>,
    details: BTreeMap<usize, Vec<Detail>>,
}

impl<'a, 'r> Tables<'a, 'r> {
    pub(super) fn new(report: &'a Report<'r>) -> Tables<'a, 'r> {
        Tables { report, ids: FxHashMap::default(), symbols: Vec::new(), details: BTreeMap::new() }
    }

    /// The number of a row's symbol.
    pub(super) fn id(&mut self, row: &Row) -> usize {
        let Place::Symbol { image, code, .. } = row.place else { return 0 };
        *self.ids.entry((image, code)).or_insert_with(|| {
            self.symbols.push(row.clone());
            self.symbols.len() - 1
        })
    }

    /// Adds details of a symbol; gives the numbers of the first and the last that are written, if there are any.
    pub(super) fn add_details(&mut self, id: usize, details: &[Detail]) -> Option<(usize, usize)> {
        let of_symbol = self.details.entry(id).or_default();
        let written = |details: &[Detail]| -> usize {
            details.iter().map(|detail| detail.counts.iter().filter(|count| count.samples > 0).count()).sum()
        };
        let first = written(of_symbol);
        of_symbol.extend_from_slice(details);
        let last = first + written(details);
        (last > first).then(|| (first, last - 1))
    }

    /// Writes the tables.
    pub(super) fn write(
        &self,
        text: &mut String,
        code: &dyn Fn(ImageId, ImageOffset, u64) -> Option<Vec<u8>>,
    ) {
        text.push_str("<symboltable>\n");
        let digits = self.digits();
        for id in self.in_order() {
            let row = &self.symbols[id];
            let tag = Tag::new("symboldata").with("id", id.to_string());
            let mut tag = tag.with_gap("name", symbol_name(self.report, row));
            let lines = self.report.options().lines;
            if let Some((file, line)) = self.report.source_path(row).filter(|_| lines) {
                tag = tag.with("file", file).with("line", line.to_string());
            }
            let address = format!("{:0digits$x}", self.report.address(row));
            text.push_str(&tag.with_gap("startingaddr", address).empty());
        }
        text.push_str("</symboltable>\n");
        if self.report.options().details {
            self.write_details(text, digits);
            self.write_code(text, code);
        }
    }

    /// The numbers of symbols in the order of the report's rows; those that are only called or callers come last.
    fn in_order(&self) -> Vec<usize> {
        let of_rows = self.report.rows().iter().filter_map(|row| match row.place {
            Place::Symbol { image, code, .. } => self.ids.get(&(image, code)).copied(),
            _ => None,
        });
        let mut is_there = vec![false; self.symbols.len()];
        let mut order: Vec<usize> = Vec::new();
        for id in of_rows.chain(0..self.symbols.len()) {
            if !std::mem::replace(&mut is_there[id], true) {
                order.push(id);
            }
        }
        order
    }

    /// Where one address needs more than 8 digits, all have 16.
    fn digits(&self) -> usize {
        let is_long = |row: &Row| self.report.address(row) > u64::from(u32::MAX);
        if self.symbols.iter().any(is_long) { 16 } else { self.report.address_digits() }
    }

    fn write_details(&self, text: &mut String, digits: usize) {
        let single = self.report.classes().len() == 1;
        text.push_str("<detailtable>\n");
        for (id, details) in &self.details {
            text.push_str(&Tag::new("symboldetails").with("id", id.to_string()).open());
            let start = self.report.source_path(&self.symbols[*id]);
            let mut number = 0;
            for detail in details {
                let counts = detail.counts.iter().enumerate().filter(|(_, count)| count.samples > 0);
                for (class, count) in counts {
                    let tag = Tag::new("detaildata").with("id", number.to_string());
                    let mut tag = tag.with_gap("vmaoffset", format!("{:0digits$x}", detail.address.0));
                    if self.report.options().lines
                        && let Some((file, line)) = self.report.detail_source_path(detail)
                    {
                        // The symbol's own file is not said again.
                        let other =
                            Some(file).filter(|file| start.as_ref().is_none_or(|start| start.0 != *file));
                        tag = tag.with_some("file", other).with("line", line.to_string());
                    }
                    let class = if single { String::new() } else { format!("c{class}") };
                    text.push_str(&tag.open());
                    text.push_str(&Tag::new("count").with("class", class).open());
                    // SANITY: writing to a String does not fail.
                    write!(text, "{}</count>\n</detaildata>\n", count.samples).unwrap();
                    number += 1;
                }
            }
            text.push_str("</symboldetails>\n");
        }
        text.push_str("</detailtable>\n");
    }

    fn write_code(&self, text: &mut String, code: &dyn Fn(ImageId, ImageOffset, u64) -> Option<Vec<u8>>) {
        text.push_str("<bytestable>\n");
        for (id, row) in self.symbols.iter().enumerate() {
            let Some((image, offset, size)) = self.extent(id, row).filter(|extent| extent.2 <= MOST_CODE)
            else {
                continue;
            };
            let Some(bytes) = code(image, offset, size) else { continue };
            text.push_str(&Tag::new("bytes").with("id", id.to_string()).open());
            for byte in bytes {
                // SANITY: writing to a String does not fail.
                write!(text, "{byte:02X}").unwrap();
            }
            text.push_str("</bytes>\n");
        }
        text.push_str("</bytestable>\n");
    }

    /// Where in its image's file the code of a symbol is: the image, the offset and the size in bytes.
    fn extent(&self, id: usize, row: &Row) -> Option<(ImageId, ImageOffset, u64)> {
        let Place::Symbol { code, .. } = row.place else { return None };
        let image = self.details.get(&id)?.first()?.image;
        let (address, size) = self.report.places().symbols.as_ref()?.extent(image, code)?;
        let names = self.report.recording().image_names(image)?;
        Some((image, names.offset(address)?, size))
    }
}
