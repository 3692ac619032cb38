//! Turns the symbol tables of an image into the symbols that hold offsets of its file.
//!
//! As in `symbol_table.rs`, tables are passed over instead of sorted: one pass finds where symbols begin around the
//! offsets, a second one chooses among those that begin there.

use object::elf::{self, SHT_SYMTAB};
use object::read::elf::{SectionHeader, Sym};
use object::read::{ReadRef, StringTable};
use oprof_profile::{ImageAddress, NameSource};

use super::OffsetOrigin;
use super::choice::{Candidate, second_is_better};
use crate::elf::{Class, Elf};
use crate::symbol_rows::SymbolRows;

/// A section of the image that holds code, as one of its tables knows it.
#[derive(Clone, Copy)]
struct Section {
    /// Where its first byte is, counted as offsets are, and the one behind its last.
    position: u64,
    end: u64,
    /// The address of its first byte, in the image, and in the file that holds the table.
    address: u64,
    own_address: u64,
}

/// `.symtab` of an image or of its debug file, told by where offsets count from.
struct ElfTable<'elf, 'data, H: Class, R: ReadRef<'data>> {
    elf: &'elf Elf<'data, H, R>,
    rows: SymbolRows<'data, H>,
    strings: StringTable<'data, R>,
    /// At their indexes in the file that holds the table; `None` for those without code.
    sections: Vec<Option<Section>>,
}

/// A symbol that counts.
pub(super) struct Row {
    start: Start,
    address: ImageAddress,
    /// Where its name is in the table's strings.
    name: u32,
    local: bool,
    weak: bool,
    /// Where the name of the source file that a local symbol is of is in the table's strings.
    file: Option<u32>,
}

/// A table of symbols that count.
pub(super) trait OffsetTable {
    /// Calls `visit` with every symbol, in the table's order.
    fn each(&self, visit: &mut dyn FnMut(Row));
    /// The name at this place of the table's strings.
    fn name(&self, at: u32) -> Option<&[u8]>;
}

/// Where a symbol begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Start {
    /// Counted as offsets are.
    position: u64,
    /// Where its section begins and ends.
    section: (u64, u64),
}

/// A symbol that holds offsets.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) name: Vec<u8>,
    pub(super) address: ImageAddress,
    pub(super) size: u64,
    pub(super) source: NameSource,
    /// The source file, as far as the table tells one.
    pub(super) file: Option<Vec<u8>>,
}

/// The symbols that hold some offsets.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) symbols: Vec<Holder>,
    /// For each offset the index of its symbol.
    pub(super) places: Vec<Option<usize>>,
}

/// The table of an image, or of a debug file of it. The sections of that have no bytes of their own: where they are is told
/// by those of the same names in the image. `None` where it is not in the file, or is too large to read.
pub(super) fn table<'elf, 'data, 'image, H: Class, R: ReadRef<'data>, I: ReadRef<'image>>(
    elf: &'elf Elf<'data, H, R>,
    image: Option<&Elf<'image, H, I>>,
    origin: OffsetOrigin,
) -> Option<Box<dyn OffsetTable + 'elf>> {
    let (rows, strings) = SymbolRows::of(elf, SHT_SYMTAB)?;
    let text = match image {
        None => text_position(elf),
        Some(image) => text_position(image),
    };
    let sections = elf.sections.iter().map(|section| {
        let name = elf.sections.section_name(elf.endian, section).unwrap_or_default();
        let own_address: u64 = section.sh_addr(elf.endian).into();
        // Left over by linkers; of an object file only this one counts.
        if !elf.is_code(section) || own_address == 0 && name != b".text" {
            return None;
        }
        let (position, size, address) = match image {
            None => section_place::<H>(section, elf.endian),
            Some(image) => {
                let (_, section) = image.sections.section_by_name(image.endian, name)?;
                section_place::<H>(section, image.endian)
            }
        };
        let position = match origin {
            OffsetOrigin::File => position,
            // What is before it is never sampled.
            OffsetOrigin::Text => position.checked_sub(text)?,
            OffsetOrigin::Address => address,
        };
        Some(Section { position, end: position.saturating_add(size), address, own_address })
    });
    let sections = sections.collect();
    Some(Box::new(ElfTable { elf, rows, strings, sections }))
}

impl<'data, H: Class, R: ReadRef<'data>> OffsetTable for ElfTable<'_, 'data, H, R> {
    fn each(&self, visit: &mut dyn FnMut(Row)) {
        let endian = self.elf.endian;
        let mut file = None;
        self.rows.each(|index, symbol| {
            let kind = symbol.st_type();
            if kind == elf::STT_FILE {
                file = Some(symbol.st_name(endian));
            }
            if index == 0 || kind == elf::STT_SECTION || kind == elf::STT_FILE {
                return;
            }
            let section = usize::from(symbol.st_shndx(endian).0);
            let Some(section) = self.sections.get(section).copied().flatten() else { return };
            let name = symbol.st_name(endian);
            if kind == elf::STT_NOTYPE && self.name(name).is_none_or(is_marker) {
                return;
            }
            let value: u64 = symbol.st_value(endian).into();
            let distance = value.wrapping_sub(section.own_address);
            visit(Row {
                start: Start {
                    position: section.position.wrapping_add(distance),
                    section: (section.position, section.end),
                },
                address: ImageAddress(section.address.wrapping_add(distance)),
                name,
                local: symbol.st_bind() == elf::STB_LOCAL,
                weak: symbol.st_bind() == elf::STB_WEAK,
                file: file.filter(|_| symbol.st_bind() == elf::STB_LOCAL),
            });
        });
    }

