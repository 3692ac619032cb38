//! Names of code, folded: a symbol is the same in every build of its image.

use std::collections::hash_map::Entry;

use oprof_profile::{ImageAddress, ImageId, ImageOffset, Recording, SymbolId, Unresolved};
use rustc_hash::FxHashMap;

use crate::function::{Function, Shown, functions};
use crate::image_name::{ImageNames, NameId};
use crate::options::Options;

/// What code goes by where it has no symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Nameless {
    NoSymbols,
    KernelRestricted,
    Anonymous,
    BetweenSymbols,
    Deleted,
    TooManyOpenFiles,
    BuildIdMismatch,
    Unreadable,
    NoMapping,
    NamesMissing,
}

impl Nameless {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Nameless::NoSymbols => "(no symbols)",
            Nameless::KernelRestricted => "(kernel symbols hidden)",
            Nameless::Anonymous => "(JIT without map)",
            Nameless::BetweenSymbols => "(unresolved)",
            Nameless::Deleted => "(deleted)",
            Nameless::TooManyOpenFiles => "(not held open)",
            Nameless::BuildIdMismatch => "(build id mismatch)",
            Nameless::Unreadable => "(not readable)",
            Nameless::NoMapping => "(no mapping)",
            Nameless::NamesMissing => "(names missing)",
        }
    }
}

impl Nameless {
    /// What code goes by that has no symbol for this reason; with OProfile's words where it has some.
    pub(crate) fn of(reason: Unresolved, oprofile_words: bool) -> Nameless {
        match reason {
            Unresolved::KernelRestricted if !oprofile_words => Nameless::KernelRestricted,
            Unresolved::Anonymous if !oprofile_words => Nameless::Anonymous,
            Unresolved::NoSymbols | Unresolved::KernelRestricted | Unresolved::Anonymous => {
                Nameless::NoSymbols
            }
            Unresolved::Deleted => Nameless::Deleted,
            Unresolved::TooManyOpenFiles => Nameless::TooManyOpenFiles,
            Unresolved::BuildIdMismatch => Nameless::BuildIdMismatch,
            Unresolved::Unreadable => Nameless::Unreadable,
            Unresolved::NoMapping => Nameless::NoMapping,
            Unresolved::NamesMissing => Nameless::NamesMissing,
            _ => Nameless::BetweenSymbols,
        }
    }
}

/// What a piece of code goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Code {
    /// The symbol of this index in [`SymbolNames`].
    Symbol(u32),
    /// It has no symbol.
    Nameless(Nameless),
}

/// The names of all symbols of a recording.
#[derive(Debug)]
pub(crate) struct SymbolNames<'r> {
    recording: &'r Recording,
    symbols: Vec<Shown<'r>>,
    /// For each of them: the filter of symbols lets it through.
    taken: Vec<bool>,
    /// Code of inlined functions goes by their names.
    inline: bool,
    /// Words for code without a symbol are OProfile's.
    oprofile_words: bool,
    /// For each image, for each of its symbols, the index in `symbols`.
    of_image: Vec<Vec<u32>>,
}

impl<'r> SymbolNames<'r> {
    pub(crate) fn new(
        recording: &'r Recording,
        images: &ImageNames<'_>,
        options: &Options,
    ) -> SymbolNames<'r> {
        let mut symbols: Vec<Shown<'r>> = Vec::new();
        let mut taken = Vec::new();
        let mut of_image = Vec::with_capacity(recording.names.len());
        let mut known: FxHashMap<(NameId, &str, u32), u32> = FxHashMap::default();
        for (names, image) in recording.names.iter().zip(0..) {
            let image = ImageId(image);
            let mut indexes = vec![0; names.symbols.len()];
            for Function { symbol, name, repeat } in functions(&names.symbols, options.merge_clones) {
                let shown = Shown::new(image, &names.symbols[symbol], options);
                indexes[symbol] = match known.entry((images.image(image), name, repeat)) {
                    Entry::Occupied(entry) => {
                        symbols[*entry.get() as usize].merge(shown);
                        *entry.get()
                    }
                    Entry::Vacant(entry) => {
                        symbols.push(shown);
                        taken.push(options.symbols.takes(&names.symbols[symbol]));
                        *entry.insert(symbols.len() as u32 - 1)
                    }
                };
            }
            of_image.push(indexes);
        }
        let Options { inline, oprofile_words, .. } = *options;
        SymbolNames { recording, symbols, taken, inline, oprofile_words, of_image }
    }

    /// What the code at an offset of an image goes by.
    pub(crate) fn code(&self, image: ImageId, offset: ImageOffset) -> Code {
        let place = self.recording.image_names(image).and_then(|names| names.place(offset));
        let innermost = place.filter(|_| self.inline).and_then(|place| place.inlined.first());
        match innermost.map_or_else(|| self.recording.lookup(image, offset), |frame| Ok(frame.function)) {
            Ok(SymbolId(symbol)) => self
                .of_image
                .get(image.0 as usize)
                .and_then(|indexes| indexes.get(symbol as usize))
                .map_or(Code::Nameless(Nameless::BetweenSymbols), |&index| Code::Symbol(index)),
            Err(reason) => Code::Nameless(Nameless::of(reason, self.oprofile_words)),
        }
    }

    /// The filter of symbols lets a symbol through.
    pub(crate) fn is_taken(&self, code: Code) -> bool {
        matches!(code, Code::Symbol(index) if self.taken.get(index as usize).copied().unwrap_or(false))
    }

    /// Where in its image a symbol begins; `None` for what has no symbol.
    pub(crate) fn address(&self, code: Code) -> Option<ImageAddress> {
        let Code::Symbol(index) = code else { return None };
        self.symbols.get(index as usize).map(|symbol| symbol.address)
    }

    /// Where a symbol begins in one image, and its size in bytes; `None` where the image does not have it.
    pub(crate) fn extent(&self, image: ImageId, code: Code) -> Option<(ImageAddress, u64)> {
        let Code::Symbol(index) = code else { return None };
        let symbol = self.of_image.get(image.0 as usize)?.iter().position(|known| *known == index)?;
        let symbol = self.recording.image_names(image)?.symbols.get(symbol)?;
        Some((symbol.address, symbol.size))
    }

    /// The file and the line where a symbol is in the source; `None` where that is not known.
    pub(crate) fn line(&self, code: Code) -> Option<(&'r str, u32)> {
        let Code::Symbol(index) = code else { return None };
        let (image, line) = self.symbols.get(index as usize)?.line?;
        Some((self.recording.image_names(image)?.file(line.file)?, line.line))
    }

    /// The name of a piece of code.
    pub(crate) fn text(&self, code: Code) -> &str {
        match code {
            Code::Symbol(index) => self.symbols.get(index as usize).map_or("", |symbol| &symbol.name),
            Code::Nameless(nameless) => nameless.text(),
        }
    }
}
