//! Turns the tables for unwinding into the bounds of functions, for code that nothing names.
//!
//! `.eh_frame` stays in stripped images because exceptions need it: an entry (FDE) for each function, and one for its
//! `.cold` part. `.eh_frame_hdr` holds them sorted (Linux Standard Base Core, "Exception Frames"); without it, and in
//! `.debug_frame` (DWARF 5, section 6.4.1), every entry is read.

mod header;

use std::collections::HashMap;

use gimli::{
    BaseAddresses, CieOrFde, CommonInformationEntry, DebugFrame, EhFrame, EndianSlice, RunTimeEndian,
    UnwindOffset, UnwindSection,
};
use object::Endianness;
use object::elf;
use object::read::ReadRef;
use object::read::elf::ProgramHeader;
use oprof_profile::{ImageAddress, NameSource};

use crate::elf::{Class, Elf};
use crate::made_table::MadeTable;
use crate::section::SectionBytes;
use header::Header;

/// The entries that are read of a table that is not sorted. Chromium's has 700,000.
const MOST_ENTRIES: usize = 4 << 20;

/// The common parts of entries (CIE) that are kept. A linker merges them to a handful.
const MOST_KNOWN: usize = 1024;

type Bytes<'bytes> = EndianSlice<'bytes, RunTimeEndian>;
type Cie<'bytes> = CommonInformationEntry<Bytes<'bytes>>;

/// The functions that hold `addresses` (ascending), each named after where it starts: `fun_1234`, the digits being
/// those of its address in the image. So other profilers name it (samply); and the address is the one that `objdump`,
/// `addr2line` and `gdb` take.
///
/// The bounds are those of the image's `.eh_frame`, else of its own or its debug file's `.debug_frame`.
pub(crate) fn table<'data, 'debug, H: Class, R: ReadRef<'data>, D: ReadRef<'debug>>(
    elf: &Elf<'data, H, R>,
    debug: Option<&Elf<'debug, H, D>>,
    addresses: &[ImageAddress],
) -> MadeTable {
    let mut made = MadeTable::new(NameSource::UnwindTable);
    let mut left = addresses.to_vec();
    let mut name = |functions: Vec<Function>, left: &mut Vec<ImageAddress>| {
        for Function { start, size } in functions {
            made.add(start, size, format!("fun_{:x}", start.0).into_bytes());
        }
        *left = made.without_name(left);
    };
    name(eh_frame(elf, &left), &mut left);
    if !left.is_empty() {
        name(debug_frame(elf, 0, &left), &mut left);
    }
    if let Some(debug) = debug.filter(|_| !left.is_empty()) {
        name(debug_frame(debug, elf.distance_from(debug), &left), &mut left);
    }
    made
}

/// The bounds of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Function {
    start: ImageAddress,
    /// In bytes.
    size: u64,
}

impl Function {
    fn holds(&self, address: ImageAddress) -> bool {
        address.0.wrapping_sub(self.start.0) < self.size
    }
}

/// Calls `visit` with the starts and ends of all functions that [`table`] could name.
pub(crate) fn bounds<'data, 'debug, H: Class, R: ReadRef<'data>, D: ReadRef<'debug>>(
    elf: &Elf<'data, H, R>,
    debug: Option<&Elf<'debug, H, D>>,
    visit: &mut dyn FnMut(ImageAddress),
) {
    let mut both = |function: Function| {
        visit(function.start);
        visit(ImageAddress(function.start.0.saturating_add(function.size)));
    };
    with_eh_frame(elf, |frame, bases, header| match header {
        Some(header) => header.rows().filter_map(|row| frame.function(bases, row[1])).for_each(&mut both),
        None => every_entry(&frame.section, bases, 0, &mut both),
    });
    every_debug_frame(elf, 0, &mut both);
    if let Some(debug) = debug {
        every_debug_frame(debug, elf.distance_from(debug), &mut both);
    }
}

/// `.eh_frame` and `.eh_frame_hdr`, each with its address.
struct Tables<'data> {
    header: Option<(SectionBytes<'data>, ImageAddress)>,
    frame: (SectionBytes<'data>, ImageAddress),
}

impl<'data> Tables<'data> {
    /// The sections; without section headers what PT_GNU_EH_FRAME leads to, which is the second and tells where the
    /// first is.
    fn of<H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<Tables<'data>> {
        let section = |name| elf.section_bytes(name).zip(elf.section_address(name));
        if elf.has_sections() {
            return Some(Tables { header: section(".eh_frame_hdr"), frame: section(".eh_frame")? });
        }
        let endian = elf.endian;
        let segment = elf.program_headers.iter().find(|it| it.p_type(endian) == elf::PT_GNU_EH_FRAME)?;
        let start = ImageAddress(segment.p_vaddr(endian).into());
        let header = segment.data(endian, elf.data).ok()?;
        let frame = header::frame(header, endian, start)?;
        let bytes = SectionBytes::Read(elf.bytes_from(frame)?);
        Some(Tables { header: Some((SectionBytes::Read(header), start)), frame: (bytes, frame) })
    }
}

