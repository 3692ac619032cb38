//! Code that the kernel makes while it runs, found by the address and the time of a sample.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{ImageAddress, ImageNames, ImageOffset, NameSource, Symbol, SymbolId, VirtualAddress};

/// What kind of code the kernel made (`enum perf_record_ksymbol_type` of the kernel's perf_event.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KsymbolType {
    /// A BPF program, trampoline or dispatcher (PERF_RECORD_KSYMBOL_TYPE_BPF).
    Bpf,
    /// Instructions moved out of their line by a kprobe, a trampoline of ftrace (PERF_RECORD_KSYMBOL_TYPE_OOL).
    OutOfLine,
}

/// Code that the kernel made and named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ksymbol {
    /// Where it starts.
    pub start: VirtualAddress,
    /// Its length in bytes.
    pub length: u32,
    /// What kind of code it is.
    pub kind: KsymbolType,
    /// Its name as in `/proc/kallsyms`: `bpf_prog_6deef7357e7b4530_count`.
    pub name: String,
}

impl Ksymbol {
    /// The name of the image that it counts for, which is what `/proc/kallsyms` states as its module.
    pub(super) fn image_name(&self) -> &'static str {
        match self.kind {
            KsymbolType::Bpf => "[bpf]",
            KsymbolType::OutOfLine if self.name.starts_with("kprobe") => "[__builtin__kprobes]",
            KsymbolType::OutOfLine => "[__builtin__ftrace]",
        }
    }

    fn source(&self) -> NameSource {
        match self.kind {
            KsymbolType::Bpf => NameSource::Bpf,
            KsymbolType::OutOfLine => NameSource::OutOfLine,
        }
    }
}

/// The code that the kernel has made at the moment, and all of it that was ever sampled.
///
/// An address is used by one program and later by another, so addresses cannot tell samples apart when the recording
/// ends. What is sampled gets a position of its own instead, far below all addresses of a kernel: that is the offset
/// in the image. A program that is loaded again, with the same name and length, has the same one.
#[derive(Debug, Default)]
pub(super) struct Ksymbols {
    /// By their starts; none overlaps another.
    live: BTreeMap<VirtualAddress, Live>,
    /// What was sampled, each with its position; these ascend.
    sampled: Vec<(ImageOffset, Ksymbol)>,
    positions: FxHashMap<(String, u32), ImageOffset>,
    /// The first position that is free.
    free: u64,
    /// Wherever such code has started.
    starts: FxHashSet<VirtualAddress>,
}

#[derive(Debug)]
struct Live {
    symbol: Ksymbol,
    /// Known once it was sampled.
    position: Option<ImageOffset>,
}

impl Live {
    fn end(&self) -> VirtualAddress {
        VirtualAddress(self.symbol.start.0.saturating_add(self.symbol.length.into()))
    }
}

impl Ksymbols {
    /// Takes in code that was made. What was there before is gone, though nothing may have said so.
    pub(super) fn register(&mut self, symbol: &Ksymbol) {
        self.unregister(symbol.start, symbol.length);
        if symbol.length > 0 {
            self.starts.insert(symbol.start);
            self.live.insert(symbol.start, Live { symbol: symbol.clone(), position: None });
        }
    }

    /// Forgets code that was freed.
    pub(super) fn unregister(&mut self, start: VirtualAddress, length: u32) {
        let end = VirtualAddress(start.0.saturating_add(length.into()));
        while let Some((&first, _)) =
            self.live.range(..end).next_back().filter(|(_, live)| live.end() > start)
        {
            self.live.remove(&first);
        }
    }

    /// Whether code has ever started there.
    pub(super) fn has_started(&self, address: VirtualAddress) -> bool {
        self.starts.contains(&address)
    }

    /// The code that holds an address now, and the position of that address.
    #[inline]
    pub(super) fn lookup(&mut self, address: VirtualAddress) -> Option<(&Ksymbol, ImageOffset)> {
        if self.live.is_empty() {
            return None;
        }
        let (_, live) = self.live.range_mut(..=address).next_back()?;
        if address >= live.end() {
            return None;
        }
        let start = *live.position.get_or_insert_with(|| {
            let symbol = &live.symbol;
            *self.positions.entry((symbol.name.clone(), symbol.length)).or_insert_with(|| {
                let position = ImageOffset(self.free);
                self.free += u64::from(symbol.length);
                self.sampled.push((position, symbol.clone()));
                position
            })
        });
        Some((&live.symbol, ImageOffset(start.0 + (address.0 - live.symbol.start.0))))
    }

