//! Turns the offsets of one ELF image into names.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::{FileKind, ReadRef};
use oprof_profile::{
    ImageAddress, ImageIdentity, ImageNames, ImageOffset, Inode, NameSource, Symbol, SymbolId, Unresolved,
};

use crate::code_symbol::CodeTable;
use crate::debug_file::DebugDirectories;
use crate::demangle::demangle;
use crate::dwarf::Debugging;
use crate::elf::{Class, Elf};
use crate::file_bytes::{BUDGET, FileBytes};
use crate::memory_bytes::MemoryBytes;
use crate::sources::Sources;
use crate::symbol_table::{Holder, lookup};

/// Gives names to code, wherever they are: in the image itself or in a separate debug file.
#[derive(Clone, Debug, Default)]
pub struct Symbolizer {
    directories: DebugDirectories,
}

impl Symbolizer {
    /// Looks for separate debug files in these directories.
    pub fn new(directories: DebugDirectories) -> Symbolizer {
        Symbolizer { directories }
    }

    /// The names of `offsets` (in bytes from the start of the file) in an ELF file that was mapped; `path` is where it
    /// was mapped from, beside which its debug file can be.
    ///
    /// The file must be the one that `identity` tells of; another one of the same name (a program that was rebuilt)
    /// gives [`Unresolved::BuildIdMismatch`] for every offset. What cannot be read as ELF, or keeps its tables where
    /// the file has no bytes, gives [`Unresolved::Unreadable`].
    ///
    /// At most 512 MB of headers, symbol tables and names are read. The file may change or shrink meanwhile.
    pub fn resolve_file(
        &self,
        path: Option<&Path>,
        file: &File,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> ImageNames {
        let bytes = FileBytes::new(file, BUDGET);
        let names = match identity {
            ImageIdentity::Inode(inode) => match is_inode(file, inode) {
                Ok(true) => self.resolve(path, &bytes, &ImageIdentity::None, offsets),
                Ok(false) => Err(Unresolved::BuildIdMismatch),
                Err(_) => Err(Unresolved::Unreadable),
            },
            ImageIdentity::BuildId(_) | ImageIdentity::None => self.resolve(path, &bytes, identity, offsets),
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
        self.resolve(None, &MemoryBytes::new(image), identity, offsets)
            .unwrap_or_else(|reason| ImageNames::unresolved(offsets.iter().copied(), reason))
    }

    fn resolve<'data, R: ReadRef<'data>>(
        &self,
        path: Option<&Path>,
        data: R,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> Result<ImageNames, Unresolved> {
        match FileKind::parse(data) {
            Ok(FileKind::Elf32) => {
                self.resolve_class::<FileHeader32<Endianness>, R>(path, data, identity, offsets)
            }
            Ok(FileKind::Elf64) => {
                self.resolve_class::<FileHeader64<Endianness>, R>(path, data, identity, offsets)
            }
            _ => Err(Unresolved::Unreadable),
        }
    }

    fn resolve_class<'data, H: Class, R: ReadRef<'data>>(
        &self,
        path: Option<&Path>,
        data: R,
        identity: &ImageIdentity,
        offsets: &[ImageOffset],
    ) -> Result<ImageNames, Unresolved> {
        let image = Elf::<H, R>::parse(data)?;
        if let ImageIdentity::BuildId(expected) = identity
            && image.build_id().as_ref() != Some(expected)
        {
            return Err(Unresolved::BuildIdMismatch);
        }
        let stripped = !image.has_symbols();
        let undebugged = !image.has_debugging();
        let debug_file = (stripped || undebugged).then(|| self.directories.find(&image, path)).flatten();
        let debug_bytes = debug_file.as_ref().map(|debug| FileBytes::new(&debug.file, BUDGET));
        let debug = debug_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let mini_bytes = (stripped && debug.is_none()).then(|| image.mini_debug_info()).flatten();
        let mini_bytes = mini_bytes.as_ref().map(|bytes| MemoryBytes::new(bytes));
        let mini = mini_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let tables = debug.as_ref().filter(|_| stripped);
        let mut names = names(&Sources { image: &image, debug: tables, mini: mini.as_ref() }, offsets)?;

        let image_address = |offset| image.image_address(offset);
        let debugging =
            Debugging { directories: &self.directories, image: path, path, code_start: image.code_start() };
        match (&debug, &debug_file) {
            (Some(debug), Some(file)) if undebugged => {
                let debugging = Debugging { path: Some(&file.path), ..debugging };
                debugging.add_places(debug, &mut names, image_address);
            }
            _ => debugging.add_places(&image, &mut names, image_address),
        }
        Ok(names)
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

/// The names that the sources give to `offsets`.
fn names<'image, H: Class, R: ReadRef<'image>>(
    sources: &Sources<'_, 'image, '_, '_, H, R>,
    offsets: &[ImageOffset],
) -> Result<ImageNames, Unresolved> {
    let image_address = |offset: ImageOffset| sources.image.image_address(offset);
    let mut addresses: Vec<ImageAddress> = offsets.iter().copied().filter_map(image_address).collect();
    addresses.sort_unstable();
    addresses.dedup();

    let mut tables = sources.symbol_tables()?;
    let mut found = lookup(&borrowed(&tables), &addresses);
    let left: Vec<usize> = (0..addresses.len()).filter(|&place| found.holders[place].is_none()).collect();
    let nameless: Vec<ImageAddress> = left.iter().map(|&place| addresses[place]).collect();
    if !nameless.is_empty() {
        let fallback = sources.fallback_tables(&nameless);
        let fallback_found = lookup(&borrowed(&fallback), &nameless);
        for (&place, holder) in left.iter().zip(fallback_found.holders) {
            let shift = |holder: Holder| Holder { table: holder.table + tables.len(), ..holder };
            found.holders[place] = holder.map(shift);
        }
        tables.extend(fallback);
    }

    let reason = if found.any_symbols { Unresolved::NoSymbolAtOffset } else { Unresolved::NoSymbols };
    let mut names = ImageNames::unresolved(offsets.iter().copied(), reason);
    let mut known: HashMap<(usize, usize), SymbolId> = HashMap::new();
    for (offset, name) in &mut names.offsets {
        let place = image_address(*offset).and_then(|address| addresses.binary_search(&address).ok());
        let Some(holder) = place.and_then(|place| found.holders[place]) else { continue };
        let id = *known.entry((holder.table, holder.index)).or_insert_with(|| {
            let bytes = tables[holder.table].name(holder.index).unwrap_or_default();
            let source = tables[holder.table].source();
            names.symbols.push(symbol(bytes, holder.start, holder.size, source));
            SymbolId((names.symbols.len() - 1) as u32)
        });
        *name = Ok(id);
    }
    Ok(names)
}

fn borrowed<'table>(tables: &'table [Box<dyn CodeTable + 'table>]) -> Vec<&'table dyn CodeTable> {
    tables.iter().map(|table| &**table as &dyn CodeTable).collect()
}

/// The symbol of this name in a table. A version (`memcpy@@GLIBC_2.14`) is left out; the `@plt` of a stub is none.
pub(crate) fn symbol(name: &[u8], address: ImageAddress, size: u64, source: NameSource) -> Symbol {
    const STUB: &str = "@plt";
    let name = String::from_utf8_lossy(name);
    let is_stub = source == NameSource::Plt && name.ends_with(STUB);
    let suffix = if is_stub { STUB } else { "" };
    let bare = name.strip_suffix(suffix).unwrap_or(&name);
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
