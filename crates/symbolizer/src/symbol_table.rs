//! Chooses the symbol that holds an address.
//!
//! The tables are not sorted or copied: the addresses that are asked for are sorted, one pass over each table picks
//! the symbols that matter to them, and only those are looked at closer. An image with millions of symbols costs two
//! passes.

use std::cmp::Reverse;

use oprof_profile::ImageAddress;

use crate::alias;
use crate::code_symbol::{CodeSymbol, CodeTable};

/// The symbols of a scan that are held before those are dropped that no address needs. A hostile table has millions
/// that all hold the same address.
const MOST_HELD: usize = 8 << 10;

/// The symbol that holds an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The index of its table among those asked.
    pub(crate) table: usize,
    /// Its place in that table.
    pub(crate) index: usize,
    /// The address of its first byte.
    pub(crate) start: ImageAddress,
    /// Its length in bytes; for a symbol without size, as far as it reaches.
    pub(crate) size: u64,
}

/// What the tables know of some addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// For each address, the symbol that holds it.
    pub(crate) holders: Vec<Option<Holder>>,
    /// Whether any table has a code symbol at all.
    pub(crate) any_symbols: bool,
}

/// The symbols that hold `addresses`, which ascend and are distinct. An earlier table goes before a later one.
///
/// - A symbol holds the addresses from its start to its end, none behind it. Where several do, the one that starts
///   last is the innermost; of those that start together the smallest; of equal ones [`alias::compare`] chooses.
/// - A symbol of size 0 reaches to the next symbol of any table or the end of its section, whichever comes first.
///   It counts only where no symbol with a size holds the address, and when it stands inside of one (a label in a
///   function), it holds nothing behind that one's end either.
pub(crate) fn lookup(tables: &[&dyn CodeTable], addresses: &[ImageAddress]) -> Lookup {
    let scans: Vec<Scan> = tables.iter().map(|table| Scan::new(*table, addresses)).collect();
    let mut holders = vec![None; addresses.len()];
    for (number, (table, scan)) in tables.iter().zip(&scans).enumerate() {
        for (holder, innermost) in holders.iter_mut().zip(scan.innermost(*table, addresses)) {
            *holder = holder.or(innermost.map(|symbol| holder_of(number, symbol, symbol.end())));
        }
    }

    // For what is left: the last symbol that starts before the address, if it is one without size.
    let nearest = |place: usize| scans.iter().filter_map(|scan| scan.preceding[place]).max();
    let left = || (0..addresses.len()).filter(|&place| holders[place].is_none());
    let mut starts: Vec<ImageAddress> = left().filter_map(nearest).collect();
    starts.dedup();
    if !starts.is_empty() {
        let unsized_holders = unsized_holders(tables, &starts);
        let found: Vec<(usize, Holder)> = left()
            .filter_map(|place| {
                let start = starts.binary_search(&nearest(place)?).ok()?;
                let holder = unsized_holders[start]?;
                (addresses[place].0 - holder.start.0 < holder.size).then_some((place, holder))
            })
            .collect();
        for (place, holder) in found {
            holders[place] = Some(holder);
        }
    }
    Lookup { holders, any_symbols: scans.iter().any(|scan| scan.any_symbols) }
}

/// For each of `starts`, where at least one symbol starts, the symbol without size that starts there and how far it
/// reaches; `None` inside of a symbol with a size.
fn unsized_holders(tables: &[&dyn CodeTable], starts: &[ImageAddress]) -> Vec<Option<Holder>> {
    let scans: Vec<Scan> = tables.iter().map(|table| Scan::new(*table, starts)).collect();
    let mut holders = vec![None; starts.len()];
    for (number, (table, scan)) in tables.iter().zip(&scans).enumerate() {
        for (place, group) in scan.unsized_at(starts) {
            let Some(symbol) = best(*table, group) else { continue };
            let next = scans.iter().filter_map(|scan| scan.following[place]).min();
            let end = next.map_or(symbol.limit, |next| next.min(symbol.limit));
            holders[place] = holders[place].or(Some(holder_of(number, symbol, end)));
        }
    }
    for (table, scan) in tables.iter().zip(&scans) {
        for (holder, sized) in holders.iter_mut().zip(scan.innermost(*table, starts)) {
            *holder = holder.filter(|_| sized.is_none());
        }
    }
    holders
}

fn holder_of(table: usize, symbol: CodeSymbol, end: ImageAddress) -> Holder {
    let size = end.0.saturating_sub(symbol.start.0);
    Holder { table, index: symbol.index, start: symbol.start, size }
}

/// The one of several names of the same code to show; `None` where none can be read.
fn best(table: &dyn CodeTable, group: &[CodeSymbol]) -> Option<CodeSymbol> {
    let named = group.iter().filter_map(|symbol| Some((symbol, table.name(symbol.index)?)));
    named.min_by(|left, right| alias::compare(*left, *right)).map(|(symbol, _)| *symbol)
}

