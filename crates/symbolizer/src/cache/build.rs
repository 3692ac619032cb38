//! Turns all tables of an image into its index.
//!
//! Between two neighbouring bounds of functions (starts and ends of any table) every address has the same answer: so
//! the index holds the answers for all bounds, which the same code gives as for any other address.

use std::time::Instant;

use object::read::ReadRef;
use oprof_profile::ImageAddress;

use super::block::Piece;
use super::index::{Head, IndexWriter};
use crate::code_symbol::CodeTable;
use crate::elf::Class;
use crate::made_table::MadeTable;
use crate::resolve::borrowed;
use crate::sources::Sources;
use crate::symbol_table::lookup;

/// The bounds that an image may have: Chromium has two million.
const MOST_BOUNDS: usize = 4 << 20;

/// The bounds that are answered for at once, which bounds the memory.
const STEP: usize = 1 << 17;

/// What an index is to hold beside the functions, and how much it may cost.
pub(super) struct Plan<'a> {
    pub(super) head: Head<'a>,
    /// The most bytes it may have.
    pub(super) most: u64,
    /// When it must be done.
    pub(super) deadline: Instant,
}

impl Plan<'_> {
    /// The index, its head and its blocks. `None` where it would be too large or take too long, or where the tables are
    /// damaged.
    pub(super) fn build<'image, H: Class, R: ReadRef<'image>>(
        &self,
        sources: &Sources<'_, 'image, '_, '_, H, R>,
    ) -> Option<[Vec<u8>; 2]> {
        let tables = sources.symbol_tables().ok()?;
        let tables = borrowed(&tables);
        let bounds = self.bounds(sources, &tables)?;
        let mut writer = IndexWriter::default();
        let (mut functions, mut any_symbols) = (0, false);
        let mut first = 0;
        while first + 1 < bounds.len() {
            let asked = &bounds[first..bounds.len().min(first + STEP)];
            let found = lookup(&tables, asked);
            any_symbols |= found.any_symbols;
            let nameless = asked.iter().zip(&found.holders).filter(|(_, holder)| holder.is_none());
            let nameless: Vec<ImageAddress> = nameless.map(|(address, _)| *address).collect();
            let fallback = sources.fallback_tables(&nameless);
            if !fallback.iter().all(MadeTable::is_whole) {
                return None;
            }
            let fallback = fallback.each_ref().map(|table| table as &dyn CodeTable);
            let mut others = lookup(&fallback, &nameless).holders.into_iter();
            let mut open: Option<Piece<'_>> = None;
            for (place, holder) in found.holders.into_iter().enumerate() {
                let (table, holder) = match holder {
                    Some(holder) => (tables[holder.table], holder),
                    None => match others.next()? {
                        Some(holder) => (fallback[holder.table], holder),
                        None => continue,
                    },
                };
                // Behind the last bound there is no function.
                let Some(&end) = bounds.get(first + place + 1) else { continue };
                let (start, name, source) = (asked[place], table.name(holder.index)?, table.source());
                let piece = Piece { start, end, function: holder.start, size: holder.size, source, name };
                match &mut open {
                    // A label inside of a function is a bound, too.
                    Some(open) if open.is_continued_by(&piece) => open.end = end,
                    _ => {
                        functions += u64::from(start == holder.start);
                        open.replace(piece).map_or(Some(()), |piece| writer.add(&piece))?;
                    }
                }
            }
            open.map_or(Some(()), |piece| writer.add(&piece))?;
            first += asked.len();
            if writer.size() as u64 > self.most || Instant::now() > self.deadline {
                return None;
            }
        }
        let head = Head { functions, any_symbols, ..self.head };
        Some(writer.finish(&head))
            .filter(|parts| parts.iter().map(Vec::len).sum::<usize>() as u64 <= self.most)
    }

    /// The bounds of all functions, ascending and distinct.
    fn bounds<'image, H: Class, R: ReadRef<'image>>(
        &self,
        sources: &Sources<'_, 'image, '_, '_, H, R>,
        tables: &[&dyn CodeTable],
    ) -> Option<Vec<ImageAddress>> {
        let mut bounds: Vec<ImageAddress> = Vec::new();
        for table in tables {
            table.visit(&mut |symbol| {
                if bounds.len() <= MOST_BOUNDS {
                    bounds.extend([symbol.start, if symbol.size > 0 { symbol.end() } else { symbol.limit }]);
                }
            });
        }
        sources.fallback_bounds(&mut |bound| {
            if bounds.len() <= MOST_BOUNDS {
                bounds.push(bound);
            }
        });
        if bounds.len() > MOST_BOUNDS || Instant::now() > self.deadline {
            return None;
        }
        bounds.sort_unstable();
        bounds.dedup();
        Some(bounds)
    }
}
