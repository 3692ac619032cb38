//! Turns the procedure linkage table into names: `puts@plt`.
//!
//! Calls into other images go through a stub that jumps to where a slot of the global offset table points. Stubs have
//! no symbols (mold's excepted), but the dynamic linker's relocations tell whose address it puts into which slot, and
//! a stub's instructions tell which slot it takes: so the match is exact, however a linker orders the two.

mod stub;

use object::elf;
use object::read::elf::{Rel, Rela, SectionHeader, Sym, SymbolTable};
use object::read::{ReadRef, SymbolIndex};
use oprof_profile::{ImageAddress, NameSource};

use crate::elf::{Class, Elf};
use crate::made_table::MadeTable;
use stub::Stub;

/// The largest table whose stubs are read, in bytes: a million stubs.
const LARGEST_TABLE: u64 = 16 << 20;

/// The tables that one image may have. Linkers make three at most.
const MOST_TABLES: usize = 8;

/// The relocations that are looked at. libxul has two million.
const MOST_RELOCATIONS: usize = 8 << 20;

/// A section of stubs.
struct Table {
    name: Vec<u8>,
    start: ImageAddress,
    size: u64,
    stubs: Vec<Stub>,
}

/// The names of the stubs that hold one of `addresses` (ascending). What no stub with a name holds, such as the code
/// at the beginning that calls the dynamic linker, has the name of its section: `.plt`.
pub(crate) fn table<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    addresses: &[ImageAddress],
) -> MadeTable {
    let mut made = MadeTable::new(NameSource::Plt);
    let mut asked: Vec<Stub> = Vec::new();
    let tables = tables(elf, Some(addresses));
    for table in &tables {
        asked.extend(&table.stubs);
    }
    asked.sort_by_key(|stub| stub.slot);
    if !asked.is_empty() {
        let mut is_named = vec![false; asked.len()];
        for_each_relocation(elf, &mut |slot, target| {
            let first = asked.partition_point(|stub| stub.slot < slot);
            // A hostile table fills the same slot a million times.
            let is_asked = asked.get(first).is_some_and(|stub| stub.slot == slot);
            if !is_asked || std::mem::replace(&mut is_named[first], true) {
                return;
            }
            for stub in asked[first..].iter().take_while(|stub| stub.slot == slot) {
                made.add(stub.start, stub.size, target.stub_name());
            }
        });
    }
    for table in tables {
        if !made.without_name(table.inside(addresses)).is_empty() {
            made.add(table.start, table.size, table.name);
        }
    }
    made
}

/// Calls `visit` with the starts and ends of all stubs and of their tables.
pub(crate) fn bounds<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    visit: &mut dyn FnMut(ImageAddress),
) {
    for table in tables(elf, None) {
        let stubs = table.stubs.iter().map(|stub| (stub.start, stub.size));
        for (start, size) in stubs.chain([(table.start, table.size)]) {
            visit(start);
            visit(ImageAddress(start.0.saturating_add(size)));
        }
    }
}

impl Table {
    /// Those of `addresses` (ascending) that it holds.
    fn inside<'addresses>(&self, addresses: &'addresses [ImageAddress]) -> &'addresses [ImageAddress] {
        let first = addresses.partition_point(|address| *address < self.start);
        let behind = &addresses[first..];
        &behind[..behind.partition_point(|address| address.0 - self.start.0 < self.size)]
    }
}

impl Target<'_> {
    /// What the stub that jumps there is called; an address without a symbol as binutils write it.
    fn stub_name(self) -> Vec<u8> {
        match self {
            Target::Symbol(name) => [name, b"@plt"].concat(),
            Target::Address(address) => format!("*ABS*+{address:#x}@plt").into_bytes(),
        }
    }
}

/// The sections that hold stubs: `.plt`, `.plt.got`, `.plt.sec`, `.iplt`; of the stubs those that hold one of
/// `addresses`, where these are given.
fn tables<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    addresses: Option<&[ImageAddress]>,
) -> Vec<Table> {
    let offset_table = [".got.plt", ".got"].into_iter().find_map(|name| elf.section_address(name));
    let sections = elf.sections.iter().filter_map(|section| {
        let name = elf.sections.section_name(elf.endian, section).ok()?;
        let is_table = name == b".plt" || name.starts_with(b".plt.") || name == b".iplt";
        let size: u64 = section.sh_size(elf.endian).into();
        if !is_table || !elf.is_code(section) || size > LARGEST_TABLE {
            return None;
        }
        let code = section.data(elf.endian, elf.data).ok()?;
        let start = ImageAddress(section.sh_addr(elf.endian).into());
        let mut table = Table { name: name.to_vec(), start, size, stubs: Vec::new() };
        table.stubs = stub::stubs(elf.machine, elf.endian, code, start, offset_table);
        if let Some(addresses) = addresses {
            let inside = table.inside(addresses);
            table.stubs.retain(|stub| {
                let next = inside.partition_point(|address| *address < stub.start);
                inside.get(next).is_some_and(|address| address.0 - stub.start.0 < stub.size)
            });
        }
        Some(table)
    });
    sections.take(MOST_TABLES).collect()
}

