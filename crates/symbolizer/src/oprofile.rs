//! Names by OProfile's rules, for the sessions that it recorded: they name more than they know for sure.
//!
//! Of an image and its separate debug file, `.symtab` counts alone. A symbol's offset in the file is what is compared; it
//! reaches to the next symbol of its section or the section's end, whatever size the table tells. The rules are those of
//! libutil++/op_bfd.cpp of OProfile 1.x. One is not kept: an image without any of those symbols is named as those of
//! our own recordings are, by `.dynsym`, stubs and the table for unwinding.

mod choice;
mod kallsyms;
mod table;

use std::fs::File;
use std::path::Path;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::{FileKind, ReadRef};
use oprof_profile::{
    ImageAddress, ImageIdentity, ImageNames, ImageOffset, NameSource, Segment, SourceFileId, SourceLine,
    Symbol, SymbolId, Unresolved,
};
use rustc_hash::FxHashMap;

use crate::budget::Budget;
use crate::demangle::demangle_some;
use crate::dwarf::Debugging;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::resolve::Symbolizer;

pub use kallsyms::resolve_kernel_text;
use table::{Found, holders, table};

/// What the offsets of samples in an image count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetOrigin {
    /// The start of the file: programs and libraries.
    File,
    /// Where `.text` is in the file: the kernel and its modules.
    Text,
    /// Nothing: they are addresses, as the image's own tables state them. Code of JIT compilers, in the files (`PID.jo`)
    /// that OProfile makes of it.
    Address,
}

/// What is to be known of offsets, and what they are.
#[derive(Clone, Copy, Debug)]
pub struct OprofileNames {
    /// What they count from.
    pub origin: OffsetOrigin,
    /// What OProfile does not know counts, too: the functions that an image without a symbol table exports, and compressed
    /// debugging information.
    pub beyond: bool,
    /// What the source says of them is wanted, too; at least the file of a local symbol, with 0 for the line.
    pub lines: bool,
}

impl Symbolizer {
    /// The names of `offsets` (in bytes) in an ELF file by OProfile's rules; `path` is where it is.
    ///
    /// What cannot be read as ELF gives [`Unresolved::Unreadable`]. The bounds are those of
    /// [`Symbolizer::resolve_file`].
    pub fn resolve_as_oprofile(
        &self,
        path: &Path,
        file: &File,
        offsets: &[ImageOffset],
        wanted: OprofileNames,
    ) -> ImageNames {
        let budget = Budget::new();
        let bytes = FileBytes::new(file, &budget);
        let question = Question { symbolizer: self, path, offsets, wanted };
        let names = match FileKind::parse(&bytes) {
            Ok(FileKind::Elf32) => question.ask::<FileHeader32<Endianness>>(file, &budget),
            Ok(FileKind::Elf64) => question.ask::<FileHeader64<Endianness>>(file, &budget),
            _ => Err(Unresolved::Unreadable),
        };
        names.unwrap_or_else(|reason| ImageNames::unresolved(offsets.iter().copied(), reason))
    }
}

/// What is asked of an image.
struct Question<'a> {
    symbolizer: &'a Symbolizer,
    path: &'a Path,
    offsets: &'a [ImageOffset],
    wanted: OprofileNames,
}

