//! Turns the offsets of one ELF image into names.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::{FileKind, ReadRef};
use oprof_profile::{
    ImageAddress, ImageIdentity, ImageNames, ImageOffset, Inode, NameSource, Symbol, Unresolved,
};

use crate::answers::{Answers, Function};
use crate::budget::Budget;
use crate::cache::{Cache, Hit, Key};
use crate::code_symbol::CodeTable;
use crate::debug_file::DebugDirectories;
use crate::demangle::demangle;
use crate::dwarf::Debugging;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::image_data::ImageData;
use crate::memory_bytes::MemoryBytes;
use crate::sources::Sources;
use crate::symbol_table::{Holder, lookup};

/// Gives names to code, wherever they are: in the image itself or in a separate debug file.
#[derive(Clone, Debug, Default)]
pub struct Symbolizer {
    pub(crate) directories: DebugDirectories,
    pub(crate) cache: Option<Arc<Cache>>,
}

/// An ELF file: what it is to the process that was sampled, and to this one.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// Where it was mapped from.
    path: Option<&'a Path>,
    file: Option<&'a File>,
}

/// A separate debug file that was read.
pub(crate) struct DebugElf<'elf, 'bytes, 'file, H: Class> {
    pub(crate) elf: &'elf Elf<'bytes, H, &'bytes FileBytes<'file>>,
    path: &'elf Path,
}

impl Symbolizer {
    /// Looks for separate debug files in these directories.
    pub fn new(directories: DebugDirectories) -> Symbolizer {
        Symbolizer { directories, cache: None }
    }

    /// Asks this cache before the tables of images that are files, and remembers for it which images it lacks; see
    /// [`Symbolizer::store_indexes`].
    pub fn with_cache(self, cache: Cache) -> Symbolizer {
        Symbolizer { cache: Some(Arc::new(cache)), ..self }
    }

