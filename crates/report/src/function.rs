//! Functions: which symbols of an image are one.

use std::borrow::Cow;

use oprof_profile::{ImageAddress, ImageId, NameSource, SourceLine, Symbol, clone_of};
use rustc_hash::FxHashMap;

use crate::options::Options;

/// A symbol of an image and the function that it is, or is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function<'r> {
    /// The symbol's index.
    pub(crate) symbol: usize,
    /// The function's name, demangled in full: however names are shown, what they tell apart stays apart.
    pub(crate) name: &'r str,
    /// Which of the image's functions of this name it is.
    pub(crate) repeat: u32,
}

/// The functions that the symbols of an image are: each its own, or where clones are merged that of which it is a
/// clone; clones after all others.
///
/// Static functions of one name in one image are different functions: the first of the name by address is the same as
/// the first in another build.
pub(crate) fn functions(symbols: &[Symbol], merge_clones: bool) -> Vec<Function<'_>> {
    let mut by_address: Vec<usize> = (0..symbols.len()).collect();
    by_address.sort_by_key(|&index| symbols[index].address);
    let (clones, own): (Vec<usize>, Vec<usize>) =
        by_address.into_iter().partition(|&index| merge_clones && is_clone(&symbols[index]));
    let mut of_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut functions = Vec::with_capacity(symbols.len());
    for symbol in own {
        let name = symbols[symbol].name.as_str();
        let namesakes = of_name.entry(name).or_default();
        functions.push(Function { symbol, name, repeat: namesakes.len() as u32 });
        namesakes.push(symbol);
    }
    for symbol in clones {
        let name = clone_of(&symbols[symbol].name);
        let namesakes = of_name.entry(name).or_default();
        let repeat = origin(&symbols[symbol], symbols, namesakes).unwrap_or_else(|| {
            namesakes.push(symbol);
            namesakes.len() - 1
        });
        functions.push(Function { symbol, name, repeat: repeat as u32 });
    }
    functions
}

/// Which of the functions of its name a clone is of; `None` where it is of none of them: C++ has constructors whose
/// mangled names alone differ.
///
/// Of static functions of one name it is the one in the same source file, else the nearest: compilers leave a file's
/// functions together. (The first line of a cold part can be that of a function inlined from elsewhere, so that the file
/// does not always tell.) But of a namesake that is itself known by a clone alone it is only with the same file, or where
/// files are not known: that one's file need not be the function's, and two such clones may be of two functions.
fn origin(clone: &Symbol, symbols: &[Symbol], namesakes: &[usize]) -> Option<usize> {
    let mangled = |symbol: &Symbol| symbol.mangled.as_deref().map(|name| clone_of(name).to_owned());
    let own = mangled(clone);
    let file = |symbol: &Symbol| symbol.line.map(|line| line.file);
    let candidates = namesakes.iter().map(|&index| &symbols[index]).enumerate();
    let differ = |symbol: &Symbol| file(symbol).zip(file(clone)).is_some_and(|(theirs, ours)| theirs != ours);
    let candidates =
        candidates.filter(|(_, symbol)| mangled(symbol) == own && !(is_clone(symbol) && differ(symbol)));
    let closest = candidates.min_by_key(|(_, symbol)| {
        let elsewhere = file(symbol) != file(clone) || file(clone).is_none();
        (elsewhere, symbol.address.0.abs_diff(clone.address.0))
    });
    closest.map(|(repeat, _)| repeat)
}

/// Whether a symbol is a clone of a function. Go's names have dots of their own.
fn is_clone(symbol: &Symbol) -> bool {
    symbol.source != NameSource::GoFunctions && clone_of(&symbol.name) != symbol.name
}

/// A function as its row shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown<'r> {
    pub(crate) name: Cow<'r, str>,
    /// Where it begins in its image.
    pub(crate) address: ImageAddress,
    /// The image and the line where it is in the source.
    pub(crate) line: Option<(ImageId, SourceLine)>,
    /// It is told by a clone, as nothing else of the function is in the recording.
    is_clone: bool,
}

