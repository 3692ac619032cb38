//! What code a compiler has put where, by now.

use std::collections::BTreeMap;
use std::sync::Arc;

use oprof_profile::{NameSource, VirtualAddress};

use super::MOST_BYTES;

/// The stretches that are remembered for having held more than one function. Past them all memory counts as such.
const MOST_REUSED: usize = 1 << 16;

/// A function as a compiler told of it.
#[derive(Debug, PartialEq, Eq)]
pub struct JitFunction {
    /// Its name, as the compiler spells it.
    pub name: Box<str>,
    /// Its length in bytes.
    pub size: u64,
    /// What told the name.
    pub source: NameSource,
    /// Where its code comes from, ascending by offset: each holds up to the next one.
    pub lines: Box<[JitLine]>,
}

/// The source line of code from an offset on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitLine {
    /// In bytes from the start of the function.
    pub offset: u32,
    /// The line, from 1; 0 where it is not known.
    pub line: u32,
    /// The source file.
    pub file: Arc<str>,
}

/// A place in a function that a compiler made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JitCode {
    /// The function.
    pub function: Arc<JitFunction>,
    /// In bytes from its start.
    pub offset: u64,
}

impl JitFunction {
    /// About what it takes in memory, in bytes, with what the map that holds it takes. A file that several lines in a row
    /// name is shared.
    pub(super) fn bytes(&self) -> usize {
        let mut files = 0;
        let mut last: Option<&Arc<str>> = None;
        for line in &self.lines {
            if last.is_none_or(|last| !Arc::ptr_eq(last, &line.file)) {
                files += line.file.len();
            }
            last = Some(&line.file);
        }
        size_of::<JitFunction>() + 96 + self.name.len() + size_of_val(&*self.lines) + files
    }
}

/// The code of one process at one time. What is put where other code is takes its place: a compiler uses memory again
/// only when what was there is dead.
#[derive(Debug, Default)]
pub(super) struct CodeSpace {
    /// By first address, none overlapping another.
    code: BTreeMap<u64, Arc<JitFunction>>,
    /// Stretches of memory, first address and the one behind the last, that have held several functions.
    reused: BTreeMap<u64, u64>,
    /// There were too many such stretches.
    all_reused: bool,
    bytes: usize,
}

impl CodeSpace {
    /// Puts code in its place; false where there is no room left for its name.
    pub(super) fn insert(&mut self, start: VirtualAddress, function: Arc<JitFunction>) -> bool {
        let Some(end) = start.0.checked_add(function.size.max(1)) else { return true };
        if self.code.get(&start.0).is_some_and(|old| **old == *function) {
            return true;
        }
        let overlapped: Vec<u64> = self
            .code
            .range(..end)
            .rev()
            .take_while(|(at, old)| at.saturating_add(old.size.max(1)) > start.0)
            .map(|(at, _)| *at)
            .collect();
        for at in overlapped {
            let old = self.remove(at);
            let is_other = old.as_ref().is_none_or(|old| old.name != function.name);
            if is_other {
                let old_end = at.saturating_add(old.map_or(1, |old| old.size.max(1)));
                self.mark_reused(at.min(start.0), old_end.max(end));
            }
        }
        let bytes = function.bytes();
        if self.bytes + bytes > MOST_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.code.insert(start.0, function);
        true
    }

    /// Moves the code at `from` to `to`, as a compiler that tidies up its memory does.
    pub(super) fn relocate(&mut self, from: VirtualAddress, to: VirtualAddress) {
        if let Some(function) = self.remove(from.0) {
            self.insert(to, function);
        }
    }

    fn remove(&mut self, start: u64) -> Option<Arc<JitFunction>> {
        let function = self.code.remove(&start)?;
        self.bytes -= function.bytes();
        Some(function)
    }

    /// The code at an address.
    pub(super) fn lookup(&self, address: VirtualAddress) -> Option<JitCode> {
        let (start, function) = self.code.range(..=address.0).next_back()?;
        let offset = address.0 - start;
        (offset < function.size.max(1)).then(|| JitCode { function: Arc::clone(function), offset })
    }

    /// Whether the memory at an address has held several functions, one after the other.
    pub(super) fn is_reused(&self, address: VirtualAddress) -> bool {
        let stretch = self.reused.range(..=address.0).next_back();
        self.all_reused || stretch.is_some_and(|(_, end)| address.0 < *end)
    }

