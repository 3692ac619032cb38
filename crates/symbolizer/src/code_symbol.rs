//! Turns the entries of an ELF symbol table into the symbols that can name code.

use object::elf;
use object::read::elf::Sym;
use object::read::{ReadRef, SectionIndex, StringTable};
use oprof_profile::{ImageAddress, NameSource, Unresolved};

use crate::elf::{Class, Elf};
use crate::symbol_rows::SymbolRows;

/// Who can see a symbol, the one that is preferred as a name first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binding {
    /// Every image (STB_GLOBAL, STB_GNU_UNIQUE).
    Global,
    /// Every image, unless another defines it as global (STB_WEAK).
    Weak,
    /// Its own object file (STB_LOCAL).
    Local,
}

/// A symbol that can name code. Its name stays in the table until it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeSymbol {
    /// Its place in the symbol table.
    pub(crate) index: usize,
    /// The address of its first byte.
    pub(crate) start: ImageAddress,
    /// Its length in bytes; 0 where the table does not know it, as for most code written in assembler.
    pub(crate) size: u64,
    /// The address behind the last byte that it can hold when it has no size: the end of its section.
    pub(crate) limit: ImageAddress,
    /// Who can see it.
    pub(crate) binding: Binding,
    /// Whether the table calls it a function, rather than nothing at all.
    pub(crate) is_function: bool,
}

impl CodeSymbol {
    /// The address behind its last byte, as far as its size tells.
    pub(crate) fn end(&self) -> ImageAddress {
        ImageAddress(self.start.0.saturating_add(self.size))
    }
}

/// A table of code symbols, read anew at every pass instead of being held in memory a second time.
pub(crate) trait CodeTable {
    /// Calls `visit` for every symbol, in the table's order.
    fn visit(&self, visit: &mut dyn FnMut(CodeSymbol));

    /// The name of the symbol of this index; `None` where it cannot be read.
    fn name(&self, index: usize) -> Option<&[u8]>;

    /// What kind of table it is.
    fn source(&self) -> NameSource;
}

/// What reading a single row takes, in bytes in which the end of a string is searched.
const COST_OF_A_ROW: u64 = 256;

/// `.symtab` or `.dynsym` of an ELF image.
pub(crate) struct ElfSymbols<'elf, 'data, H: Class, R: ReadRef<'data>> {
    elf: &'elf Elf<'data, H, R>,
    rows: SymbolRows<'data, H>,
    strings: StringTable<'data, R>,
    source: NameSource,
    /// What is added to the addresses of the table, with wrap-around.
    distance: u64,
}

