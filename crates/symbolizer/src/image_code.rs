//! The machine code of an image.

use std::fs::File;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::{FileKind, ReadRef};
use oprof_profile::{ImageAddress, Unresolved};

use crate::budget::Budget;
use crate::disassembly::Machine;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;

/// How much code is read at once, in bytes.
const MOST_CODE: u64 = 4 << 20;

/// Some code of an image, and what runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageCode {
    /// What runs it; `None` where that is nothing that can be disassembled.
    pub machine: Option<Machine>,
    /// The section that it is in; empty where there are none.
    pub section: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Reads `size` bytes of code at an address of an ELF file, fewer where its segment ends before; 4 MiB at most.
///
/// # Errors
/// [`Unresolved::Unreadable`] where it is not an ELF file, or has no bytes there.
pub fn image_code(file: &File, address: ImageAddress, size: u64) -> Result<ImageCode, Unresolved> {
    let budget = Budget::new();
    let bytes = FileBytes::new(file, &budget);
    match FileKind::parse(&bytes) {
        Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>>(&bytes, address, size),
        Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>>(&bytes, address, size),
        _ => Err(Unresolved::Unreadable),
    }
}

fn read<H: Class>(bytes: &FileBytes<'_>, address: ImageAddress, size: u64) -> Result<ImageCode, Unresolved> {
    let image = Elf::<H, _>::parse(bytes)?;
    let (offset, left) = image.file_range_from(address).ok_or(Unresolved::Unreadable)?;
    let read = bytes.read_bytes_at(offset, size.min(left).min(MOST_CODE));
    Ok(ImageCode {
        machine: Machine::of_elf(image.machine),
        section: image.section_name_at(address),
        bytes: read.map_err(|()| Unresolved::Unreadable)?.to_vec(),
    })
}
