//! Turns a section of an object file into what a linker would make of it.
//!
//! Kernel modules are object files (ET_REL): what their debugging information says of addresses and of places in its
//! other sections is left to relocations (elf(5)), of which it needs the plain ones alone.

use object::elf;
use object::read::elf::{Rel, Rela, SectionHeader, Sym, SymbolTable};
use object::read::{ReadRef, SectionIndex, SymbolIndex};
use object::{Endian, Endianness};

use crate::elf::{Class, Elf};
use crate::section::SectionBytes;

/// What a relocation does to the field that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    /// Puts the value in the place of what is there.
    Set,
    Add,
    Subtract,
}

/// One relocation.
struct Relocation {
    offset: u64,
    kind: elf::RelocationType,
    symbol: SymbolIndex,
    /// `None`: what is in the field.
    addend: Option<u64>,
}

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The bytes of the section of this name, with its relocations where this is an object file: sections are at
    /// [`Elf::section_addresses`]. A relocation of another kind than those of debugging information changes nothing.
    pub(crate) fn linked_section_bytes(&self, name: &str) -> Option<SectionBytes<'data>> {
        let bytes = self.section_bytes(name)?;
        if !self.is_object {
            return Some(bytes);
        }
        let Some((index, _)) = self.sections.section_by_name(self.endian, name.as_bytes()) else {
            return Some(bytes);
        };
        // The first one: a hostile file could have every section claim to be relocations of this one.
        let mut sections = self.sections.iter();
        let is_of_it = |section: &&H::SectionHeader| {
            let is_table = [elf::SHT_RELA, elf::SHT_REL].contains(&section.sh_type(self.endian));
            is_table && section.sh_info(self.endian) as usize == index.0
        };
        let Some(section) = sections.find(is_of_it) else { return Some(bytes) };
        let (mut bytes, lease) = bytes.into_owned(self.budget)?;
        if let Ok(Some((relocations, table))) = section.rela(self.endian, self.data) {
            let relocations = relocations.iter().map(|relocation| Relocation {
                offset: relocation.r_offset(self.endian).into(),
                kind: relocation.r_type(self.endian, false),
                symbol: SymbolIndex(relocation.r_sym(self.endian, false) as usize),
                addend: Some(Into::<i64>::into(relocation.r_addend(self.endian)) as u64),
            });
            self.relocate(&mut bytes, relocations, table);
        } else if let Ok(Some((relocations, table))) = section.rel(self.endian, self.data) {
            let relocations = relocations.iter().map(|relocation| Relocation {
                offset: relocation.r_offset(self.endian).into(),
                kind: relocation.r_type(self.endian),
                symbol: SymbolIndex(relocation.r_sym(self.endian) as usize),
                addend: None,
            });
            self.relocate(&mut bytes, relocations, table);
        }
        Some(SectionBytes::Unfolded(bytes, lease))
    }

    fn relocate(&self, bytes: &mut [u8], relocations: impl Iterator<Item = Relocation>, table: SectionIndex) {
        let Ok(symbols) = self.sections.symbol_table_by_index(self.endian, self.data, table) else { return };
        for relocation in relocations {
            let Some((operation, width)) = operation(self.machine, relocation.kind) else { continue };
            let Ok(start) = usize::try_from(relocation.offset) else { continue };
            let Some(field) = start.checked_add(width).and_then(|end| bytes.get_mut(start..end)) else {
                continue;
            };
            let Some(value) = self.value(&symbols, relocation.symbol) else { continue };
            let old = read(field, self.endian);
            let value = value.wrapping_add(relocation.addend.unwrap_or(old));
            let new = match operation {
                Operation::Set => value,
                Operation::Add => old.wrapping_add(value),
                Operation::Subtract => old.wrapping_sub(value),
            };
            write(field, new, self.endian);
        }
    }

    /// The address of a symbol; 0 for the symbol that is none, `None` for one of another file.
    fn value(&self, symbols: &SymbolTable<'data, H, R>, index: SymbolIndex) -> Option<u64> {
        if index.0 == 0 {
            return Some(0);
        }
        let symbol = symbols.symbol(index).ok()?;
        let value: u64 = symbol.st_value(self.endian).into();
        match symbols.symbol_section(self.endian, symbol, index).ok()? {
            Some(section) if section.0 == 0 => None,
            Some(section) => {
                Some(value.wrapping_add(self.section_addresses.get(section.0).copied().unwrap_or(0)))
            }
            None => Some(value),
        }
    }
}