/// Where a slot will point.
#[derive(Clone, Copy)]
enum Target<'name> {
    /// To the symbol of this name.
    Symbol(&'name [u8]),
    /// To what the resolver at this address chooses (R_*_IRELATIVE).
    Address(u64),
}

/// Calls `visit` with the slot and the target of each relocation that fills a slot of the offset table.
fn for_each_relocation<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    visit: &mut dyn FnMut(ImageAddress, Target<'_>),
) {
    let endian = elf.endian;
    let symbols = elf.sections.symbols(endian, elf.data, elf::SHT_DYNSYM).unwrap_or_default();
    let mut left = MOST_RELOCATIONS;
    for section in elf.sections.iter().filter(|section| section.sh_flags(endian).contains(elf::SHF_ALLOC)) {
        if let Ok(Some((relocations, _))) = section.rela(endian, elf.data) {
            for relocation in relocations.iter().take(left) {
                let kind = relocation.r_type(endian, false);
                let slot = ImageAddress(relocation.r_offset(endian).into());
                match relocation.symbol(endian, false) {
                    Some(symbol) if fills_slot(elf.machine, kind) => {
                        if let Some(name) = name_of(elf, &symbols, symbol) {
                            visit(slot, Target::Symbol(name));
                        }
                    }
                    None if is_resolver(elf.machine, kind) => {
                        let addend: i64 = relocation.r_addend(endian).into();
                        visit(slot, Target::Address(addend as u64));
                    }
                    _ => {}
                }
            }
            left = left.saturating_sub(relocations.len());
        }
        if let Ok(Some((relocations, _))) = section.rel(endian, elf.data) {
            for relocation in relocations.iter().take(left) {
                if let Some(symbol) = relocation.symbol(endian)
                    && fills_slot(elf.machine, relocation.r_type(endian))
                    && let Some(name) = name_of(elf, &symbols, symbol)
                {
                    visit(ImageAddress(relocation.r_offset(endian).into()), Target::Symbol(name));
                }
            }
            left = left.saturating_sub(relocations.len());
        }
    }
}

fn name_of<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    symbols: &SymbolTable<'data, H, R>,
    index: SymbolIndex,
) -> Option<&'data [u8]> {
    symbols.symbol(index).ok()?.name(elf.endian, symbols.strings()).ok().filter(|name| !name.is_empty())
}

/// Whether a relocation puts a symbol's address into a slot: R_*_JUMP_SLOT, R_*_GLOB_DAT, and on RISC-V, which has no
/// GLOB_DAT, a pointer like any other.
fn fills_slot(machine: elf::Machine, kind: elf::RelocationType) -> bool {
    match machine {
        elf::EM_X86_64 => kind == elf::R_X86_64_JUMP_SLOT || kind == elf::R_X86_64_GLOB_DAT,
        elf::EM_386 => kind == elf::R_386_JMP_SLOT || kind == elf::R_386_GLOB_DAT,
        elf::EM_AARCH64 => kind == elf::R_AARCH64_JUMP_SLOT || kind == elf::R_AARCH64_GLOB_DAT,
        elf::EM_RISCV => [elf::R_RISCV_JUMP_SLOT, elf::R_RISCV_32, elf::R_RISCV_64].contains(&kind),
        _ => false,
    }
}

/// Whether a relocation puts the address that a function returns into a slot (R_*_IRELATIVE, for STT_GNU_IFUNC).
fn is_resolver(machine: elf::Machine, kind: elf::RelocationType) -> bool {
    match machine {
        elf::EM_X86_64 => kind == elf::R_X86_64_IRELATIVE,
        elf::EM_AARCH64 => kind == elf::R_AARCH64_IRELATIVE,
        elf::EM_RISCV => kind == elf::R_RISCV_IRELATIVE,
        _ => false,
    }
}