impl Question<'_> {
    fn ask<H: Class>(&self, file: &File, budget: &Budget) -> Result<ImageNames, Unresolved> {
        let bytes = FileBytes::new(file, budget);
        let bytes = &bytes;
        let image = Elf::<H, _>::parse(bytes)?;
        let debug_file = self.symbolizer.directories.find(&image, Some(self.path));
        let debug_bytes = debug_file.as_ref().map(|debug| FileBytes::new(&debug.file, budget));
        let debug = debug_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());

        let own: Option<&Elf<'_, H, &FileBytes<'_>>> = None;
        let mut tables = vec![table(&image, own, self.wanted.origin).ok_or(Unresolved::Unreadable)?];
        // Whatever is wrong with the debug file, the image's own names stand.
        tables.extend(debug.as_ref().and_then(|debug| table(debug, Some(&image), self.wanted.origin)));
        let mut offsets: Vec<u64> = self.offsets.iter().map(|offset| offset.0).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let length = bytes.len().map_err(|()| Unresolved::Unreadable)?;
        let mut files = Vec::new();
        let mut names = match holders(&tables, &offsets, length) {
            Some(mut found) => {
                files.extend(found.symbols.iter_mut().map(|holder| holder.file.take()));
                named(found, offsets)
            }
            None if self.wanted.beyond && self.wanted.origin == OffsetOrigin::File => {
                // Whatever names the code of our own recordings: exported functions, stubs, bounds of functions.
                let Self { symbolizer, path, offsets, .. } = *self;
                return Ok(symbolizer.resolve_file(Some(path), file, &ImageIdentity::None, offsets));
            }
            None => ImageNames::unresolved(self.offsets.iter().copied(), Unresolved::NoSymbols),
        };
        names.segments = match self.wanted.origin {
            OffsetOrigin::File => image.loaded(),
            OffsetOrigin::Text => vec![Segment {
                offset: ImageOffset(0),
                size: u64::MAX,
                address: image.section_address(".text").unwrap_or_default(),
            }],
            OffsetOrigin::Address => Vec::new(),
        };
        if self.wanted.lines {
            let image_address = |offset| match self.wanted.origin {
                OffsetOrigin::File => image.image_address(offset),
                OffsetOrigin::Text => {
                    Some(ImageAddress(image.section_address(".text")?.0.wrapping_add(offset.0)))
                }
                OffsetOrigin::Address => Some(ImageAddress(offset.0)),
            };
            let debugging = Debugging {
                directories: &self.symbolizer.directories,
                image: Some(self.path),
                path: Some(self.path),
                code_start: image.code_start(),
                distance: 0,
            };
            let debug = debug.as_ref().zip(debug_file.as_ref()).filter(|_| !image.has_debugging());
            let is_compressed = debug.map_or_else(
                || image.has_compressed_debugging(),
                |(debug, _)| debug.has_compressed_debugging(),
            );
            match debug {
                _ if is_compressed && !self.wanted.beyond => {}
                Some((debug, file)) => {
                    let distance = image.distance_from(debug);
                    let debugging = Debugging { path: Some(&file.path), distance, ..debugging };
                    debugging.add_places(debug, &mut names, image_address);
                }
                None => debugging.add_places(&image, &mut names, image_address),
            }
            add_files(&mut names, files);
        }
        Ok(names)
    }
}

/// Tells the files of symbols of which no line is known; `files` are those of the symbols that stand first.
fn add_files(names: &mut ImageNames, files: Vec<Option<Vec<u8>>>) {
    let mut known: FxHashMap<Vec<u8>, SourceFileId> = FxHashMap::default();
    for (symbol, file) in names.symbols.iter_mut().zip(files) {
        let (None, Some(file)) = (symbol.line, file) else { continue };
        let files = &mut names.files;
        let id = *known.entry(file).or_insert_with_key(|file| {
            files.push(String::from_utf8_lossy(file).into_owned());
            SourceFileId(files.len() as u32 - 1)
        });
        symbol.line = Some(SourceLine { file: id, line: 0, column: 0 });
    }
}

/// The answers for `offsets`, which ascend.
fn named(found: Found, offsets: Vec<u64>) -> ImageNames {
    let answers = offsets.into_iter().zip(found.places).map(|(offset, place)| {
        let answer = place.map(|place| SymbolId(place as u32)).ok_or(Unresolved::NoSymbolAtOffset);
        (ImageOffset(offset), answer)
    });
    let offsets = answers.collect();
    let found = found.symbols.into_iter();
    let found = found.map(|holder| (holder.name, holder.address, holder.size, holder.source)).collect();
    ImageNames { symbols: symbols(found), offsets, ..ImageNames::default() }
}

/// A symbol by its name in a table, address, size, and what told it.
type Told = (Vec<u8>, ImageAddress, u64, NameSource);

/// The symbols of these names. Versions stay (`memcpy@@GLIBC_2.14`), and what has one is not demangled; a leading dot is no
/// part of a mangled name.
fn symbols(found: Vec<Told>) -> Vec<Symbol> {
    let names: Vec<String> =
        found.iter().map(|(name, ..)| String::from_utf8_lossy(name).into_owned()).collect();
    let bare: Vec<&str> = names.iter().map(|name| name.strip_prefix('.').unwrap_or(name)).collect();
    let demangled = demangle_some(&bare);
    let all = names.into_iter().zip(demangled).zip(found);
    all.map(|((name, demangled), (_, address, size, source))| {
        let (name, mangled) = match demangled {
            Some(demangled) if demangled != name && !name.contains('@') => (demangled, Some(name)),
            _ => (name, None),
        };
        Symbol { name, mangled, address, size, source, line: None }
    })
    .collect()
}
