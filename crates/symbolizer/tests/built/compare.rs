//! Compares the names of an image with what binutils say of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use oprof_profile::{ImageIdentity, ImageOffset, NameSource, Unresolved};
use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

use super::frames::{frames, holder};
use super::layout::code_segments;
use super::nm::{Ranges, nm};
use super::objdump::stubs;

/// How many bytes of an image were compared, by what named them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    /// By a symbol table.
    pub(crate) symbols: usize,
    /// By the procedure linkage table.
    pub(crate) stubs: usize,
    /// Of these, those that objdump has no name for: stubs of mold, and of programs without dynamic symbols.
    pub(crate) stubs_unknown_to_objdump: usize,
    /// By the table for unwinding.
    pub(crate) frames: usize,
    /// By nothing.
    pub(crate) nameless: usize,
}

/// Compares every 64th byte of an image's code, every instruction of its stubs and the first and last byte of every
/// function with the tables as nm, objdump and readelf tell them. `None` where binutils are missing.
pub(crate) fn compare(image: &Path) -> Option<Compared> {
    let segments = code_segments(image)?;
    assert!(!segments.is_empty(), "{}: readelf shows no code", image.display());
    let [symtab, dynsym] = [nm(image, false)?, nm(image, true).unwrap_or_default()];
    let (stubs, frames) = (stubs(image)?, frames(image)?);
    let file = File::open(image).unwrap();
    let identity = build_id(&file).unwrap().map_or(ImageIdentity::None, ImageIdentity::BuildId);

    let mut addresses: BTreeMap<u64, u64> = BTreeMap::new();
    for &(offset, address, size) in &segments {
        addresses.extend((0..size).step_by(64).map(|distance| (address + distance, offset + distance)));
        let ends = symtab
            .iter()
            .chain(&dynsym)
            .flat_map(|s| [s.start, s.start + s.size.max(1) - 1, s.start + s.size])
            .chain(frames.iter().flat_map(|(&start, &end)| [start, end.saturating_sub(1), end]))
            .chain(stubs.keys().copied());
        for end in ends.filter(|end| (address..address + size).contains(end)) {
            addresses.insert(end, end - address + offset);
        }
    }
    let offsets: Vec<ImageOffset> = addresses.values().copied().map(ImageOffset).collect();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &identity, &offsets);
    let nothing = if symtab.is_empty() && dynsym.is_empty() {
        Unresolved::NoSymbols
    } else {
        Unresolved::NoSymbolAtOffset
    };

    let mut compared = Compared::default();
    let tables = [Ranges::new(&symtab), Ranges::new(&dynsym)];
    for (&address, &offset) in &addresses {
        let expected = tables.iter().map(|table| table.innermost(address)).find(|names| !names.is_empty());
        let found = names.lookup(ImageOffset(offset)).map(|id| names.symbol(id).unwrap());
        let whither = || format!("{} at address {address:x}, offset {offset:x}", image.display());
        let raw = found.map(|symbol| symbol.mangled.as_ref().unwrap_or(&symbol.name).as_str());
        match (expected, found) {
            (Some(expected), Ok(symbol)) => {
                let raw = raw.unwrap();
                assert!(expected.contains(raw), "{}: {raw}, not one of {expected:?}", whither());
                let by_table = matches!(symbol.source, NameSource::SymbolTable | NameSource::DynamicSymbols);
                assert!(by_table, "{}: {symbol:?}", whither());
                compared.symbols += 1;
            }
            (Some(expected), Err(reason)) => panic!("{}: {reason:?}, not one of {expected:?}", whither()),
            (None, Ok(symbol)) if symbol.source == NameSource::Plt => {
                if let Some(stub) = stubs.get(&address) {
                    let raw = raw.unwrap();
                    let raw = if raw.starts_with('.') { ".plt" } else { raw };
                    if stub == ".plt" && raw != stub {
                        compared.stubs_unknown_to_objdump += 1;
                        compared.stubs += 1;
                        continue;
                    }
                    assert_eq!(raw, stub, "{}", whither());
                }
                compared.stubs += 1;
            }
            (None, Ok(symbol)) if symbol.source == NameSource::UnwindTable => {
                let entry = Some((symbol.address.0, symbol.address.0 + symbol.size));
                assert_eq!(holder(&frames, address), entry, "{}", whither());
                assert_eq!(symbol.name, format!("fun_{:x}", symbol.address.0), "{}", whither());
                assert_eq!(stubs.get(&address), None, "{}", whither());
                compared.frames += 1;
            }
            (None, Ok(symbol)) => {
                // No symbol with a size holds it, so this must be one without, with no other between.
                assert!(
                    symbol.address.0 <= address && address < symbol.address.0 + symbol.size,
                    "{}",
                    whither()
                );
                let between =
                    symtab.iter().chain(&dynsym).find(|s| symbol.address.0 < s.start && s.start <= address);
                assert!(between.is_none(), "{}: {} reaches past {between:?}", whither(), symbol.name);
                let own = symtab.iter().chain(&dynsym).find(|s| s.start == symbol.address.0 && s.size == 0);
                assert!(own.is_some(), "{}: {} is past its end", whither(), symbol.name);
                compared.symbols += 1;
            }
            (None, Err(reason)) => {
                assert_eq!(reason, nothing, "{}", whither());
                assert_eq!(holder(&frames, address), None, "{}", whither());
                assert_eq!(stubs.get(&address), None, "{}", whither());
                compared.nameless += 1;
            }
        }
    }
    Some(compared)
}
