//! Turns an ELF image into its build id.

use std::fs::File;

use object::Endianness;
use object::elf;
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{NoteIterator, ProgramHeader, SectionHeader};
use object::read::{FileKind, ReadRef};
use oprof_profile::{BuildId, Unresolved};

use crate::elf::{Class, Elf};
use crate::file_bytes::{BUDGET, FileBytes};

/// The build id of an ELF file (note NT_GNU_BUILD_ID), `None` where it has none.
///
/// # Errors
///
/// [`Unresolved::Unreadable`] for what is not an ELF file or is damaged.
pub fn build_id(file: &File) -> Result<Option<BuildId>, Unresolved> {
    let data = &FileBytes::new(file, BUDGET);
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => Ok(Elf::<FileHeader32<Endianness>, _>::parse(data)?.build_id()),
        Ok(FileKind::Elf64) => Ok(Elf::<FileHeader64<Endianness>, _>::parse(data)?.build_id()),
        _ => Err(Unresolved::Unreadable),
    }
}

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The image's build id: of the PT_NOTE segments, which is where the kernel looks for it when it reports a
    /// mapping; else of the note sections, for files that were stripped of their program headers.
    pub(crate) fn build_id(&self) -> Option<BuildId> {
        let segments =
            self.program_headers.iter().filter_map(|segment| segment.notes(self.endian, self.data).ok());
        let sections = self.sections.iter().filter_map(|section| section.notes(self.endian, self.data).ok());
        segments
            .flatten()
            .find_map(|notes| self.build_id_of_notes(notes))
            .or_else(|| sections.flatten().find_map(|notes| self.build_id_of_notes(notes)))
    }

    fn build_id_of_notes(&self, notes: NoteIterator<'data, H>) -> Option<BuildId> {
        notes
            .map_while(Result::ok)
            .find(|note| note.n_type(self.endian) == elf::NT_GNU_BUILD_ID && note.name() == elf::ELF_NOTE_GNU)
            .and_then(|note| BuildId::new(note.desc()))
    }
}
