//! Compares the symbolizer with other tools, address by address.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, PF_X, PT_LOAD};
use object::read::FileKind;
use object::read::elf::{FileHeader, ProgramHeader};
use oprof_profile::{ImageIdentity, ImageNames, ImageOffset};
use oprof_symbolizer::Symbolizer;

use crate::oracle::{Frame, Oracle};

/// The distance of the addresses that are compared, in bytes.
const STEP: u64 = 64;

/// Every 64th address of an image's code, with its offset in the file.
pub(crate) fn addresses(image: &Path) -> Vec<(u64, ImageOffset)> {
    addresses_of(image, STEP)
}

/// Every address of an image's code, `step` bytes apart.
pub(crate) fn addresses_of(image: &Path, step: u64) -> Vec<(u64, ImageOffset)> {
    let data = std::fs::read(image).expect("an image");
    match FileKind::parse(&*data) {
        Ok(FileKind::Elf32) => code::<FileHeader32<Endianness>>(&data, step),
        Ok(FileKind::Elf64) => code::<FileHeader64<Endianness>>(&data, step),
        kind => panic!("{} is {kind:?}", image.display()),
    }
}

fn code<H: FileHeader<Endian = Endianness>>(data: &[u8], step: u64) -> Vec<(u64, ImageOffset)> {
    let header = H::parse(data).expect("a header");
    let endian = header.endian().expect("an endianness");
    let segments = header.program_headers(endian, data).expect("program headers");
    let code = segments.iter().filter(|s| s.p_type(endian) == PT_LOAD && s.p_flags(endian).contains(PF_X));
    let addresses = code.flat_map(|segment| {
        let (address, offset, size): (u64, u64, u64) = (
            segment.p_vaddr(endian).into(),
            segment.p_offset(endian).into(),
            segment.p_filesz(endian).into(),
        );
        (0..size).step_by(step as usize).map(move |at| (address + at, ImageOffset(offset + at)))
    });
    addresses.collect()
}

/// The names of the offsets in an image.
pub(crate) fn resolve(symbolizer: &Symbolizer, image: &Path, offsets: &[ImageOffset]) -> ImageNames {
    let file = File::open(image).expect("an image");
    symbolizer.resolve_file(Some(image), &file, &ImageIdentity::None, offsets)
}

/// What the symbolizer says of an offset, in the form of the other tools.
fn frames(names: &ImageNames, offset: ImageOffset) -> Vec<Frame> {
    let raw = |id| {
        let symbol = names.symbol(id).expect("a symbol of the image");
        symbol.mangled.clone().unwrap_or(symbol.name.clone())
    };
    let place = names.place(offset).cloned().unwrap_or_default();
    let mut functions: Vec<String> = place.inlined.iter().map(|frame| raw(frame.function)).collect();
    functions.push(names.lookup(offset).map(raw).unwrap_or_default());
    let lines = [place.line].into_iter().chain(place.inlined.iter().map(|frame| frame.call));
    let frame = |(function, line): (String, Option<oprof_profile::SourceLine>)| Frame {
        function,
        file: line.and_then(|line| names.file(line.file)).unwrap_or_default().to_owned(),
        line: line.map_or(0, |line| line.line),
    };
    functions.into_iter().zip(lines).map(frame).collect()
}

/// How a comparison went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The addresses with a line.
    pub(crate) lines: usize,
    /// The addresses in inlined functions.
    pub(crate) inlined: usize,
    /// The differences that are known, by reason.
    pub(crate) known: BTreeMap<&'static str, usize>,
}