/// `.eh_frame` and its address.
struct Frame<'bytes> {
    section: EhFrame<Bytes<'bytes>>,
    start: ImageAddress,
}

impl Frame<'_> {
    /// The function of the entry at this address.
    fn function(&self, bases: &BaseAddresses, entry: ImageAddress) -> Option<Function> {
        let offset = usize::try_from(entry.0.checked_sub(self.start.0)?).ok()?;
        let entry =
            self.section.fde_from_offset(bases, offset.into(), UnwindSection::cie_from_offset).ok()?;
        Some(Function { start: ImageAddress(entry.initial_address()), size: entry.len() })
    }
}

/// Calls `with` with `.eh_frame`, what addresses in it count from, and its sorted table; not where there is none.
fn with_eh_frame<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    with: impl FnOnce(&Frame<'_>, &BaseAddresses, Option<&Header<'_>>),
) {
    let Some(Tables { header, frame: (bytes, start) }) = Tables::of(elf) else { return };
    let address_size = address_size::<H>();
    let mut section = EhFrame::new(&bytes, endian(elf.endian));
    section.set_address_size(address_size);
    let mut bases = BaseAddresses::default().set_eh_frame(start.0);
    if let Some(text) = elf.section_address(".text") {
        bases = bases.set_text(text.0);
    }
    if let Some(table) = elf.section_address(".got") {
        bases = bases.set_got(table.0);
    }
    let header = header.as_ref().and_then(|(bytes, start)| Header::parse(bytes, elf.endian, *start));
    with(&Frame { section, start }, &bases, header.as_ref());
}

/// The functions of `.eh_frame` that hold one of `addresses`.
fn eh_frame<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    addresses: &[ImageAddress],
) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    with_eh_frame(elf, |frame, bases, header| match header {
        Some(header) => {
            let mut last = None;
            for &address in addresses {
                let entry = header.entry(address);
                // The next of the same function.
                if entry == last {
                    continue;
                }
                last = entry;
                let function = entry.and_then(|entry| frame.function(bases, entry));
                functions.extend(function.filter(|function| function.holds(address)));
            }
        }
        None => every_entry(&frame.section, bases, 0, &mut those_that_hold(addresses, &mut functions)),
    });
    functions
}

/// The functions of `.debug_frame` that hold one of `addresses`, which are `distance` above those of the section.
fn debug_frame<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    distance: u64,
    addresses: &[ImageAddress],
) -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    every_debug_frame(elf, distance, &mut those_that_hold(addresses, &mut functions));
    functions
}

/// Calls `visit` with all functions of `.debug_frame`, moved by `distance`.
fn every_debug_frame<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    distance: u64,
    visit: &mut dyn FnMut(Function),
) {
    let Some(bytes) = elf.section_bytes(".debug_frame") else { return };
    let mut frame = DebugFrame::new(&bytes, endian(elf.endian));
    frame.set_address_size(address_size::<H>());
    every_entry(&frame, &BaseAddresses::default(), distance, visit);
}

/// Keeps the functions that hold one of `addresses`.
fn those_that_hold<'a>(
    addresses: &'a [ImageAddress],
    functions: &'a mut Vec<Function>,
) -> impl FnMut(Function) + 'a {
    move |function| {
        let next = addresses.partition_point(|address| *address < function.start);
        let holds = addresses.get(next).is_some_and(|address| function.holds(*address));
        // A hostile table may hold each address as often as it likes.
        if holds && functions.len() < addresses.len() * 2 {
            functions.push(function);
        }
    }
}

/// Calls `visit` with the functions of a table, moved by `distance`, which takes reading all of it. What stands behind a
/// damaged entry is not known.
fn every_entry<'bytes, S>(frame: &S, bases: &BaseAddresses, distance: u64, visit: &mut dyn FnMut(Function))
where
    S: UnwindSection<Bytes<'bytes>>,
    S::Offset: UnwindOffset<usize>,
{
    let mut known: HashMap<usize, Cie<'bytes>> = HashMap::new();
    let mut entries = frame.entries(bases);
    for _ in 0..MOST_ENTRIES {
        let Ok(Some(entry)) = entries.next() else { break };
        let CieOrFde::Fde(entry) = entry else { continue };
        let entry = entry.parse(|frame, bases, offset| match known.get(&UnwindOffset::into(offset)) {
            Some(entry) => Ok(entry.clone()),
            None => {
                let entry = frame.cie_from_offset(bases, offset)?;
                if known.len() < MOST_KNOWN {
                    known.insert(UnwindOffset::into(offset), entry.clone());
                }
                Ok(entry)
            }
        });
        if let Ok(entry) = entry {
            let start = ImageAddress(entry.initial_address().wrapping_add(distance));
            visit(Function { start, size: entry.len() });
        }
    }
}

fn endian(endian: Endianness) -> RunTimeEndian {
    match endian {
        Endianness::Little => RunTimeEndian::Little,
        Endianness::Big => RunTimeEndian::Big,
    }
}

fn address_size<H: Class>() -> u8 {
    if H::is_type_64_sized() { 8 } else { 4 }
}