    fn name(&self, at: u32) -> Option<&[u8]> {
        self.strings.get(at).ok()
    }
}

/// Where `.text` is in the file.
fn text_position<'data, H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> u64 {
    let text = elf.sections.section_by_name(elf.endian, b".text");
    text.map_or(0, |(_, text)| text.sh_offset(elf.endian).into())
}

/// Where a section is in the file, its size, and its address.
fn section_place<H: Class>(section: &H::SectionHeader, endian: object::Endianness) -> (u64, u64, u64) {
    (section.sh_offset(endian).into(), section.sh_size(endian).into(), section.sh_addr(endian).into())
}

/// A label of the assembler's or the toolchain's, which names no code.
fn is_marker(name: &[u8]) -> bool {
    name.is_empty()
        || name.starts_with(b".L")
        || matches!(name, b"$a" | b"$d" | b"$t" | b"$x" | b"gcc2_compiled.")
}

/// The symbols that hold `offsets`, which ascend and are distinct; `None` where no table has any symbol. `length` is that
/// of the image's file.
pub(super) fn holders(tables: &[Box<dyn OffsetTable + '_>], offsets: &[u64], length: u64) -> Option<Found> {
    let mut any = false;
    // For each offset the last start that is not above it, and the first that is.
    let mut preceding: Vec<Option<Start>> = vec![None; offsets.len()];
    let mut following: Vec<Option<Start>> = vec![None; offsets.len()];
    for table in tables {
        table.each(&mut |Row { start, .. }| {
            any = true;
            let at = offsets.partition_point(|offset| *offset < start.position);
            if at < offsets.len() {
                preceding[at] = preceding[at].max(Some(start));
            }
            if let Some(below) = at.checked_sub(1) {
                following[below] = Some(following[below].map_or(start, |known| known.min(start)));
            }
        });
    }
    for place in 1..offsets.len() {
        preceding[place] = preceding[place].max(preceding[place - 1]);
    }
    for place in (1..offsets.len()).rev() {
        following[place - 1] = following[place - 1].or(following[place]);
    }

    // Which of those starts are needed, and how far they reach.
    let mut starts: Vec<(Start, u64)> = Vec::new();
    let mut places = Vec::with_capacity(offsets.len());
    for (offset, (start, next)) in offsets.iter().zip(preceding.iter().zip(&following)) {
        places.push(start.and_then(|start| {
            let end = match next {
                Some(next) if next.section == start.section => next.position,
                Some(_) => start.section.1,
                // The last symbol of all reaches on by as many bytes as the file has.
                None => start.section.0.saturating_add(length),
            };
            if *offset >= end {
                return None;
            }
            if starts.last().is_none_or(|(last, _)| *last != start) {
                starts.push((start, end));
            }
            Some(starts.len() - 1)
        }));
    }

    let mut chosen: Vec<Option<(Candidate<'_>, ImageAddress, NameSource)>> = vec![None; starts.len()];
    // Local symbols that begin there, with their files.
    let mut files: Vec<Vec<(&[u8], &[u8])>> = vec![Vec::new(); starts.len()];
    for (table, source) in tables.iter().zip([NameSource::SymbolTable, NameSource::DebugFile]) {
        table.each(&mut |row| {
            let Ok(at) = starts.binary_search_by_key(&row.start, |(start, _)| *start) else { return };
            let Some(name) = table.name(row.name) else { return };
            let file = row.file.and_then(|file| table.name(file)).filter(|file| !file.is_empty());
            files[at].extend(file.map(|file| (name, file)));
            let candidate = Candidate { name, local: row.local, weak: row.weak };
            if chosen[at].as_ref().is_none_or(|(first, ..)| second_is_better(first, &candidate)) {
                chosen[at] = Some((candidate, row.address, source));
            }
        });
    }
    let mut found = Found::default();
    let numbers: Vec<Option<usize>> = chosen
        .iter()
        .zip(&starts)
        .zip(&files)
        .map(|((chosen, (start, end)), files)| {
            let (candidate, address, source) = chosen.as_ref()?;
            found.symbols.push(Holder {
                name: candidate.name.to_vec(),
                address: *address,
                size: end - start.position,
                source: *source,
                // That of the symbol itself, or of one that it is a version of: `memcpy` tells that of
                // `memcpy@@GLIBC_2.14`.
                file: files
                    .iter()
                    .find(|(name, _)| candidate.name.starts_with(name))
                    .map(|(_, file)| file.to_vec()),
            });
            Some(found.symbols.len() - 1)
        })
        .collect();
    found.places = places.into_iter().map(|place| place.and_then(|place| numbers[place])).collect();
    any.then_some(found)
}
