//! Turns bytes into the parts of an ELF image that symbols need: its segments and its sections.

use std::fs::File;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, SectionTable};
use object::{Endianness, read};
use oprof_profile::{ImageAddress, ImageOffset, Segment, Unresolved};

use crate::budget::Budget;
use crate::image_data::ImageData;

/// The program headers a file may have. Linux runs no program with more than 64 KiB of them
/// (`load_elf_phdrs` in fs/binfmt_elf.c), which are 1170.
const MOST_PROGRAM_HEADERS: u32 = 1170;

/// The sections that an image may have: what the file header can count (e_shnum). Object files may have more.
const MOST_SECTIONS: usize = 0xffff;

/// A file header of either class. Of a 32-bit and a 64-bit file, the endianness is read from the file.
pub(crate) trait Class: FileHeader<Endian = Endianness> {}
impl<H: FileHeader<Endian = Endianness>> Class for H {}

/// An ELF image: program, shared library, vdso, the kernel or a module of it.
pub(crate) struct Elf<'data, H: Class, R: ReadRef<'data>> {
    pub(crate) data: R,
    pub(crate) endian: Endianness,
    pub(crate) machine: elf::Machine,
    pub(crate) program_headers: &'data [H::ProgramHeader],
    pub(crate) sections: SectionTable<'data, H, R>,
    /// The PT_LOAD segments: the executable ones first, else in the file's order.
    segments: Vec<LoadSegment>,
    /// It is an object file (ET_REL), as kernel modules are.
    pub(crate) is_object: bool,
    /// Where the sections of an object file are, by their indexes; those that are missing are at 0.
    pub(crate) section_addresses: Vec<u64>,
    /// What is left for the image.
    pub(crate) budget: &'data Budget,
    /// The file that `data` is read from; `None` for an image in memory.
    pub(crate) file: Option<&'data File>,
}

