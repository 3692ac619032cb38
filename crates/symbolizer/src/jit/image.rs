//! Lays out what all compilers of a run made as one image, so that it is folded and named like any other.

use std::collections::HashMap;
use std::sync::Arc;

use oprof_profile::{
    ImageAddress, ImageNames, ImageOffset, NameSource, SourceFileId, SourceLine, SourcePlace, Symbol,
    SymbolId, Unresolved,
};

use super::code_space::{JitCode, JitFunction};
use crate::demangle::demangle;

/// How far functions are apart in the image, as a power of two.
const SPACING: u32 = 32;

/// The versions of one function that are told apart. A compiler makes a function anew as it learns more of it.
const MOST_VERSIONS: usize = 64;

/// The functions that compilers made in a run and that were sampled, whatever the process: a function of the same name
/// is the same function. Each starts at a multiple of 2³² bytes.
#[derive(Debug, Default)]
pub struct JitImage {
    by_name: HashMap<Box<str>, u32>,
    functions: Vec<Versions>,
}

/// A function as it was compiled again and again, each version behind the one before.
#[derive(Debug, Default)]
struct Versions {
    versions: Vec<(u32, Arc<JitFunction>)>,
    /// Where the next one starts.
    size: u64,
}

impl Versions {
    /// Where a version starts in the function.
    fn place(&mut self, function: &Arc<JitFunction>) -> u32 {
        let known =
            self.versions.iter().find(|known| Arc::ptr_eq(&known.1, function) || known.1 == *function);
        if let Some((start, _)) = known {
            return *start;
        }
        let start = u32::try_from(self.size).ok().filter(|_| self.versions.len() < MOST_VERSIONS);
        let end = self.size.saturating_add(function.size.max(1));
        let Some(start) = start.filter(|_| end <= 1 << SPACING) else { return 0 };
        self.versions.push((start, Arc::clone(function)));
        self.size = end;
        start
    }

    /// The version that holds an offset, and how far in.
    fn at(&self, offset: u32) -> Option<(&JitFunction, u32)> {
        let next = self.versions.partition_point(|version| version.0 <= offset);
        let (start, function) = self.versions.get(next.checked_sub(1)?)?;
        Some((function, offset - start))
    }
}

impl JitImage {
    /// Where a place in a function is in the image.
    pub fn place(&mut self, code: &JitCode) -> ImageOffset {
        let function = &code.function;
        let index = match self.by_name.get(&function.name) {
            Some(index) => *index,
            None => {
                let index = self.functions.len() as u32;
                self.functions.push(Versions::default());
                self.by_name.insert(function.name.clone(), index);
                index
            }
        };
        let start = self.functions[index as usize].place(function);
        let offset = u32::try_from(code.offset).ok().and_then(|offset| start.checked_add(offset));
        ImageOffset(u64::from(index) << SPACING | u64::from(offset.unwrap_or(start)))
    }

    /// The names of offsets that [`JitImage::place`] gave.
    pub fn names(&self, offsets: &[ImageOffset]) -> ImageNames {
        let mut names = ImageNames::unresolved(offsets.iter().copied(), Unresolved::NoSymbolAtOffset);
        let mut symbols: HashMap<u64, SymbolId> = HashMap::new();
        let mut files: HashMap<Arc<str>, SourceFileId> = HashMap::new();
        let mut places = Vec::with_capacity(names.offsets.len());
        for (offset, name) in &mut names.offsets {
            places.push(SourcePlace::default());
            let (index, within) = (offset.0 >> SPACING, offset.0 as u32);
            let function = usize::try_from(index).ok().and_then(|index| self.functions.get(index));
            let Some((function, (version, at))) =
                function.and_then(|function| Some((function, function.at(within)?)))
            else {
                continue;
            };
            let mut line_of = |version: &JitFunction, at: u32| {
                let next = version.lines.partition_point(|line| line.offset <= at);
                let line = version.lines.get(next.checked_sub(1)?)?;
                let next_file = SourceFileId(names.files.len() as u32);
                let file = *files.entry(Arc::clone(&line.file)).or_insert_with(|| {
                    names.files.push(line.file.to_string());
                    next_file
                });
                Some(SourceLine { file, line: line.line, column: 0 })
            };
            let first = function.versions.first().and_then(|(_, first)| {
                let start = first.lines.first()?.offset;
                line_of(first, start)
            });
            if let Some(place) = places.last_mut() {
                place.line = line_of(version, at);
            }
            *name = Ok(*symbols.entry(index).or_insert_with(|| {
                let address = ImageAddress(index << SPACING);
                names.symbols.push(symbol(&version.name, address, function.size, version.source, first));
                SymbolId((names.symbols.len() - 1) as u32)
            }));
        }
        if places.iter().any(|place| place.line.is_some()) {
            names.places = places;
        }
        names
    }
}

