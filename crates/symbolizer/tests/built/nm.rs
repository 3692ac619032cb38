//! The symbols of an image as nm(1) tells them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;

use super::run;

/// A symbol of code as nm(1) tells it.
#[derive(Debug)]
pub(crate) struct NmSymbol {
    pub(crate) start: u64,
    pub(crate) size: u64,
    pub(crate) name: String,
}

/// The symbols of code in one of the tables of an image.
pub(crate) fn nm(image: &Path, dynamic: bool) -> Option<Vec<NmSymbol>> {
    let table = if dynamic { "--dynamic" } else { "--debug-syms" };
    let text = run("nm", [OsStr::new(table), OsStr::new("--format=posix"), image.as_os_str()])?;
    let symbols = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next()?, words.next()?);
        let start = u64::from_str_radix(words.next()?, 16).ok()?;
        let size = words.next().and_then(|size| u64::from_str_radix(size, 16).ok()).unwrap_or(0);
        let name = name.split('@').next().unwrap_or(name).to_string();
        // Mapping symbols of Arm and RISC-V mark code and data and name neither.
        let is_mark = name.starts_with("$x") || name.starts_with("$d");
        // `w` is an undefined weak symbol unless it has an address; `V` and `v` are data.
        (matches!(kind, "T" | "t" | "W" | "w" | "i") && start != 0 && !is_mark).then_some(NmSymbol {
            start,
            size,
            name,
        })
    });
    Some(symbols.collect())
}

/// Sized symbols by start, with the largest size, so that those that may hold an address are found fast.
pub(crate) struct Ranges<'nm> {
    by_start: BTreeMap<u64, Vec<&'nm NmSymbol>>,
    largest: u64,
}

impl<'nm> Ranges<'nm> {
    pub(crate) fn new(symbols: &'nm [NmSymbol]) -> Ranges<'nm> {
        let mut by_start: BTreeMap<u64, Vec<&NmSymbol>> = BTreeMap::new();
        for symbol in symbols.iter().filter(|symbol| symbol.size > 0) {
            by_start.entry(symbol.start).or_default().push(symbol);
        }
        Ranges { by_start, largest: symbols.iter().map(|symbol| symbol.size).max().unwrap_or(0) }
    }

    /// The names of the innermost symbol that holds the address.
    pub(crate) fn innermost(&self, address: u64) -> BTreeSet<&'nm str> {
        for (_, group) in self.by_start.range(address.saturating_sub(self.largest)..=address).rev() {
            let holding = || group.iter().filter(|symbol| address < symbol.start + symbol.size);
            if let Some(smallest) = holding().map(|symbol| symbol.size).min() {
                return holding()
                    .filter(|symbol| symbol.size == smallest)
                    .map(|symbol| symbol.name.as_str())
                    .collect();
            }
        }
        BTreeSet::new()
    }
}
