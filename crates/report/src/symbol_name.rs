//! Names of code, folded: a symbol is the same in every build of its image.

use oprof_profile::{ImageId, ImageOffset, Recording, Symbol, SymbolId, Unresolved};
use rustc_hash::FxHashMap;

use crate::image_name::{ImageNames, NameId};

/// What code goes by where it has no symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Nameless {
    NoSymbols,
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

impl From<Unresolved> for Nameless {
    fn from(reason: Unresolved) -> Nameless {
        match reason {
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
    /// Each symbol, and the image it was first seen in.
    symbols: Vec<(ImageId, &'r Symbol)>,
    /// Code of inlined functions goes by their names.
    inline: bool,
    /// For each image, for each of its symbols, the index in `symbols`.
    of_image: Vec<Vec<u32>>,
}

impl<'r> SymbolNames<'r> {
    pub(crate) fn new(recording: &'r Recording, images: &ImageNames<'_>, inline: bool) -> SymbolNames<'r> {
        let mut symbols = Vec::new();
        let mut of_image = Vec::with_capacity(recording.names.len());
        let mut known: FxHashMap<(NameId, &str, u32), u32> = FxHashMap::default();
        let mut repeats: FxHashMap<&str, u32> = FxHashMap::default();
        for (names, image) in recording.names.iter().zip(0..) {
            // Static functions of one name in one image are different symbols: the first of the name by address
            // is the same as the first in another build.
            let mut by_address: Vec<u32> = (0..names.symbols.len() as u32).collect();
            by_address.sort_by_key(|&index| names.symbols[index as usize].address);
            repeats.clear();
            let mut indexes = vec![0; names.symbols.len()];
            for index in by_address {
                let symbol = &names.symbols[index as usize];
                let repeat = repeats.entry(&symbol.name).and_modify(|repeat| *repeat += 1).or_default();
                let key = (images.image(ImageId(image)), symbol.name.as_str(), *repeat);
                indexes[index as usize] = *known.entry(key).or_insert_with(|| {
                    symbols.push((ImageId(image), symbol));
                    symbols.len() as u32 - 1
                });
            }
            of_image.push(indexes);
        }
        SymbolNames { recording, symbols, inline, of_image }
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
            Err(reason) => Code::Nameless(reason.into()),
        }
    }

    /// The file and the line where a symbol is in the source; `None` where that is not known.
    pub(crate) fn line(&self, code: Code) -> Option<(&'r str, u32)> {
        let Code::Symbol(index) = code else { return None };
        let (image, symbol) = self.symbols.get(index as usize)?;
        let line = symbol.line?;
        Some((self.recording.image_names(*image)?.file(line.file)?, line.line))
    }

    /// The name of a piece of code.
    pub(crate) fn text(&self, code: Code) -> &'r str {
        match code {
            Code::Symbol(index) => {
                self.symbols.get(index as usize).map_or("", |(_, symbol)| symbol.name.as_str())
            }
            Code::Nameless(nameless) => nameless.text(),
        }
    }
}
