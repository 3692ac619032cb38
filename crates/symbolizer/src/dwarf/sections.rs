//! Turns an ELF file into its sections of debugging information.

use gimli::{DwarfPackageSections, DwarfSections, RunTimeEndian, SectionId};
use object::read::ReadRef;
use object::{Endian, Endianness};

use super::bytes::Bytes;
use super::section::Section;
use super::work::Work;
use crate::elf::{Class, Elf};

/// The sections of one file, shared by all tasks.
pub(super) struct Sections<'data> {
    sections: DwarfSections<Section<'data>>,
    /// The bytes of all of them.
    pub(super) size: u64,
}

impl<'data> Sections<'data> {
    /// The sections of a program, library or debug file; `None` where it has no `.debug_info`.
    pub(super) fn of<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<Sections<'data>> {
        Sections::load(|id| section(elf, needed(id).then(|| id.name())))
    }

    /// The sections of a file of split DWARF (`.dwo`): section 7.3.2 of DWARF 5.
    pub(super) fn of_split<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<Self> {
        Sections::load(|id| section(elf, id.dwo_name().filter(|_| needed(id))))
    }

    fn load(section: impl Fn(SectionId) -> Section<'data>) -> Option<Sections<'data>> {
        let mut size = 0;
        let sections = DwarfSections::load(|id| {
            let section = section(id);
            size += section.size() as u64;
            if id == SectionId::DebugInfo && section.size() == 0 { Err(()) } else { Ok(section) }
        });
        Some(Sections { sections: sections.ok()?, size })
    }

    /// `.debug_info`.
    pub(super) fn info(&self) -> Option<&Section<'data>> {
        // The only way to it that its type offers is borrowing.
        let mut info = None;
        _ = self.sections.debug_info.borrow(|section| info = Some(section));
        info
    }

    /// A reader of the sections, with those of the supplementary file if there is one.
    pub(super) fn reader<'a>(
        &'a self,
        supplementary: Option<&'a Sections<'_>>,
        work: &'a Work<'a>,
    ) -> gimli::Dwarf<Bytes<'a>> {
        let mut dwarf = self.sections.borrow(|section| Bytes::new(section, work));
        if let Some(other) = supplementary {
            dwarf.set_sup(other.sections.borrow(|section| Bytes::new(section, work)));
        }
        dwarf
    }
}

/// The sections of a package of split DWARF (`.dwp`): section 7.3.5 of DWARF 5.
pub(super) struct PackageSections<'data> {
    sections: DwarfPackageSections<Section<'data>>,
    /// What there is of a section that is not there.
    empty: Section<'data>,
    /// The bytes of all of them.
    pub(super) size: u64,
}

impl<'data> PackageSections<'data> {
    /// `None` where it has no index of units.
    pub(super) fn of<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<PackageSections<'data>> {
        let mut size = 0;
        // All of them: a reader of a unit takes its part of each section that the index lists.
        let sections = DwarfPackageSections::load(|id| {
            let section = section(elf, id.dwo_name());
            size += section.size() as u64;
            if id == SectionId::DebugCuIndex && section.size() == 0 {
                Err(gimli::Error::MissingUnitDie)
            } else {
                Ok(section)
            }
        });
        let empty = Section::empty(run_time(elf.endian));
        Some(PackageSections { sections: sections.ok()?, empty, size })
    }

    /// A reader of the package; fails where an index is damaged.
    pub(super) fn reader<'a>(&'a self, work: &'a Work<'a>) -> gimli::Result<gimli::DwarfPackage<Bytes<'a>>> {
        self.sections.borrow(|section| Bytes::new(section, work), Bytes::new(&self.empty, work))
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

/// A section; one without bytes where the file has none of this name or it is damaged.
fn section<'data, H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>, name: Option<&str>) -> Section<'data> {
    let endian = run_time(elf.endian);
    let section = name.and_then(|name| match elf.section_place(name).filter(|_| !elf.is_object) {
        Some(place) => Section::in_file(place, endian, elf.budget),
        None => Some(Section::Held(elf.linked_section_bytes(name)?, endian)),
    });
    section.unwrap_or(Section::empty(endian))
}

fn run_time(endian: Endianness) -> RunTimeEndian {
    if endian.is_little_endian() { RunTimeEndian::Little } else { RunTimeEndian::Big }
}