/// A part of the file that the loader maps (PT_LOAD, elf(5)).
#[derive(Clone, Copy)]
struct LoadSegment {
    /// Its first byte in the file (p_offset).
    offset: ImageOffset,
    /// The number of its bytes that are in the file (p_filesz).
    file_size: u64,
    /// The address of its first byte (p_vaddr).
    address: ImageAddress,
    /// Whether code may run there (PF_X).
    executable: bool,
}

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// Reads the headers. Fails with [`Unresolved::Unreadable`] where they are no ELF headers of this class or lie
    /// outside the file.
    pub(crate) fn parse(data: R) -> Result<Elf<'data, H, R>, Unresolved>
    where
        R: ImageData<'data>,
    {
        Self::parse_headers(data).map_err(|_| Unresolved::Unreadable)?.ok_or(Unresolved::Unreadable)
    }

    /// The image; `None` where it has more program headers or sections than are credible.
    fn parse_headers(data: R) -> read::Result<Option<Elf<'data, H, R>>>
    where
        R: ImageData<'data>,
    {
        let header = H::parse(data)?;
        let endian = header.endian()?;
        if header.phnum(endian, data)? > MOST_PROGRAM_HEADERS {
            return Ok(None);
        }
        let section_headers = match header.section_headers(endian, data) {
            // That there are none is said in more than one way.
            Err(_) if header.e_shnum(endian) == 0 => &[],
            headers => headers?,
        };
        if section_headers.len() > MOST_SECTIONS {
            return Ok(None);
        }
        let program_headers = header.program_headers(endian, data)?;
        let mut segments: Vec<LoadSegment> = program_headers
            .iter()
            .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
            .map(|segment| LoadSegment {
                offset: ImageOffset(segment.p_offset(endian).into()),
                file_size: segment.p_filesz(endian).into(),
                address: ImageAddress(segment.p_vaddr(endian).into()),
                executable: segment.p_flags(endian).contains(elf::PF_X),
            })
            .collect();
        // Samples are of code: where two segments hold the same bytes of the file, the executable one was meant.
        segments.sort_by_key(|segment| !segment.executable);
        Ok(Some(Elf {
            data,
            endian,
            machine: header.e_machine(endian),
            program_headers,
            // What has no names, or damaged ones, still has sections of a type.
            sections: match header.sections(endian, data) {
                Ok(sections) => sections,
                Err(_) => SectionTable::new(section_headers, read::StringTable::default()),
            },
            segments,
            is_object: header.e_type(endian) == elf::ET_REL,
            section_addresses: Vec::new(),
            budget: data.budget(),
            file: data.file(),
        }))
    }

    /// The address that the image's tables give to the byte at `offset` of the file; `None` outside every segment
    /// that is loaded.
    pub(crate) fn image_address(&self, offset: ImageOffset) -> Option<ImageAddress> {
        self.segments.iter().find_map(|segment| {
            let distance = offset.0.checked_sub(segment.offset.0)?;
            (distance < segment.file_size).then(|| ImageAddress(segment.address.0.wrapping_add(distance)))
        })
    }

    /// The segments that are loaded, those with code first.
    pub(crate) fn loaded(&self) -> Vec<Segment> {
        let segment = |segment: &LoadSegment| Segment {
            offset: segment.offset,
            size: segment.file_size,
            address: segment.address,
        };
        self.segments.iter().map(segment).collect()
    }

    /// Whether the image has section headers. Tools that make programs as small as can be leave none.
    pub(crate) fn has_sections(&self) -> bool {
        !self.sections.is_empty()
    }

    /// Where in the file the byte at `address` is, and how many bytes of its segment are there from it on.
    pub(crate) fn file_range_from(&self, address: ImageAddress) -> Option<(u64, u64)> {
        self.segments.iter().find_map(|segment| {
            let distance = address.0.checked_sub(segment.address.0)?;
            let left = segment.file_size.checked_sub(distance).filter(|&left| left > 0)?;
            Some((segment.offset.0.checked_add(distance)?, left))
        })
    }

    /// The bytes of a segment from `address` on, as many as are in the file.
    pub(crate) fn bytes_from(&self, address: ImageAddress) -> Option<&'data [u8]> {
        let (offset, size) = self.file_range_from(address)?;
        self.data.read_bytes_at(offset, size).ok()
    }

    /// Whether the image has a symbol table of its own (`.symtab`); its first entry is no symbol. A damaged one is one.
    pub(crate) fn has_symbols(&self) -> bool {
        let mut tables =
            self.sections.iter().filter(|section| section.sh_type(self.endian) == elf::SHT_SYMTAB);
        let size = tables.next().map(|table| table.sh_size(self.endian).into());
        size.is_some_and(|size: u64| size != 0 && size != size_of::<H::Sym>() as u64)
    }

    /// The address of the section of this name; `None` where there is none.
    pub(crate) fn section_address(&self, name: &str) -> Option<ImageAddress> {
        let (_, section) = self.sections.section_by_name(self.endian, name.as_bytes())?;
        Some(ImageAddress(section.sh_addr(self.endian).into()))
    }

    /// The name of the section that holds an address; empty where none does.
    pub(crate) fn section_name_at(&self, address: ImageAddress) -> String {
        let holds = |section: &&H::SectionHeader| {
            let start: u64 = section.sh_addr(self.endian).into();
            start != 0 && address.0.wrapping_sub(start) < section.sh_size(self.endian).into()
        };
        let name = self
            .sections
            .iter()
            .find(holds)
            .and_then(|section| self.sections.section_name(self.endian, section).ok());
        name.map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether a section holds code.
    pub(crate) fn is_code(&self, section: &H::SectionHeader) -> bool {
        section.sh_flags(self.endian).contains(elf::SHF_EXECINSTR)
    }

    /// How far the addresses of this image are above those of `other`, which was made of the same code (wraps where
    /// they are below). Prelinking moves an image, but not its debug file.
    pub(crate) fn distance_from<'other, O: ReadRef<'other>>(&self, other: &Elf<'other, H, O>) -> u64 {
        // Not the first segment, before which tools that patch an image put segments of their own.
        let [ours, theirs] = match (self.section_address(".text"), other.section_address(".text")) {
            (Some(ours), Some(theirs)) => [ours, theirs],
            _ => match (self.first_code(), other.first_code()) {
                (Some(ours), Some(theirs)) => [ours, theirs],
                _ => return 0,
            },
        };
        ours.0.wrapping_sub(theirs.0)
    }

    /// The address of the first segment that holds code.
    fn first_code(&self) -> Option<ImageAddress> {
        self.segments.iter().filter(|segment| segment.executable).map(|segment| segment.address).min()
    }

    /// Whether the image has debugging information of its own.
    pub(crate) fn has_debugging(&self) -> bool {
        [".debug_info", ".zdebug_info"].iter().any(|name| {
            let section = self.sections.section_by_name(self.endian, name.as_bytes());
            section.is_some_and(|(_, section)| section.sh_type(self.endian) != elf::SHT_NOBITS)
        })
    }

    /// Whether its debugging information is compressed.
    pub(crate) fn has_compressed_debugging(&self) -> bool {
        let section = |name: &[u8]| self.sections.section_by_name(self.endian, name);
        let info = section(b".debug_info");
        section(b".zdebug_info").is_some()
            || info.is_some_and(|(_, info)| info.sh_flags(self.endian).contains(elf::SHF_COMPRESSED))
    }

    /// The lowest address of code; 0 where there is none.
    pub(crate) fn code_start(&self) -> ImageAddress {
        self.first_code().unwrap_or(ImageAddress(0))
    }

    /// The address behind the last byte of the segment of code that holds `address`.
    pub(crate) fn code_segment_end(&self, address: ImageAddress) -> Option<ImageAddress> {
        let mut code = self.segments.iter().filter(|segment| segment.executable);
        let holder = code.find(|segment| address.0.wrapping_sub(segment.address.0) < segment.file_size)?;
        Some(ImageAddress(holder.address.0.saturating_add(holder.file_size)))
    }

    /// The address behind the last byte of a section that holds code; `None` for any other section.
    pub(crate) fn code_section_end(&self, index: read::SectionIndex) -> Option<ImageAddress> {
        let section = self.sections.section(index).ok()?;
        if !self.is_code(section) {
            return None;
        }
        let start: u64 = section.sh_addr(self.endian).into();
        Some(ImageAddress(start.saturating_add(section.sh_size(self.endian).into())))
    }
}