/// Compares what the symbolizer says of every 64th address of `image` with what the tools say of `original`, which has
/// the same code and its debugging information in the plainest form. `None` where both tools are missing.
pub(crate) fn compare(symbolizer: &Symbolizer, image: &Path, original: &Path, what: &str) -> Option<Outcome> {
    let addresses = addresses(image);
    let asked: Vec<u64> = addresses.iter().map(|(address, _)| *address).collect();
    let offsets: Vec<ImageOffset> = addresses.iter().map(|(_, offset)| *offset).collect();
    let names = resolve(symbolizer, image, &offsets);
    let ours: Vec<Vec<Frame>> = offsets.iter().map(|offset| frames(&names, *offset)).collect();
    let mut outcome = Outcome {
        lines: ours.iter().filter(|frames| frames[0].line > 0).count(),
        inlined: ours.iter().filter(|frames| frames.len() > 1).count(),
        ..Outcome::default()
    };

    let llvm = Oracle::Llvm.ask(original, &asked);
    let binutils = Oracle::Binutils.ask(original, &asked);
    if llvm.is_none() && binutils.is_none() {
        return None;
    }
    let mut differences = Vec::new();
    for (place, (address, ours)) in asked.iter().zip(&ours).enumerate() {
        let theirs = |all: &Option<Vec<Vec<Frame>>>| all.as_ref().map(|all| all[place].clone());
        let (llvm, binutils) = (theirs(&llvm), theirs(&binutils));
        let agrees = llvm.as_ref().is_none_or(|llvm| {
            same(ours, llvm) || known_difference(Oracle::Llvm, ours, llvm, false).is_some()
        });
        for (oracle, theirs) in [(Oracle::Llvm, llvm), (Oracle::Binutils, binutils)] {
            let Some(theirs) = theirs.filter(|theirs| !same(ours, theirs)) else { continue };
            match known_difference(oracle, ours, &theirs, agrees) {
                Some(reason) => *outcome.known.entry(reason).or_default() += 1,
                None => differences
                    .push(format!("{address:#x}, {oracle:?}\n    ours:   {ours:?}\n    theirs: {theirs:?}")),
            }
        }
    }
    assert!(
        differences.is_empty(),
        "{what}: {} differences at {} addresses, {outcome:?}:\n{}",
        differences.len(),
        addresses.len(),
        differences[..differences.len().min(8)].join("\n")
    );
    Some(outcome)
}

/// Whether two answers have the same inlined functions, files and lines. Which symbol the outermost function is, is
/// compared elsewhere: aliases and clones (`f.cold`) have names of their own in the symbol table.
fn same(ours: &[Frame], theirs: &[Frame]) -> bool {
    ours.len() == theirs.len() && inner_names(ours) == inner_names(theirs) && same_places(ours, theirs)
}

fn inner_names(frames: &[Frame]) -> Vec<&str> {
    frames[..frames.len() - 1].iter().map(|frame| frame.function.as_str()).collect()
}

fn same_places(ours: &[Frame], theirs: &[Frame]) -> bool {
    let places = |frames: &[Frame]| -> Vec<_> { frames.iter().map(|f| (f.file.clone(), f.line)).collect() };
    places(ours) == places(theirs)
}

/// Whether `theirs` is `ours` with its folder twice: `./elf/./elf/a.c`.
fn is_doubled(ours: &str, theirs: &str) -> bool {
    theirs.strip_suffix(ours).is_some_and(|folder| folder.ends_with('/') && ours.starts_with(folder))
}

/// Why a tool says something else; `None` where there is no reason. Binutils are known to miss what they do not read,
/// so of them a difference counts as known only where llvm-symbolizer agrees with us (`agrees`).
fn known_difference(oracle: Oracle, ours: &[Frame], theirs: &[Frame], agrees: bool) -> Option<&'static str> {
    let lines = |frames: &[Frame]| -> Vec<u32> { frames.iter().map(|frame| frame.line).collect() };
    if ours.len() == 1 && theirs.len() == 1 && ours[0].file.is_empty() && theirs[0].line == 0 {
        return Some("the file is of the symbol table (STT_FILE), there is no debugging information");
    }
    let relative =
        |(ours, theirs): (&Frame, &Frame)| ours.file == theirs.file || is_doubled(&ours.file, &theirs.file);
    if ours.len() == theirs.len()
        && lines(ours) == lines(theirs)
        && inner_names(ours) == inner_names(theirs)
        && ours.iter().zip(theirs).all(relative)
    {
        return Some(
            "folder 0 of DWARF 5 is the one of the compiler, and when relative is put before itself",
        );
    }
    if oracle == Oracle::Llvm || !agrees {
        return None;
    }
    if theirs.len() == 1 && theirs[0].line == 0 {
        return Some(
            "binutils read no lines of this: 64-bit DWARF, .zdebug_, split DWARF 5 of gcc, some of glibc",
        );
    }
    if theirs.len() < ours.len() {
        return Some("binutils miss inlined functions of clang's DWARF 5 (DW_FORM_addrx) and of split DWARF");
    }
    if lines(ours) == lines(theirs) && inner_names(ours) == inner_names(theirs) {
        return Some("binutils count the files of DWARF 5 from 1");
    }
    if same_places(ours, theirs) {
        return Some("binutils show the symbol's name for an inlined function without DW_AT_linkage_name");
    }
    None
}
