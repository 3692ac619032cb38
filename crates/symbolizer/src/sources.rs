//! Collects the tables that can name the code of one image, best first.

use object::elf::{SHT_DYNSYM, SHT_SYMTAB};
use object::read::ReadRef;
use oprof_profile::{ImageAddress, NameSource, Unresolved};

use crate::code_symbol::{CodeTable, ElfSymbols};
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::made_table::MadeTable;
use crate::memory_bytes::MemoryBytes;
use crate::{go_functions, plt, unwind_table};

/// The ELF files that tell of one image: itself and what it was stripped of.
pub(crate) struct Sources<'elf, 'image, 'debug, 'file, H: Class, R: ReadRef<'image>> {
    /// The image itself.
    pub(crate) image: &'elf Elf<'image, H, R>,
    /// Its separate debug file.
    pub(crate) debug: Option<&'elf Elf<'debug, H, &'debug FileBytes<'file>>>,
    /// The image in its `.gnu_debugdata`.
    pub(crate) mini: Option<&'elf Elf<'debug, H, &'debug MemoryBytes<'debug>>>,
}

impl<'elf, 'image, H: Class, R: ReadRef<'image>> Sources<'elf, 'image, '_, '_, H, R> {
    /// The tables that name functions, best first.
    ///
    /// # Errors
    ///
    /// [`Unresolved::Unreadable`] where a table of the image itself is damaged. Whatever is wrong with what it was
    /// stripped of, the image's own names stand.
    pub(crate) fn symbol_tables(&self) -> Result<Vec<Box<dyn CodeTable + 'elf>>, Unresolved> {
        let mut tables: Vec<Box<dyn CodeTable + 'elf>> = Vec::new();
        tables.push(Box::new(ElfSymbols::new(self.image, SHT_SYMTAB, NameSource::SymbolTable)?));
        if let Some(debug) = self.debug
            && let Ok(table) = ElfSymbols::new(debug, SHT_SYMTAB, NameSource::DebugFile)
        {
            tables.push(Box::new(table.moved(self.image.distance_from(debug))));
        }
        if let Some(mini) = self.mini
            && let Ok(table) = ElfSymbols::new(mini, SHT_SYMTAB, NameSource::MiniDebugInfo)
        {
            tables.push(Box::new(table.moved(self.image.distance_from(mini))));
        }
        tables.push(Box::new(ElfSymbols::new(self.image, SHT_DYNSYM, NameSource::DynamicSymbols)?));
        Ok(tables)
    }

    /// The tables for the `addresses` (ascending and distinct) that no symbol holds, best first. A later one is asked
    /// only for what the earlier ones leave.
    pub(crate) fn fallback_tables(&self, addresses: &[ImageAddress]) -> [MadeTable; 3] {
        let plt = plt::table(self.image, addresses);
        let left = plt.without_name(addresses);
        let go = go_functions::table(self.image, &left);
        let left = go.without_name(&left);
        let unwind = unwind_table::table(self.image, self.debug, &left);
        [plt, go, unwind]
    }

    /// Calls `visit` with the starts and ends of everything that [`Sources::fallback_tables`] could name, in no order.
    pub(crate) fn fallback_bounds(&self, visit: &mut dyn FnMut(ImageAddress)) {
        plt::bounds(self.image, visit);
        go_functions::bounds(self.image, visit);
        unwind_table::bounds(self.image, self.debug, visit);
    }
}
