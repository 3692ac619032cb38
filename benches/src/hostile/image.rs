//! Writes an image out of sections, whatever they hold: a 64-bit little-endian program for x86-64.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::Path;

use anyhow::Result;

/// Where the code is, in the file and in memory, and how much of it there is. It stays a hole in the file.
pub(crate) const CODE: u64 = 0x1_0000;
pub(crate) const CODE_SIZE: u64 = 0x10_0000;

/// The number of the section with the code.
pub(crate) const TEXT: u16 = 1;

/// What sections are of type: PROGBITS, SYMTAB, STRTAB, RELA, NOTE, DYNSYM of elf(5).
pub(crate) const PROGBITS: u32 = 1;
pub(crate) const SYMTAB: u32 = 2;
pub(crate) const STRTAB: u32 = 3;
pub(crate) const RELA: u32 = 4;
pub(crate) const DYNSYM: u32 = 11;

/// Flags of sections: SHF_ALLOC, SHF_EXECINSTR, SHF_COMPRESSED.
pub(crate) const ALLOC: u64 = 2;
pub(crate) const EXECUTABLE: u64 = 4;
pub(crate) const COMPRESSED: u64 = 0x800;

/// A section: its bytes, and then zeros up to its size.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    /// The number of the section that it refers to; the first of an image has number 2.
    pub(crate) link: u32,
    pub(crate) address: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) size: u64,
}

impl Section {
    /// A section of debugging information or the like.
    pub(crate) fn new(name: &'static str, bytes: Vec<u8>) -> Section {
        let size = bytes.len() as u64;
        Section { name, kind: PROGBITS, flags: 0, link: 0, address: 0, bytes, size }
    }

    /// A section of zeros, which take no place on the disk.
    pub(crate) fn zeros(name: &'static str, size: u64) -> Section {
        Section { size, ..Section::new(name, Vec::new()) }
    }
}

/// Writes the image.
pub(crate) fn write(path: &Path, sections: &[Section]) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let mut names = b"\0.text\0.shstrtab\0".to_vec();
    let mut headers = section_header([0; 10]);
    headers.extend(section_header([
        1,
        PROGBITS.into(),
        ALLOC | EXECUTABLE,
        CODE,
        CODE,
        CODE_SIZE,
        0,
        0,
        16,
        0,
    ]));
    let mut place = CODE + CODE_SIZE;
    for section in sections {
        file.seek(std::io::SeekFrom::Start(place))?;
        file.write_all(&section.bytes)?;
        let row = match section.kind {
            SYMTAB | DYNSYM | RELA => 24,
            _ => 0,
        };
        let Section { kind, flags, link, address, size, .. } = *section;
        let name = names.len() as u64;
        headers.extend(section_header([
            name,
            kind.into(),
            flags,
            address,
            place,
            size,
            link.into(),
            0,
            1,
            row,
        ]));
        names.extend(section.name.bytes().chain([0]));
        place += section.size;
    }
    let table = place.next_multiple_of(16);
    let names_place = table + headers.len() as u64 + 64;
    headers.extend(section_header([7, STRTAB.into(), 0, 0, names_place, names.len() as u64, 0, 0, 1, 0]));
    file.seek(std::io::SeekFrom::Start(table))?;
    file.write_all(&headers)?;
    file.write_all(&names)?;
    file.rewind()?;
    file.write_all(&file_header(table, sections.len() as u16 + 3))?;
    file.flush()?;
    Ok(())
}

/// Name, type, flags, address, place in the file, size, link, info, alignment, size of a row.
fn section_header(fields: [u64; 10]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, field) in fields.into_iter().enumerate() {
        match index {
            0 | 1 | 6 | 7 => bytes.extend((field as u32).to_le_bytes()),
            _ => bytes.extend(field.to_le_bytes()),
        }
    }
    bytes
}

/// The headers of the file and of its one segment.
fn file_header(section_table: u64, sections: u16) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    // A shared object for x86-64.
    for half in [3_u16, 62] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for word in [CODE, 64, section_table] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64, 56, 1, 64, sections, sections - 1] {
        bytes.extend(half.to_le_bytes());
    }
    // PT_LOAD, readable and executable.
    for half in [1_u32, 5] {
        bytes.extend(half.to_le_bytes());
    }
    for word in [CODE, CODE, CODE, CODE_SIZE, CODE_SIZE, 0x1000] {
        bytes.extend(word.to_le_bytes());
    }
    bytes
}