    /// Names those offsets of an image that are positions of such code.
    pub(super) fn name(&self, names: &mut ImageNames) {
        let mut known: FxHashMap<usize, SymbolId> = FxHashMap::default();
        for (offset, answer) in &mut names.offsets {
            let after = self.sampled.partition_point(|(position, _)| position <= offset);
            let Some(index) = after.checked_sub(1).filter(|_| offset.0 < self.free) else { continue };
            let symbol = &self.sampled[index].1;
            *answer = Ok(*known.entry(index).or_insert_with(|| {
                names.symbols.push(Symbol {
                    name: symbol.name.clone(),
                    mangled: None,
                    address: ImageAddress(symbol.start.0),
                    size: symbol.length.into(),
                    source: symbol.source(),
                    line: None,
                });
                SymbolId((names.symbols.len() - 1) as u32)
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unresolved;

    fn symbol(name: &str, start: u64, length: u32) -> Ksymbol {
        Ksymbol { start: VirtualAddress(start), length, kind: KsymbolType::Bpf, name: name.to_owned() }
    }

    fn at(symbols: &mut Ksymbols, address: u64) -> Option<(String, u64)> {
        let (symbol, offset) = symbols.lookup(VirtualAddress(address))?;
        Some((symbol.name.clone(), offset.0))
    }

    #[test]
    fn an_address_that_two_programs_used_one_after_the_other_has_two_positions() {
        let mut symbols = Ksymbols::default();
        symbols.register(&symbol("first", 0x1000, 0x40));
        assert_eq!(at(&mut symbols, 0xfff), None);
        assert_eq!(at(&mut symbols, 0x103f), Some(("first".into(), 0x3f)));
        assert_eq!(at(&mut symbols, 0x1040), None);
        symbols.unregister(VirtualAddress(0x1000), 0x40);
        assert_eq!(at(&mut symbols, 0x1000), None);
        symbols.register(&symbol("second", 0x1000, 0x20));
        assert_eq!(at(&mut symbols, 0x1001), Some(("second".into(), 0x41)));
        assert!(symbols.has_started(VirtualAddress(0x1000)) && !symbols.has_started(VirtualAddress(0x1001)));
        // The first one again, elsewhere.
        symbols.register(&symbol("first", 0x5000, 0x40));
        assert_eq!(at(&mut symbols, 0x5001), Some(("first".into(), 1)));
    }

    #[test]
    fn what_is_registered_over_others_replaces_them_and_only_them() {
        let mut symbols = Ksymbols::default();
        for (name, start) in [("before", 0x1000), ("a", 0x2000), ("b", 0x2040), ("after", 0x3000)] {
            symbols.register(&symbol(name, start, 0x40));
        }
        symbols.register(&symbol("new", 0x2020, 0x40));
        assert_eq!(at(&mut symbols, 0x2000), None);
        assert_eq!(at(&mut symbols, 0x2020).map(|found| found.0), Some("new".into()));
        assert_eq!(at(&mut symbols, 0x2060), None);
        assert_eq!(at(&mut symbols, 0x103f).map(|found| found.0), Some("before".into()));
        assert_eq!(at(&mut symbols, 0x3000).map(|found| found.0), Some("after".into()));
        symbols.register(&symbol("empty", 0x3000, 0));
        symbols.register(&symbol("endless", u64::MAX - 1, u32::MAX));
        assert_eq!(at(&mut symbols, u64::MAX - 1).map(|found| found.0), Some("endless".into()));
    }

    #[test]
    fn positions_are_named_and_other_offsets_left_alone() {
        let mut symbols = Ksymbols::default();
        symbols.register(&symbol("one", 0x1000, 0x40));
        symbols.register(&symbol("two", 0x2000, 0x40));
        symbols.register(&symbol("never sampled", 0x3000, 0x40));
        let offsets =
            [0x2004, 0x1000, 0x203f].map(|address| symbols.lookup(VirtualAddress(address)).unwrap().1);
        let elsewhere = ImageOffset(0xffff_ffff_c000_0000);
        let mut names =
            ImageNames::unresolved(offsets.into_iter().chain([elsewhere]), Unresolved::NoSymbolAtOffset);
        symbols.name(&mut names);
        let name = |offset| names.lookup(offset).map(|id| names.symbol(id).unwrap().name.as_str());
        assert_eq!(offsets.map(name), [Ok("two"), Ok("one"), Ok("two")]);
        assert_eq!(name(elsewhere), Err(Unresolved::NoSymbolAtOffset));
        assert_eq!(names.symbols.len(), 2);
        let two = &names.symbols[0];
        assert_eq!((two.address, two.size, two.source), (ImageAddress(0x2000), 0x40, NameSource::Bpf));
    }
}
