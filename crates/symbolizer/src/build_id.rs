//! Turns an ELF image into its build id.

use std::fs::File;

use object::Endianness;
use object::elf;
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{NoteIterator, ProgramHeader, SectionHeader};
use object::read::{FileKind, ReadRef};
use oprof_profile::{BuildId, Unresolved};

use crate::budget::Budget;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;

/// The notes that are looked at. A program has a handful, a core file a few for each of its threads.
const MOST_NOTES: usize = 1 << 16;

/// The build id of an ELF file (note NT_GNU_BUILD_ID), `None` where it has none.
///
/// # Errors
///
/// [`Unresolved::Unreadable`] for what is not an ELF file or is damaged.
pub fn build_id(file: &File) -> Result<Option<BuildId>, Unresolved> {
    let budget = Budget::of_headers();
    let data = &FileBytes::new(file, &budget);
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => Ok(Elf::<FileHeader32<Endianness>, _>::parse(data)?.build_id()),
        Ok(FileKind::Elf64) => Ok(Elf::<FileHeader64<Endianness>, _>::parse(data)?.build_id()),
        _ => Err(Unresolved::Unreadable),
    }
}

/// Whether a file is an ELF file of this build id.
pub(crate) fn has_build_id(file: &File, id: &BuildId) -> bool {
    build_id(file).ok().flatten().as_ref() == Some(id)
}

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The image's build id: of the PT_NOTE segments, which is where the kernel looks for it when it reports a
    /// mapping; else of the note sections, for files that were stripped of their program headers.
    pub(crate) fn build_id(&self) -> Option<BuildId> {
        let mut left = MOST_NOTES;
        let segments =
            self.program_headers.iter().filter_map(|segment| segment.notes(self.endian, self.data).ok());
        let endian = self.endian;
        if let Some(id) = segments.flatten().find_map(|notes| build_id_of_notes(endian, notes, &mut left)) {
            return Some(id);
        }
        let sections = self.sections.iter().filter_map(|section| section.notes(self.endian, self.data).ok());
        sections.flatten().find_map(|notes| build_id_of_notes(endian, notes, &mut left))
    }
}

/// The build id in notes as the kernel shows its own and those of its modules, under /sys.
pub(crate) fn build_id_in(notes: &[u8]) -> Option<BuildId> {
    // Notes are the same in both classes.
    let endian = if cfg!(target_endian = "big") { Endianness::Big } else { Endianness::Little };
    let notes = NoteIterator::<FileHeader64<Endianness>>::new(endian, 4, notes).ok()?;
    build_id_of_notes(endian, notes, &mut { MOST_NOTES })
}

/// The build id among some notes, of all of which at most `left` are looked at.
fn build_id_of_notes<H: Class>(
    endian: Endianness,
    notes: NoteIterator<'_, H>,
    left: &mut usize,
) -> Option<BuildId> {
    notes
        .map_while(Result::ok)
        .take_while(|_| {
            *left = left.saturating_sub(1);
            *left > 0
        })
        .find(|note| note.n_type(endian) == elf::NT_GNU_BUILD_ID && note.name() == elf::ELF_NOTE_GNU)
        .and_then(|note| BuildId::new(note.desc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_id_is_found_among_the_kernels_notes() {
        let note = |kind: u32, name: &[u8], descriptor: &[u8]| {
            let mut bytes = Vec::new();
            for word in [name.len() as u32, descriptor.len() as u32, kind] {
                bytes.extend(word.to_ne_bytes());
            }
            for part in [name, descriptor] {
                bytes.extend(part);
                bytes.resize(bytes.len().next_multiple_of(4), 0);
            }
            bytes
        };
        let id = BuildId::new(&[7; 20]);
        let notes = [note(0x101, b"Linux\0", b"6.1"), note(3, b"GNU\0", &[7; 20])].concat();
        assert_eq!(build_id_in(&notes), id);
        assert_eq!(build_id_in(&note(3, b"Xen\0", &[7; 20])), None);
        assert_eq!(build_id_in(&note(3, b"GNU\0", &[7; 21])), None, "longer than the kernel's");
        for length in 0..notes.len() {
            assert_eq!(build_id_in(&notes[..length]), None);
        }
    }
}
