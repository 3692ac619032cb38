//! What the tables of an image, or an index of them, answer to some addresses.

use std::collections::HashMap;

use oprof_profile::{ImageAddress, ImageNames, ImageOffset, NameSource, SymbolId, Unresolved};

use rayon::prelude::*;

use crate::resolve::symbol;

/// The names that a task demangles.
const NAMES_OF_A_TASK: usize = 128;

/// A function as the table that named it has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) start: ImageAddress,
    /// Its length in bytes.
    pub(crate) size: u64,
    pub(crate) source: NameSource,
    /// The name as it stands in the table: mangled, with its version.
    pub(crate) name: Vec<u8>,
}

/// The functions that hold some addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    /// Each function once.
    pub(crate) functions: Vec<Function>,
    /// For each address, in the order in which they were asked for, the index of the function that holds it.
    pub(crate) places: Vec<Option<usize>>,
    /// Whether the image has any symbol.
    pub(crate) any_symbols: bool,
}

impl Answers {
    /// Gives the names to `offsets`, `place` being the index of the address of each among those asked for.
    pub(crate) fn name(
        mut self,
        offsets: &[ImageOffset],
        place: impl Fn(ImageOffset) -> Option<usize>,
    ) -> ImageNames {
        let reason = if self.any_symbols { Unresolved::NoSymbolAtOffset } else { Unresolved::NoSymbols };
        let mut names = ImageNames::unresolved(offsets.iter().copied(), reason);
        let mut known: HashMap<usize, SymbolId> = HashMap::new();
        let mut named: Vec<Function> = Vec::new();
        for (offset, name) in &mut names.offsets {
            let Some(index) = place(*offset).and_then(|place| self.places[place]) else { continue };
            let id = *known.entry(index).or_insert_with(|| {
                named.push(std::mem::take(&mut self.functions[index]));
                SymbolId((named.len() - 1) as u32)
            });
            *name = Ok(id);
        }
        let symbol =
            |function: Function| symbol(&function.name, function.start, function.size, function.source);
        names.symbols = named.into_par_iter().with_min_len(NAMES_OF_A_TASK).map(symbol).collect();
        names
    }
}