/// What one pass over a table finds out about some addresses.
struct Scan {
    /// The symbols with a size that hold at least one of the addresses, by start, the larger first.
    sized: Vec<CodeSymbol>,
    /// The symbols without size that start at one of the addresses, by start.
    unsized_here: Vec<CodeSymbol>,
    /// For each address the greatest start that is not above it.
    preceding: Vec<Option<ImageAddress>>,
    /// For each address the least start that is above it.
    following: Vec<Option<ImageAddress>>,
    /// Whether the table has any symbol.
    any_symbols: bool,
}

impl Scan {
    fn new(table: &dyn CodeTable, addresses: &[ImageAddress]) -> Scan {
        let mut scan = Scan {
            sized: Vec::new(),
            unsized_here: Vec::new(),
            preceding: vec![None; addresses.len()],
            following: vec![None; addresses.len()],
            any_symbols: false,
        };
        let mut most = MOST_HELD;
        table.visit(&mut |symbol| {
            scan.any_symbols = true;
            // The first address that is not below the symbol's start, and the last one that is.
            let at = addresses.partition_point(|&address| address < symbol.start);
            if let Some(address) = addresses.get(at) {
                scan.preceding[at] = scan.preceding[at].max(Some(symbol.start));
                if symbol.size > 0 && *address < symbol.end() {
                    scan.sized.push(symbol);
                } else if symbol.size == 0 && *address == symbol.start {
                    scan.unsized_here.push(symbol);
                }
                if scan.sized.len() + scan.unsized_here.len() >= most {
                    scan.drop_needless(table, addresses);
                    most = (scan.sized.len() + scan.unsized_here.len()) * 2 + MOST_HELD;
                }
            }
            if let Some(below) = at.checked_sub(1) {
                let following = &mut scan.following[below];
                *following = Some(following.map_or(symbol.start, |start| start.min(symbol.start)));
            }
        });
        for place in 1..addresses.len() {
            scan.preceding[place] = scan.preceding[place].max(scan.preceding[place - 1]);
        }
        for place in (1..addresses.len()).rev() {
            scan.following[place - 1] = scan.following[place - 1].or(scan.following[place]);
        }
        scan.sort();
        scan
    }

    fn sort(&mut self) {
        self.sized.sort_unstable_by_key(|symbol| (symbol.start, Reverse(symbol.end()), symbol.index));
        self.unsized_here.sort_unstable_by_key(|symbol| (symbol.start, symbol.index));
    }

    /// Keeps of the symbols those that are right for an address, so far as is known.
    fn drop_needless(&mut self, table: &dyn CodeTable, addresses: &[ImageAddress]) {
        self.sort();
        // A group of which no name can be read still hides what it stands in.
        let chosen = |group: &[CodeSymbol]| best(table, group).unwrap_or(group[0]);
        let mut groups: Vec<&[CodeSymbol]> = self.innermost_groups(addresses).flatten().collect();
        groups.sort_unstable_by_key(|group| group[0].index);
        groups.dedup_by_key(|group| group[0].index);
        self.sized = groups.into_iter().map(chosen).collect();
        let groups = self.unsized_here.chunk_by(|left, right| left.start == right.start);
        self.unsized_here = groups.map(chosen).collect();
    }

    /// For each address the innermost symbols with a size that hold it: those of the same code.
    fn innermost_groups<'scan>(
        &'scan self,
        addresses: &'scan [ImageAddress],
    ) -> impl Iterator<Item = Option<&'scan [CodeSymbol]>> {
        // Symbols come in the order in which a later one is more inner, so the open ones make a stack. Those that
        // ended under a longer one that is still open stay in it until they are on top.
        let mut open: Vec<&[CodeSymbol]> = Vec::new();
        let mut coming =
            self.sized.chunk_by(|left, right| left.start == right.start && left.end() == right.end());
        let mut next = coming.next();
        addresses.iter().map(move |&address| {
            while let Some(group) = next.filter(|group| group[0].start <= address) {
                open.push(group);
                next = coming.next();
            }
            while open.pop_if(|group| group[0].end() <= address).is_some() {}
            open.last().copied()
        })
    }

    /// For each address the innermost symbol with a size that holds it.
    fn innermost(&self, table: &dyn CodeTable, addresses: &[ImageAddress]) -> Vec<Option<CodeSymbol>> {
        let mut chosen: Option<(usize, Option<CodeSymbol>)> = None;
        let groups = self.innermost_groups(addresses).map(|group| {
            let group = group?;
            match chosen {
                Some((first, symbol)) if first == group[0].index => symbol,
                _ => {
                    let symbol = best(table, group);
                    chosen = Some((group[0].index, symbol));
                    symbol
                }
            }
        });
        groups.collect()
    }

    /// The symbols without size that start at each address where there are some, with the address's place.
    fn unsized_at<'scan>(
        &'scan self,
        addresses: &'scan [ImageAddress],
    ) -> impl Iterator<Item = (usize, &'scan [CodeSymbol])> {
        self.unsized_here
            .chunk_by(|left, right| left.start == right.start)
            .filter_map(|group| Some((addresses.binary_search(&group[0].start).ok()?, group)))
    }
}

#[cfg(test)]
mod tests;