impl<'elf, 'data, H: Class, R: ReadRef<'data>> ElfSymbols<'elf, 'data, H, R> {
    /// The table of this type (SHT_SYMTAB, SHT_DYNSYM); an empty one where the image has none. Fails with
    /// [`Unresolved::Unreadable`] where the image claims one that is not in the file, or is too large to read.
    pub(crate) fn new(
        elf: &'elf Elf<'data, H, R>,
        section: elf::SectionType,
        source: NameSource,
    ) -> Result<Self, Unresolved> {
        let (rows, strings) = SymbolRows::of(elf, section).ok_or(Unresolved::Unreadable)?;
        Ok(ElfSymbols { elf, rows, strings, source, distance: 0 })
    }

    /// The same table for an image whose addresses are `distance` above (with wrap-around).
    pub(crate) fn moved(self, distance: u64) -> Self {
        ElfSymbols { distance, ..self }
    }

    fn code_symbol(&self, index: usize, symbol: &H::Sym) -> Option<CodeSymbol> {
        let endian = self.elf.endian;
        let kind = symbol.st_type();
        let is_function = kind == elf::STT_FUNC || kind == elf::STT_GNU_IFUNC;
        let section = symbol.st_shndx(endian);
        if !(is_function || kind == elf::STT_NOTYPE) || section == elf::SHN_UNDEF {
            return None;
        }
        // Indices from SHN_LORESERVE on stand for none: an image has not so many sections.
        let in_section = section.0 < elf::SHN_LORESERVE;
        let section = in_section.then_some(SectionIndex(section.0.into()));
        let section_end = match self.elf.has_sections() {
            true => section.and_then(|section| self.elf.code_section_end(section)),
            false => self.elf.code_segment_end(ImageAddress(symbol.st_value(endian).into())),
        };
        if !is_function && section_end.is_none() {
            return None;
        }
        let binding = match symbol.st_bind() {
            elf::STB_LOCAL => Binding::Local,
            elf::STB_WEAK => Binding::Weak,
            _ => Binding::Global,
        };
        let size: u64 = symbol.st_size(endian).into();
        if !is_function && size == 0 && binding == Binding::Local {
            let name = symbol.name(endian, self.strings).ok()?;
            if is_marker(self.elf.machine, name) {
                return None;
            }
        }
        let value: u64 = symbol.st_value(endian).into();
        let start = match self.elf.machine {
            // Bit 0 of a function's value says that it is Thumb, MIPS16 or microMIPS code.
            elf::EM_ARM | elf::EM_MIPS if is_function => ImageAddress(value & !1),
            _ => ImageAddress(value),
        };
        let moved = |address: ImageAddress| ImageAddress(address.0.wrapping_add(self.distance));
        let limit = moved(section_end.unwrap_or(start));
        Some(CodeSymbol { index, start: moved(start), size, limit, binding, is_function })
    }
}

impl<'data, H: Class, R: ReadRef<'data>> CodeTable for ElfSymbols<'_, 'data, H, R> {
    fn visit(&self, visit: &mut dyn FnMut(CodeSymbol)) {
        self.rows.each(|index, symbol| {
            if let Some(symbol) = self.code_symbol(index, symbol) {
                visit(symbol);
            }
        });
    }

    fn name(&self, index: usize) -> Option<&[u8]> {
        self.elf.budget.search(COST_OF_A_ROW)?;
        self.rows.row(index)?.name(self.elf.endian, self.strings).ok()
    }

    fn source(&self) -> NameSource {
        self.source
    }
}

/// Whether a local symbol without type and size is a note of the toolchain and names no code: no name at all,
/// an assembler's local label (`.L42`), annobin's notes (`.annobin_..`), a mapping symbol. Mapping symbols mark
/// where code and data begin (`$x`, `$d.7`: the ELF supplements for ARM and AArch64; `$xrv64i`: for RISC-V).
fn is_marker(machine: elf::Machine, name: &[u8]) -> bool {
    if name.is_empty()
        || name.starts_with(b".L")
        || name.starts_with(b".annobin")
        || name == b"gcc2_compiled."
    {
        return true;
    }
    match (machine, name) {
        (elf::EM_ARM | elf::EM_AARCH64, [b'$', b'a' | b'd' | b't' | b'x', rest @ ..]) => {
            rest.is_empty() || rest[0] == b'.'
        }
        (elf::EM_RISCV, [b'$', b'd' | b'x', rest @ ..]) => {
            rest.is_empty() || rest[0] == b'.' || rest.starts_with(b"rv")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_name_no_code() {
        for name in ["", ".L0", ".annobin_crt1.c", "gcc2_compiled."] {
            assert!(is_marker(elf::EM_X86_64, name.as_bytes()), "{name}");
        }
        for name in ["$a", "$t", "$d.12", "$x"] {
            assert!(is_marker(elf::EM_ARM, name.as_bytes()), "{name}");
            assert!(!is_marker(elf::EM_X86_64, name.as_bytes()), "{name}");
        }
        assert!(is_marker(elf::EM_RISCV, b"$xrv64i2p1_m2p0"));
        for name in ["$abc", "main", "$", ".text_start"] {
            assert!(!is_marker(elf::EM_AARCH64, name.as_bytes()), "{name}");
        }
    }
}