impl<'r> Shown<'r> {
    /// What a symbol says of its function: its name, and of a clone the name of the function.
    pub(crate) fn new(image: ImageId, symbol: &'r Symbol, options: &Options) -> Shown<'r> {
        let is_clone = options.merge_clones && is_clone(symbol);
        let name = match options.name_style.name(symbol) {
            name if !is_clone => name,
            Cow::Borrowed(name) => Cow::Borrowed(clone_of(name)),
            Cow::Owned(name) => Cow::Owned(clone_of(&name).to_owned()),
        };
        Shown { name, address: symbol.address, line: symbol.line.map(|line| (image, line)), is_clone }
    }

    /// Takes in what another symbol of the function says. The function's own line counts; where that is not known, the
    /// first line of all clones: a copy begins with the function, a cold part within it.
    pub(crate) fn merge(&mut self, other: Shown<'r>) {
        let rank = |shown: &Shown<'_>| {
            let line = shown.line.map(|(_, line)| line.line);
            (shown.is_clone, line.is_none(), line)
        };
        if self.is_clone && rank(&other) < rank(self) {
            *self = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use oprof_profile::SourceFileId;

    use super::*;

    fn symbol(name: &str, mangled: &str, address: u64, file: Option<u32>) -> Symbol {
        Symbol {
            name: name.to_owned(),
            mangled: Some(mangled.to_owned()).filter(|name| !name.is_empty()),
            address: ImageAddress(address),
            size: 16,
            source: NameSource::SymbolTable,
            line: file.map(|file| SourceLine { file: SourceFileId(file), line: 1, column: 0 }),
        }
    }

    fn names(symbols: &[Symbol], merge_clones: bool) -> Vec<(&str, u32)> {
        let mut functions = functions(symbols, merge_clones);
        functions.sort_by_key(|function| function.symbol);
        functions.iter().map(|function| (function.name, function.repeat)).collect()
    }

    #[test]
    fn a_clone_is_of_its_function_only_where_clones_are_merged() {
        let symbols =
            [symbol("f.cold", "", 1, None), symbol("f", "", 9, None), symbol("g.isra.0", "", 5, None)];
        assert_eq!(names(&symbols, false), [("f.cold", 0), ("f", 0), ("g.isra.0", 0)]);
        assert_eq!(names(&symbols, true), [("f", 0), ("f", 0), ("g", 0)]);
    }

    #[test]
    fn of_several_functions_of_a_name_a_clone_is_of_the_one_of_its_file_or_the_nearest() {
        let of_file = |file| {
            [
                symbol("f", "", 0x1000, Some(0)),
                symbol("f", "", 0x2000, Some(1)),
                symbol("f.part.0", "", 0x1010, file),
                symbol("f.cold", "", 0x1ff0, file),
            ]
        };
        assert_eq!(names(&of_file(Some(1)), true)[2..], [("f", 1), ("f", 1)]);
        assert_eq!(names(&of_file(Some(7)), true)[2..], [("f", 0), ("f", 1)]);
        assert_eq!(names(&of_file(None), true)[2..], [("f", 0), ("f", 1)]);
    }

    #[test]
    fn clones_in_two_files_of_functions_that_are_not_there_stay_apart() {
        let symbols = [
            symbol("f.constprop.0", "", 0x1000, Some(0)),
            symbol("f.constprop.0", "", 0x1010, Some(1)),
            symbol("f.cold", "", 0x900, Some(1)),
            symbol("f.part.0", "", 0x2000, None),
        ];
        assert_eq!(names(&symbols, true), [("f", 1), ("f", 0), ("f", 0), ("f", 1)]);
    }

    #[test]
    fn constructors_that_only_their_mangled_names_tell_apart_stay_apart() {
        let symbols = [
            symbol("T::T()", "_ZN1TC1Ev", 1, None),
            symbol("T::T() [clone .cold]", "_ZN1TC2Ev.cold", 2, None),
            symbol("T::T() [clone .isra.0]", "_ZN1TC2Ev.isra.0", 3, None),
            symbol("T::T() [clone .cold]", "_ZN1TC1Ev.cold", 4, None),
        ];
        assert_eq!(names(&symbols, true), [("T::T()", 0), ("T::T()", 1), ("T::T()", 1), ("T::T()", 0)]);
    }

    #[test]
    fn functions_of_go_may_be_called_like_clones() {
        let go = Symbol { source: NameSource::GoFunctions, ..symbol("tea.cold", "", 1, None) };
        assert_eq!(names(&[go], true), [("tea.cold", 0)]);
    }
}
