//! Reads the rows of a symbol table.
//!
//! Tables of a hundred megabytes are passed over from the first row to the last: from a file they are read in parts
//! that are not kept, which takes less memory and is quicker than memory for all of them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use object::elf;
use object::pod::slice_from_all_bytes;
use object::read::elf::SectionHeader;
use object::read::{ReadRef, StringTable};

use crate::elf::{Class, Elf};

/// The symbols that are read of one table. Chromium has four million.
const MOST_SYMBOLS: u64 = 8 << 20;

/// The rows of a part. They fit into the caches of a processor.
const ROWS_OF_A_PART: usize = 8 << 10;

/// The rows of one table.
pub(crate) enum SymbolRows<'data, H: Class> {
    /// In memory.
    Held(&'data [H::Sym]),
    /// In a file.
    InFile { file: &'data File, offset: u64, count: usize },
}

impl<'data, H: Class> SymbolRows<'data, H> {
    /// The table of this type (SHT_SYMTAB, SHT_DYNSYM) with the strings that hold its names; no rows where there is
    /// none. `None` where they are not in the file, or have more rows than is credible.
    pub(crate) fn of<R: ReadRef<'data>>(
        elf: &Elf<'data, H, R>,
        kind: elf::SectionType,
    ) -> Option<(SymbolRows<'data, H>, StringTable<'data, R>)> {
        let endian = elf.endian;
        if !elf.has_sections()
            && kind == elf::SHT_DYNSYM
            && let Some(symbols) = elf.dynamic_symbols()
        {
            return Some(symbols);
        }
        let Some(section) = elf.sections.iter().find(|section| section.sh_type(endian) == kind) else {
            return Some((SymbolRows::Held(&[]), StringTable::default()));
        };
        let strings = elf.sections.strings(endian, elf.data, section.link(endian)).ok()?;
        let (offset, size) = section.file_range(endian).unwrap_or((0, 0));
        Some((SymbolRows::at(elf, offset, size)?, strings))
    }

    /// The rows in `size` bytes at `offset` of the file; `None` where these are not there, or more than is credible.
    pub(crate) fn at<R: ReadRef<'data>>(elf: &Elf<'data, H, R>, offset: u64, size: u64) -> Option<Self> {
        let row = size_of::<H::Sym>() as u64;
        let count = size / row;
        if !size.is_multiple_of(row)
            || count > MOST_SYMBOLS
            || offset.checked_add(size)? > elf.data.len().ok()?
        {
            return None;
        }
        Some(match elf.file {
            Some(file) => SymbolRows::InFile { file, offset, count: usize::try_from(count).ok()? },
            None => SymbolRows::Held(slice_from_all_bytes(elf.data.read_bytes_at(offset, size).ok()?).ok()?),
        })
    }

    /// Calls `visit` with every row and its index; what cannot be read any more is left out.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize, &H::Sym)) {
        match *self {
            SymbolRows::Held(rows) => rows.iter().enumerate().for_each(|(index, row)| visit(index, row)),
            SymbolRows::InFile { file, offset, count } => {
                let mut part = vec![0; ROWS_OF_A_PART.min(count) * size_of::<H::Sym>()];
                for first in (0..count).step_by(ROWS_OF_A_PART) {
                    let size = ROWS_OF_A_PART.min(count - first) * size_of::<H::Sym>();
                    let place = offset + (first * size_of::<H::Sym>()) as u64;
                    if file.read_exact_at(&mut part[..size], place).is_err() {
                        return;
                    }
                    let rows = slice_from_all_bytes::<H::Sym>(&part[..size]).unwrap_or_default();
                    rows.iter().enumerate().for_each(|(index, row)| visit(first + index, row));
                }
            }
        }
    }

    /// The row of this index.
    pub(crate) fn row(&self, index: usize) -> Option<H::Sym> {
        match *self {
            SymbolRows::Held(rows) => rows.get(index).copied(),
            SymbolRows::InFile { file, offset, count } => {
                // The larger of the two forms of a row.
                let mut bytes = [0; size_of::<elf::Sym64<object::Endianness>>()];
                let bytes = bytes.get_mut(..size_of::<H::Sym>()).filter(|_| index < count)?;
                file.read_exact_at(bytes, offset + (index * size_of::<H::Sym>()) as u64).ok()?;
                slice_from_all_bytes(bytes).ok()?.first().copied()
            }
        }
    }
}