/// What a relocation does, and the bytes of its field; `None` for one that debugging information has no use for. From
/// the processors' supplements to the ELF specification.
fn operation(machine: elf::Machine, kind: elf::RelocationType) -> Option<(Operation, usize)> {
    use Operation::{Add, Set, Subtract};
    let operation = match machine {
        elf::EM_X86_64 => match kind {
            elf::R_X86_64_64 => (Set, 8),
            elf::R_X86_64_32 | elf::R_X86_64_32S => (Set, 4),
            _ => return None,
        },
        elf::EM_AARCH64 => match kind {
            elf::R_AARCH64_ABS64 => (Set, 8),
            elf::R_AARCH64_ABS32 => (Set, 4),
            _ => return None,
        },
        // The linker may shorten code, so that even distances within a section are written as two relocations.
        elf::EM_RISCV => match kind {
            elf::R_RISCV_64 => (Set, 8),
            elf::R_RISCV_32 | elf::R_RISCV_SET32 => (Set, 4),
            elf::R_RISCV_SET16 => (Set, 2),
            elf::R_RISCV_SET8 => (Set, 1),
            elf::R_RISCV_ADD64 => (Add, 8),
            elf::R_RISCV_ADD32 => (Add, 4),
            elf::R_RISCV_ADD16 => (Add, 2),
            elf::R_RISCV_ADD8 => (Add, 1),
            elf::R_RISCV_SUB64 => (Subtract, 8),
            elf::R_RISCV_SUB32 => (Subtract, 4),
            elf::R_RISCV_SUB16 => (Subtract, 2),
            elf::R_RISCV_SUB8 => (Subtract, 1),
            _ => return None,
        },
        elf::EM_PPC64 => match kind {
            elf::R_PPC64_ADDR64 => (Set, 8),
            elf::R_PPC64_ADDR32 => (Set, 4),
            _ => return None,
        },
        elf::EM_S390 => match kind {
            elf::R_390_64 => (Set, 8),
            elf::R_390_32 => (Set, 4),
            _ => return None,
        },
        elf::EM_386 if kind == elf::R_386_32 => (Set, 4),
        elf::EM_ARM if kind == elf::R_ARM_ABS32 => (Set, 4),
        _ => return None,
    };
    Some(operation)
}

/// A number of 1, 2, 4 or 8 bytes.
fn read(field: &[u8], endian: Endianness) -> u64 {
    let little = endian.is_little_endian();
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if little { field.iter().rev().fold(0, fold) } else { field.iter().fold(0, fold) }
}

fn write(field: &mut [u8], value: u64, endian: Endianness) {
    let width = field.len();
    if endian.is_little_endian() {
        field.copy_from_slice(&value.to_le_bytes()[..width]);
    } else {
        field.copy_from_slice(&value.to_be_bytes()[8 - width..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_the_fields_width_and_endianness() {
        for (endian, bytes) in [(Endianness::Little, [2, 1, 9]), (Endianness::Big, [1, 2, 9])] {
            let mut field = [0, 0, 9];
            write(&mut field[..2], 0xffff_0102, endian);
            assert_eq!(field, bytes);
            assert_eq!(read(&field[..2], endian), 0x0102);
        }
        let mut field = [0; 8];
        write(&mut field, u64::MAX - 1, Endianness::Big);
        assert_eq!(read(&field, Endianness::Big), u64::MAX - 1);
    }

    #[test]
    fn relocations_of_code_are_none_of_debugging_informations() {
        assert_eq!(operation(elf::EM_X86_64, elf::R_X86_64_PC32), None);
        assert_eq!(operation(elf::EM_X86_64, elf::R_X86_64_64), Some((Operation::Set, 8)));
        assert_eq!(operation(elf::EM_RISCV, elf::R_RISCV_SUB16), Some((Operation::Subtract, 2)));
        assert_eq!(operation(elf::EM_AARCH64, elf::R_AARCH64_ABS32), Some((Operation::Set, 4)));
        assert_eq!(operation(elf::EM_NONE, elf::R_X86_64_64), None);
    }
}
