//! Compares the symbolizer with other tools, address by address.

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
    let data = std::fs::read(image).expect("an image");
    match FileKind::parse(&*data) {
        Ok(FileKind::Elf32) => code::<FileHeader32<Endianness>>(&data),
        Ok(FileKind::Elf64) => code::<FileHeader64<Endianness>>(&data),
        kind => panic!("{} is {kind:?}", image.display()),
    }
}

fn code<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> Vec<(u64, ImageOffset)> {
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
        (0..size).step_by(STEP as usize).map(move |at| (address + at, ImageOffset(offset + at)))
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

/// A difference that is known, by what it is between.
pub(crate) type Excuse = fn(Oracle, &[Frame], &[Frame]) -> bool;

/// How a comparison went.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The addresses with a line.
    pub(crate) lines: usize,
    /// The addresses in inlined functions.
    pub(crate) inlined: usize,
    /// The addresses that differ in a way that is known.
    pub(crate) excused: usize,
}

/// Compares every 64th address; `None` where the tool is missing. `excuse` tells which differences are known.
pub(crate) fn compare(
    symbolizer: &Symbolizer,
    image: &Path,
    what: &str,
    oracle: Oracle,
    excuse: Excuse,
) -> Option<Outcome> {
    let addresses = addresses(image);
    let asked: Vec<u64> = addresses.iter().map(|(address, _)| *address).collect();
    let offsets: Vec<ImageOffset> = addresses.iter().map(|(_, offset)| *offset).collect();
    let theirs = oracle.ask(image, &asked)?;
    let names = resolve(symbolizer, image, &offsets);
    let mut outcome = Outcome::default();
    let mut differences = Vec::new();
    for ((address, offset), theirs) in addresses.iter().zip(theirs) {
        let ours = frames(&names, *offset);
        outcome.lines += usize::from(ours[0].line > 0);
        outcome.inlined += usize::from(ours.len() > 1);
        if same(&ours, &theirs) {
            continue;
        }
        if excuse(oracle, &ours, &theirs) {
            outcome.excused += 1;
        } else {
            differences.push(format!("{address:#x}\n    ours:   {ours:?}\n    theirs: {theirs:?}"));
        }
    }
    if std::env::var_os("EXPLORE").is_some() && !differences.is_empty() {
        println!(
            "{what} {oracle:?}: {} of {}:\n{}",
            differences.len(),
            addresses.len(),
            differences[..differences.len().min(5)].join("\n")
        );
        return Some(outcome);
    }
    assert!(
        differences.is_empty(),
        "{what}: {} of {} addresses differ from {oracle:?}, {outcome:?}:\n{}",
        differences.len(),
        addresses.len(),
        differences[..differences.len().min(12)].join("\n")
    );
    Some(outcome)
}

fn same(ours: &[Frame], theirs: &[Frame]) -> bool {
    let place = |frame: &Frame| (frame.file.clone(), frame.line);
    let inner = |frames: &[Frame]| frames[..frames.len() - 1].to_vec();
    ours.len() == theirs.len()
        && inner(ours) == inner(theirs)
        && ours.last().map(place) == theirs.last().map(place)
}