    /// The names of `offsets` (in bytes from the start of the file) in an ELF file that was mapped; `path` is where it
    /// was mapped from, beside which its debug file can be.
    ///
    /// The file must be the one that `identity` tells of; another one of the same name (a program that was rebuilt)
    /// gives [`Unresolved::BuildIdMismatch`] for every offset. What cannot be read as ELF, or keeps its tables where
    /// the file has no bytes, gives [`Unresolved::Unreadable`].
    ///
    /// At most 144 MB of headers, tables and names are held at a time. The file may change or shrink meanwhile.
    pub fn resolve_file(
        &self,
        path: Option<&Path>,
        file: &File,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> ImageNames {
        let budget = Budget::new();
        let bytes = FileBytes::new(file, &budget);
        let place = Place { path, file: Some(file) };
        let names = match identity {
            ImageIdentity::Inode(inode) => match is_inode(file, inode) {
                Ok(true) => self.resolve(place, &bytes, &ImageIdentity::None, offsets),
                Ok(false) => Err(Unresolved::BuildIdMismatch),
                Err(_) => Err(Unresolved::Unreadable),
            },
            // A file of another time is for the caller to judge: a copy of the same image has a time of its own.
            ImageIdentity::Modified(_) | ImageIdentity::Region(_) => {
                self.resolve(place, &bytes, &ImageIdentity::None, offsets)
            }
            ImageIdentity::BuildId(_) | ImageIdentity::None => self.resolve(place, &bytes, identity, offsets),
        };
        names.unwrap_or_else(|reason| ImageNames::unresolved(offsets.iter().copied(), reason))
    }

    /// The names of `offsets` (in bytes) in an ELF image that is in memory. An identity by inode cannot be told from
    /// bytes and is taken for granted.
    pub fn resolve_bytes(
        &self,
        image: &[u8],
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> ImageNames {
        self.resolve(Place::default(), &MemoryBytes::new(image, &Budget::new()), identity, offsets)
            .unwrap_or_else(|reason| ImageNames::unresolved(offsets.iter().copied(), reason))
    }

    fn resolve<'data, R: ImageData<'data>>(
        &self,
        place: Place<'_>,
        data: R,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> Result<ImageNames, Unresolved> {
        match FileKind::parse(data) {
            Ok(FileKind::Elf32) => {
                self.resolve_class::<FileHeader32<Endianness>, R>(place, data, identity, offsets)
            }
            Ok(FileKind::Elf64) => {
                self.resolve_class::<FileHeader64<Endianness>, R>(place, data, identity, offsets)
            }
            _ => Err(Unresolved::Unreadable),
        }
    }

    fn resolve_class<'data, H: Class, R: ImageData<'data>>(
        &self,
        place: Place<'_>,
        data: R,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> Result<ImageNames, Unresolved> {
        let image = Elf::<H, R>::parse(data)?;
        let names = self.resolve_elf(place, &image, identity, offsets)?;
        Ok(ImageNames { segments: image.loaded(), ..names })
    }

    fn resolve_elf<'data, H: Class, R: ImageData<'data>>(
        &self,
        place: Place<'_>,
        image: &Elf<'data, H, R>,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> Result<ImageNames, Unresolved> {
        if let ImageIdentity::BuildId(expected) = identity
            && image.build_id().as_ref() != Some(expected)
        {
            return Err(Unresolved::BuildIdMismatch);
        }
        let mut addresses: Vec<ImageAddress> =
            offsets.iter().copied().filter_map(|offset| image.image_address(offset)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        let image_address = |offset| image.image_address(offset);
        let nth = |offset| addresses.binary_search(&image_address(offset)?).ok();

        let Place { path, file } = place;
        let start = Instant::now();
        let cache = self.cache.as_ref().zip(file);
        let cached = cache
            .and_then(|(cache, file)| Some((cache, file, Key::of(image, file, path, &self.directories)?)));
        let hit = cached.as_ref().and_then(|(cache, _, key)| cache.ask(key, &addresses));
        let undebugged = !image.has_debugging();
        let debugging = Debugging {
            directories: &self.directories,
            image: path,
            path,
            code_start: image.code_start(),
            distance: 0,
        };
        let answers = match hit {
            Some(Hit { answers, debugging: false }) => {
                let mut names = answers.name(offsets, nth);
                debugging.add_places(image, &mut names, image_address);
                return Ok(names);
            }
            hit => hit.map(|hit| hit.answers),
        };
        self.with_sources(image, path, |sources, debug| {
            let is_known = answers.is_some();
            let answers = answers.map_or_else(|| ask(sources, &addresses), Ok)?;
            if let (false, Some((cache, file, key))) = (is_known, cached) {
                cache.miss(key, file, path, start.elapsed());
            }
            let mut names = answers.name(offsets, nth);
            match debug {
                Some(debug) if undebugged => {
                    let debugging = Debugging {
                        path: Some(debug.path),
                        distance: image.distance_from(debug.elf),
                        ..debugging
                    };
                    debugging.add_places(debug.elf, &mut names, image_address);
                }
                _ => debugging.add_places(image, &mut names, image_address),
            }
            Ok(names)
        })
    }

    /// Calls `with` with all that can name the code of an image, and with its debug file.
    pub(crate) fn with_sources<'data, H: Class, R: ReadRef<'data>, T>(
        &self,
        image: &Elf<'data, H, R>,
        path: Option<&Path>,
        with: impl FnOnce(&Sources<'_, 'data, '_, '_, H, R>, Option<&DebugElf<'_, '_, '_, H>>) -> T,
    ) -> T {
        let stripped = !image.has_symbols();
        let undebugged = !image.has_debugging();
        let debug_file = (stripped || undebugged).then(|| self.directories.find(image, path)).flatten();
        let debug_bytes = debug_file.as_ref().map(|debug| FileBytes::new(&debug.file, image.budget));
        let debug = debug_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let mini_bytes = (stripped && debug.is_none()).then(|| image.mini_debug_info()).flatten();
        let mini_bytes = mini_bytes.as_ref().map(|bytes| MemoryBytes::new(bytes, image.budget));
        let mini = mini_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let tables = debug.as_ref().filter(|_| stripped);
        let sources = Sources { image, debug: tables, mini: mini.as_ref() };
        let debug = debug.as_ref().zip(debug_file.as_ref());
        with(&sources, debug.map(|(elf, file)| DebugElf { elf, path: &file.path }).as_ref())
    }
}

/// Whether this is the file that was mapped. The generation, which fstat(2) does not tell, is not compared.
///
/// Devices are not compared where one of them has no hardware (major number 0): btrfs and overlayfs show another
/// number in fstat(2) than in the mapping.
fn is_inode(file: &File, inode: &Inode) -> std::io::Result<bool> {
    let metadata = file.metadata()?;
    // The encoding of dev_t is glibc's and the kernel's: makedev(3).
    let device = metadata.dev();
    let major = (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000);
    let minor = (device & 0xff) | (device >> 12 & 0xffff_ff00);
    let same_device = major == 0 || inode.device >> 32 == 0 || inode.device == (major << 32 | minor);
    Ok(metadata.ino() == inode.number && same_device)
}

/// The functions that the sources give to `addresses`, which ascend and are distinct.
fn ask<'image, H: Class, R: ReadRef<'image>>(
    sources: &Sources<'_, 'image, '_, '_, H, R>,
    addresses: &[ImageAddress],
) -> Result<Answers, Unresolved> {
    let mut tables = sources.symbol_tables()?;
    let mut found = lookup(&borrowed(&tables), addresses);
    let left: Vec<usize> = (0..addresses.len()).filter(|&place| found.holders[place].is_none()).collect();
    let nameless: Vec<ImageAddress> = left.iter().map(|&place| addresses[place]).collect();
    if !nameless.is_empty() {
        let fallback = sources.fallback_tables(&nameless);
        let fallback_found = lookup(&fallback.each_ref().map(|table| table as &dyn CodeTable), &nameless);
        for (&place, holder) in left.iter().zip(fallback_found.holders) {
            let shift = |holder: Holder| Holder { table: holder.table + tables.len(), ..holder };
            found.holders[place] = holder.map(shift);
        }
        tables.extend(fallback.map(|table| Box::new(table) as Box<dyn CodeTable>));
    }

    let mut answers = Answers { any_symbols: found.any_symbols, ..Answers::default() };
    let mut known: HashMap<(usize, usize), Option<usize>> = HashMap::new();
    for holder in found.holders {
        answers.places.push(holder.and_then(|Holder { table, index, start, size }| {
            *known.entry((table, index)).or_insert_with(|| {
                let name = tables[table].name(index).unwrap_or_default();
                // Here, and in both forms in the answer.
                sources.image.budget.take((size_of::<Function>() + 3 * name.len()) as u64)?;
                let name = name.to_vec();
                answers.functions.push(Function { start, size, source: tables[table].source(), name });
                Some(answers.functions.len() - 1)
            })
        }));
    }
    Ok(answers)
}

pub(crate) fn borrowed<'table>(tables: &'table [Box<dyn CodeTable + 'table>]) -> Vec<&'table dyn CodeTable> {
    tables.iter().map(|table| &**table as &dyn CodeTable).collect()
}

/// The symbol of this name in a table. A version (`memcpy@@GLIBC_2.14`) is left out; the `@plt` of a stub is none.
pub(crate) fn symbol(name: &[u8], address: ImageAddress, size: u64, source: NameSource) -> Symbol {
    const STUB: &str = "@plt";
    const MOLD_STUBS: [&str; 2] = ["$plt", "$pltgot"];
    let name = String::from_utf8_lossy(name);
    // mold writes its stubs into the symbol table, and spells them in its own way.
    let mold_stub = MOLD_STUBS.iter().find_map(|stub| name.strip_suffix(stub));
    let stub = mold_stub.or(name.strip_suffix(STUB).filter(|_| source == NameSource::Plt));
    let suffix = if stub.is_some() { STUB } else { "" };
    let bare = stub.unwrap_or(&name);
    let version = bare.bytes().skip(1).position(|byte| byte == b'@');
    let bare = version.map_or(bare, |at| &bare[..at + 1]);
    let full = |name: &str| format!("{name}{suffix}");
    let (name, mangled) = match demangle(bare) {
        Some(demangled) if demangled != bare => (full(&demangled), Some(full(bare))),
        _ => (full(bare), None),
    };
    Symbol { name, mangled, address, size, source, line: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_left_out_and_mangled_names_kept_beside() {
        let name = |name: &[u8]| {
            let symbol = symbol(name, ImageAddress(1), 2, NameSource::SymbolTable);
            (symbol.name, symbol.mangled)
        };
        assert_eq!(name(b"memcpy@@GLIBC_2.14"), ("memcpy".into(), None));
        assert_eq!(name(b"memcpy@GLIBC_2.2.5"), ("memcpy".into(), None));
        assert_eq!(name(b"_ZN5space3fooEi@@V1"), ("space::foo(int)".into(), Some("_ZN5space3fooEi".into())));
        let stub = symbol(b"_ZN5space3fooEi@plt", ImageAddress(1), 2, NameSource::Plt);
        let names = (stub.name.as_str(), stub.mangled.as_deref());
        assert_eq!(names, ("space::foo(int)@plt", Some("_ZN5space3fooEi@plt")));
        assert_eq!(name(b"@at"), ("@at".into(), None));
        assert_eq!(name(b"puts$plt"), ("puts@plt".into(), None));
        assert_eq!(name(b"_ZN5space3fooEi$pltgot").0, "space::foo(int)@plt");
        assert_eq!(name(b"bad\xff"), ("bad\u{fffd}".into(), None));
    }

    #[test]
    fn the_inode_decides_and_devices_without_hardware_are_not_compared() {
        let file = tempfile::tempfile().unwrap();
        let number = file.metadata().unwrap().ino();
        let inode = |device, number| Inode { device, number, generation: 77 };
        assert!(is_inode(&file, &inode(0, number)).unwrap());
        assert!(is_inode(&file, &inode(35, number)).unwrap());
        assert!(!is_inode(&file, &inode(0, number + 1)).unwrap());
    }
}