    fn mark_reused(&mut self, mut start: u64, mut end: u64) {
        if self.all_reused {
            return;
        }
        while let Some((&first, &last)) = self.reused.range(..=end).next_back()
            && last >= start
        {
            self.reused.remove(&first);
            (start, end) = (start.min(first), end.max(last));
        }
        self.reused.insert(start, end);
        if self.reused.len() > MOST_REUSED {
            self.reused.clear();
            self.all_reused = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, size: u64) -> Arc<JitFunction> {
        let source = NameSource::PerfMap;
        Arc::new(JitFunction { name: name.into(), size, source, lines: Box::default() })
    }

    fn found(space: &CodeSpace, address: u64) -> Option<(String, u64)> {
        let code = space.lookup(VirtualAddress(address))?;
        Some((code.function.name.to_string(), code.offset))
    }

    fn put(space: &mut CodeSpace, start: u64, name: &str, size: u64) {
        assert!(space.insert(VirtualAddress(start), function(name, size)));
    }

    #[test]
    fn later_code_takes_the_place_of_all_that_it_overlaps() {
        let mut space = CodeSpace::default();
        put(&mut space, 100, "a", 50);
        put(&mut space, 150, "b", 50);
        put(&mut space, 200, "c", 50);
        assert_eq!(found(&space, 149), Some(("a".into(), 49)));
        assert_eq!(found(&space, 150), Some(("b".into(), 0)));
        assert!(!space.is_reused(VirtualAddress(150)));
        put(&mut space, 140, "d", 70);
        assert_eq!(found(&space, 120), None);
        assert_eq!(found(&space, 209), Some(("d".into(), 69)));
        assert_eq!(found(&space, 210), None);
        for (address, reused) in [(99, false), (100, true), (209, true), (249, true), (250, false)] {
            assert_eq!(space.is_reused(VirtualAddress(address)), reused, "{address}");
        }
    }

    #[test]
    fn the_same_function_told_twice_is_no_reuse() {
        let mut space = CodeSpace::default();
        put(&mut space, 100, "a", 50);
        put(&mut space, 100, "a", 50);
        put(&mut space, 100, "a", 60);
        assert!(!space.is_reused(VirtualAddress(110)));
        assert_eq!(found(&space, 155), Some(("a".into(), 55)));
    }

    #[test]
    fn code_without_a_size_is_its_first_byte_and_none_wraps_around() {
        let mut space = CodeSpace::default();
        put(&mut space, 100, "a", 0);
        assert_eq!(found(&space, 100), Some(("a".into(), 0)));
        assert_eq!(found(&space, 101), None);
        put(&mut space, u64::MAX - 1, "b", 10);
        assert_eq!(found(&space, u64::MAX), None);
    }

    #[test]
    fn moved_code_is_where_it_went() {
        let mut space = CodeSpace::default();
        put(&mut space, 100, "a", 50);
        space.relocate(VirtualAddress(100), VirtualAddress(300));
        assert_eq!((found(&space, 100), found(&space, 301)), (None, Some(("a".into(), 1))));
        space.relocate(VirtualAddress(5), VirtualAddress(300));
        assert_eq!(found(&space, 300), Some(("a".into(), 0)));
    }

    #[test]
    fn memory_is_bounded_and_comes_back_when_code_is_replaced() {
        let mut space = CodeSpace::default();
        let long = "x".repeat(super::super::LONGEST_NAME);
        let fits =
            (0..).take_while(|index| space.insert(VirtualAddress(index * 10), function(&long, 10))).count();
        assert!((MOST_BYTES / 2..=MOST_BYTES).contains(&(fits * long.len())));
        assert!(space.insert(VirtualAddress(0), function("short", 100)));
        assert!(space.insert(VirtualAddress(1 << 40), function(&long, 10)));
    }

    /// Against the plain truth: an array with a name for each address.
    #[test]
    fn lookups_agree_with_an_array() {
        let mut state = 12345_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        let mut space = CodeSpace::default();
        let mut truth: Vec<Option<(u64, u64)>> = vec![None; 400];
        for name in 0..2000_u64 {
            let (start, size) = (random(380), 1 + random(20));
            let dead: Vec<u64> =
                (start..start + size).filter_map(|at| truth[at as usize].map(|code| code.0)).collect();
            truth.iter_mut().for_each(|code| *code = code.filter(|code| !dead.contains(&code.0)));
            (start..start + size).for_each(|at| truth[at as usize] = Some((name, at - start)));
            put(&mut space, start, &name.to_string(), size);
            for (at, expected) in truth.iter().enumerate() {
                assert_eq!(
                    found(&space, at as u64),
                    expected.map(|(name, offset)| (name.to_string(), offset))
                );
            }
        }
    }
}
