//! Turns an ELF file into its sections of debugging information.

use std::borrow::Cow;

use gimli::{DwarfPackageSections, DwarfSections, RunTimeEndian, SectionId};
use object::read::ReadRef;
use object::{Endian, Endianness};

use super::bytes::Bytes;
use super::work::Work;
use crate::elf::{Class, Elf};

/// Sections that are read once and shared by all tasks.
pub(super) struct Sections<'data> {
    sections: DwarfSections<Cow<'data, [u8]>>,
    endian: RunTimeEndian,
    /// The bytes of all of them.
    pub(super) size: u64,
}

impl<'data> Sections<'data> {
    /// The sections of a program, library or debug file; `None` where it has no `.debug_info`.
    pub(super) fn of<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<Sections<'data>> {
        Sections::load(elf.endian, |id| bytes(elf, needed(id).then(|| id.name())))
    }

    /// The sections of a file of split DWARF (`.dwo`): section 7.3.2 of DWARF 5. They outlive the file's reader.
    pub(super) fn of_split<'file, H: Class, R: ReadRef<'file>>(elf: &Elf<'file, H, R>) -> Option<Self> {
        let name = |id: SectionId| id.dwo_name().filter(|_| needed(id));
        Sections::load(elf.endian, |id| Cow::Owned(bytes(elf, name(id)).into_owned()))
    }

    fn load(endian: Endianness, bytes: impl Fn(SectionId) -> Cow<'data, [u8]>) -> Option<Sections<'data>> {
        let mut size = 0;
        let sections = DwarfSections::load(|id| {
            let bytes = bytes(id);
            size += bytes.len() as u64;
            if id == SectionId::DebugInfo && bytes.is_empty() { Err(()) } else { Ok(bytes) }
        });
        Some(Sections { sections: sections.ok()?, endian: run_time(endian), size })
    }

    /// The bytes of `.debug_info`.
    pub(super) fn info<'a>(&'a self, work: &'a Work<'a>) -> Bytes<'a> {
        // The only way to the reader that the section type offers is borrowing.
        let mut info = None;
        _ = self.sections.debug_info.borrow(|bytes| {
            let bytes = Bytes::new(bytes, self.endian, work);
            info = Some(bytes);
            bytes
        });
        info.unwrap_or(Bytes::new(&[], self.endian, work))
    }

    /// A reader of the sections, with those of the supplementary file if there is one.
    pub(super) fn reader<'a>(
        &'a self,
        supplementary: Option<&'a Sections<'_>>,
        work: &'a Work<'a>,
    ) -> gimli::Dwarf<Bytes<'a>> {
        let mut dwarf = self.sections.borrow(|bytes| Bytes::new(bytes, self.endian, work));
        if let Some(other) = supplementary {
            dwarf.set_sup(other.sections.borrow(|bytes| Bytes::new(bytes, other.endian, work)));
        }
        dwarf
    }
}

/// The sections of a package of split DWARF (`.dwp`): section 7.3.5 of DWARF 5.
pub(super) struct PackageSections<'data> {
    sections: DwarfPackageSections<Cow<'data, [u8]>>,
    endian: RunTimeEndian,
    /// The bytes of all of them.
    pub(super) size: u64,
}

impl<'data> PackageSections<'data> {
    /// `None` where it has no index of units.
    pub(super) fn of<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<PackageSections<'data>> {
        let mut size = 0;
        // All of them: a reader of a unit takes its part of each section that the index lists.
        let sections = DwarfPackageSections::load(|id| {
            let bytes = bytes(elf, id.dwo_name());
            size += bytes.len() as u64;
            if id == SectionId::DebugCuIndex && bytes.is_empty() {
                Err(gimli::Error::MissingUnitDie)
            } else {
                Ok(bytes)
            }
        });
        Some(PackageSections { sections: sections.ok()?, endian: run_time(elf.endian), size })
    }

    /// A reader of the package; fails where an index is damaged.
    pub(super) fn reader<'a>(&'a self, work: &'a Work<'a>) -> gimli::Result<gimli::DwarfPackage<Bytes<'a>>> {
        let empty = Bytes::new(&[], self.endian, work);
        self.sections.borrow(|bytes| Bytes::new(bytes, self.endian, work), empty)
    }
}

/// Whether functions and lines need a section. Those of variables, types and macros are large.
fn needed(id: SectionId) -> bool {
    matches!(
        id,
        SectionId::DebugAbbrev
            | SectionId::DebugAddr
            | SectionId::DebugAranges
            | SectionId::DebugInfo
            | SectionId::DebugLine
            | SectionId::DebugLineStr
            | SectionId::DebugRanges
            | SectionId::DebugRngLists
            | SectionId::DebugStr
            | SectionId::DebugStrOffsets
    )
}

/// The bytes of a section; none where the file has no such section or it is damaged.
fn bytes<'data, H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>, name: Option<&str>) -> Cow<'data, [u8]> {
    name.and_then(|name| elf.linked_section_bytes(name)).unwrap_or_default()
}

fn run_time(endian: Endianness) -> RunTimeEndian {
    if endian.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big }
}