/// A name is demangled where a compiler of a language that mangles spelt it; what holds an `@` is a path, not a version.
fn symbol(
    name: &str,
    address: ImageAddress,
    size: u64,
    source: NameSource,
    line: Option<SourceLine>,
) -> Symbol {
    let (name, mangled) = match demangle(name) {
        Some(demangled) if demangled != name => (demangled, Some(name.to_owned())),
        _ => (name.to_owned(), None),
    };
    Symbol { name, mangled, address, size, source, line }
}

#[cfg(test)]
mod tests {
    use super::super::code_space::JitLine;
    use super::*;

    fn function(name: &str, size: u64, lines: &[(u32, u32)]) -> Arc<JitFunction> {
        let lines =
            lines.iter().map(|&(offset, line)| JitLine { offset, line, file: "a.js".into() }).collect();
        Arc::new(JitFunction { name: name.into(), size, source: NameSource::JitDump, lines })
    }

    #[test]
    fn functions_of_one_name_are_one_symbol() {
        let mut image = JitImage::default();
        let mut place = |function: &Arc<JitFunction>, offset| {
            image.place(&JitCode { function: Arc::clone(function), offset })
        };
        let small = function("fib", 64, &[]);
        let offsets = [
            place(&small, 3),
            place(&function("fib", 64, &[]), 3),
            place(&function("fib", 128, &[]), 3),
            place(&function("/node_modules/@babel/core:1", 16, &[]), 15),
            place(&function("_ZN3foo3barEv", 16, &[]), 15),
        ];
        assert_eq!(offsets[..3], [ImageOffset(3), ImageOffset(3), ImageOffset(67)]);
        let names = image.names(&offsets);
        let of = |offset| &names.symbol(names.lookup(offset).expect("a symbol")).expect("known").name;
        assert_eq!((of(offsets[0]), names.symbols[0].size), (&"fib".to_owned(), 192));
        assert_eq!(names.lookup(offsets[0]), names.lookup(offsets[2]));
        assert_eq!(of(offsets[3]), "/node_modules/@babel/core:1");
        assert_eq!(of(offsets[4]), "foo::bar()");
        assert!(names.places.is_empty());
    }

    #[test]
    fn lines_are_those_of_the_version() {
        let mut image = JitImage::default();
        let first = function("f", 64, &[(0, 1), (8, 2)]);
        let second = function("f", 64, &[(4, 10)]);
        let offsets: Vec<ImageOffset> = [(&first, 7), (&first, 63), (&second, 3), (&second, 4)]
            .map(|(function, offset)| image.place(&JitCode { function: Arc::clone(function), offset }))
            .into();
        let names = image.names(&offsets);
        let lines: Vec<_> =
            offsets.iter().map(|offset| names.place(*offset)?.line.map(|line| line.line)).collect();
        assert_eq!(lines, [Some(1), Some(2), None, Some(10)]);
        assert_eq!(names.symbols[0].line.map(|line| line.line), Some(1));
        assert_eq!(names.files, ["a.js"]);
    }

    #[test]
    fn versions_without_end_and_endless_functions_stay_in_their_place() {
        let mut image = JitImage::default();
        let other = function("other", 16, &[]);
        image.place(&JitCode { function: other, offset: 0 });
        for size in 0..1000 {
            let offset = image.place(&JitCode { function: function("f", size, &[]), offset: 0 });
            assert_eq!(offset.0 >> SPACING, 1);
        }
        assert_eq!(image.functions[1].versions.len(), MOST_VERSIONS);
        let endless = function("endless", u64::MAX, &[]);
        let offset = image.place(&JitCode { function: endless, offset: u64::MAX - 1 });
        assert_eq!(offset, ImageOffset(2 << SPACING));
        assert_eq!(image.names(&[offset]).lookup(offset), Err(Unresolved::NoSymbolAtOffset));
    }
}
