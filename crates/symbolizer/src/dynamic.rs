//! Finds the dynamic symbols of an image without section headers: where the dynamic linker finds them.
//!
//! Of its table (PT_DYNAMIC; the gABI, "Dynamic Section") four entries count: DT_SYMTAB, DT_STRTAB with DT_STRSZ, and
//! one of the two hash tables, which alone tell how many symbols there are.

use object::Endian;
use object::elf;
use object::read::elf::{Dyn, FileHeader, GnuHashTable, ProgramHeader};
use object::read::{ReadRef, StringTable};
use oprof_profile::ImageAddress;

use crate::elf::{Class, Elf};
use crate::symbol_rows::SymbolRows;

/// The entries that are looked at. There are about forty kinds, and one for each library.
const MOST_ENTRIES: usize = 64 << 10;

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The dynamic symbols and the strings that hold their names; `None` where there are none, or not where the table
    /// says.
    pub(crate) fn dynamic_symbols(&self) -> Option<(SymbolRows<'data, H>, StringTable<'data, R>)> {
        let entries = self.dynamic_entries()?;
        let value = |tag: elf::DynamicTag| {
            let entry = entries.iter().take(MOST_ENTRIES).find(|entry| entry.d_tag(self.endian) == tag)?;
            Some(entry.d_val(self.endian).into())
        };
        let address = |tag| value(tag).map(ImageAddress);
        let (symbols, strings) = (address(elf::DT_SYMTAB)?, address(elf::DT_STRTAB)?);
        let count = address(elf::DT_HASH).and_then(|table| self.hashed_symbols(table));
        let count =
            count.or_else(|| address(elf::DT_GNU_HASH).and_then(|table| self.gnu_hashed_symbols(table)));
        let row = size_of::<H::Sym>() as u64;
        // Without a usable hash table: linkers put the strings behind the symbols.
        let size = match count {
            Some(count) => u64::from(count) * row,
            None => strings.0.checked_sub(symbols.0)? / row * row,
        };
        let (offset, most) = self.file_range_from(symbols)?;
        let rows = SymbolRows::at(self, offset, size.min(most / row * row))?;
        let (offset, most) = self.file_range_from(strings)?;
        let end = offset + value(elf::DT_STRSZ)?.min(most);
        Some((rows, StringTable::new(self.data, offset, end)))
    }

    fn dynamic_entries(&self) -> Option<&'data [<H as FileHeader>::Dyn]> {
        self.program_headers.iter().find_map(|segment| segment.dynamic(self.endian, self.data).ok()?)
    }

    /// The number of symbols by DT_HASH: its second word.
    fn hashed_symbols(&self, table: ImageAddress) -> Option<u32> {
        let (offset, _) = self.file_range_from(table)?;
        let bytes = self.data.read_bytes_at(offset.checked_add(4)?, 4).ok()?;
        Some(self.endian.read_u32(*bytes.first_chunk()?)).filter(|&count| count > 0)
    }

    /// The number of symbols by DT_GNU_HASH: those up to the last one in it.
    fn gnu_hashed_symbols(&self, table: ImageAddress) -> Option<u32> {
        let table = GnuHashTable::<H>::parse(self.endian, self.bytes_from(table)?).ok()?;
        table.symbol_table_length(self.endian)
    }
}
