//! Turns the function table of a Go program into names: it stays when the program is stripped.
//!
//! The runtime needs it for its tracebacks. Its layout changed in Go 1.2, 1.16, 1.18 and 1.20, each told by a magic
//! number; what is known of it is what the package debug/gosym and the linker of Go state.

mod layout;

use object::read::ReadRef;
use object::read::elf::{Rela, SectionHeader};
use object::{Endianness, elf};
use oprof_profile::{ImageAddress, NameSource};

use crate::elf::{Class, Elf};
use crate::made_table::MadeTable;
use crate::section::SectionBytes;
pub(crate) use layout::FunctionTable;

/// What the section is called: in a position-independent program it holds addresses to relocate.
const SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];

/// Where a linker that is not Go's puts the latter.
const MERGED: &str = ".data.rel.ro";

/// What Go programs have, however they are linked: before their constants are searched for a table.
const MARKS: [&str; 2] = [".note.go.buildid", ".go.buildinfo"];

/// The relocations that are looked at for the one of the table's header.
const MOST_RELOCATIONS: usize = 4 << 20;

/// The functions that hold one of `addresses` (ascending), as the Go program's own table names them.
pub(crate) fn table<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    addresses: &[ImageAddress],
) -> MadeTable {
    let mut made = MadeTable::new(NameSource::GoFunctions);
    let Some((section, place, start)) = section(elf) else { return made };
    let bytes = &section[place..];
    let Some(table) = FunctionTable::parse(bytes, elf.endian, || text_start(elf, bytes, start)) else {
        return made;
    };
    let mut end = ImageAddress(0);
    for &address in addresses {
        // The next of the same function.
        if address < end {
            continue;
        }
        let Some(function) = table.function(address) else { continue };
        end = ImageAddress(function.start.0.saturating_add(function.size));
        made.add(function.start, function.size, function.name.to_vec());
    }
    made
}

/// Calls `visit` with the starts of all functions and the end of the last.
pub(crate) fn bounds<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    visit: &mut dyn FnMut(ImageAddress),
) {
    if let Some((section, place, start)) = section(elf)
        && let bytes = &section[place..]
        && let Some(table) = FunctionTable::parse(bytes, elf.endian, || text_start(elf, bytes, start))
    {
        table.bounds().for_each(visit);
    }
}

/// The section with the table, where in it the table begins, and at which address.
fn section<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
) -> Option<(SectionBytes<'data>, usize, ImageAddress)> {
    let bytes_of = |name: &str| elf.section_bytes(name).zip(elf.section_address(name));
    if let Some((bytes, start)) = SECTIONS.into_iter().find_map(bytes_of) {
        return Some((bytes, 0, start));
    }
    if !MARKS.into_iter().any(|name| elf.section_address(name).is_some()) {
        return None;
    }
    let (bytes, start) = bytes_of(MERGED)?;
    let place = FunctionTable::find(&bytes, elf.endian)?;
    Some((bytes, place, ImageAddress(start.0.wrapping_add(place as u64))))
}

/// The address that the entries of the table count from, where its header (Go 1.18 to 1.25) leaves it to the loader:
/// what a relocation puts there, else the start of the code.
fn text_start<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    table: &[u8],
    start: ImageAddress,
) -> Option<ImageAddress> {
    let (place, stated) = layout::text_start(table, elf.endian)?;
    if stated.0 != 0 {
        return Some(stated);
    }
    let slot = start.0.wrapping_add(place);
    let endian: Endianness = elf.endian;
    let mut left = MOST_RELOCATIONS;
    for section in elf.sections.iter().filter(|section| section.sh_flags(endian).contains(elf::SHF_ALLOC)) {
        let Ok(Some((relocations, _))) = section.rela(endian, elf.data) else { continue };
        let relocated = relocations.iter().take(left).find(|relocation| {
            let offset: u64 = relocation.r_offset(endian).into();
            offset == slot && relocation.symbol(endian, false).is_none()
        });
        if let Some(relocation) = relocated {
            let addend: i64 = relocation.r_addend(endian).into();
            return Some(ImageAddress(addend as u64));
        }
        left = left.saturating_sub(relocations.len());
    }
    elf.section_address(".text")
}
