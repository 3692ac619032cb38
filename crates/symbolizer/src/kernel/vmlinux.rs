//! Finds the running kernel's file and takes source lines from it.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;
use object::read::elf::Sym;
use oprof_profile::{BuildId, ImageAddress, ImageNames, open_regular};

use super::KernelFiles;
use crate::KernelSymbols;
use crate::budget::Budget;
use crate::build_id::{build_id, has_build_id};
use crate::debug_file::{DebugDirectories, DebugFile};
use crate::dwarf::Debugging;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::image_data::ImageData;

/// Why a file is not used as the running kernel's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VmlinuxError {
    /// It is no file, or cannot be opened.
    #[error("it cannot be opened")]
    NotOpened,
    /// It is no ELF file. /boot has compressed ones.
    #[error("it is no ELF file; what is compressed (vmlinuz, bzImage) has no source lines")]
    NotElf,
    /// It has no debugging information.
    #[error("it has no debugging information")]
    NoDebugging,
    /// The file or the running kernel has no build id, so that nothing tells whether they belong together.
    #[error("{0} has no build id")]
    NoBuildId(&'static str),
    /// It is of another kernel.
    #[error("its build id is {file}, the running kernel's is {kernel}")]
    OtherKernel {
        /// The file's build id.
        file: BuildId,
        /// The running kernel's.
        kernel: BuildId,
    },
}

/// Whether this file is the one of the kernel with this build id, and has lines.
pub(super) fn check(path: &Path, kernel: Option<BuildId>) -> Result<(), VmlinuxError> {
    let file = open_regular(path).ok_or(VmlinuxError::NotOpened)?;
    let id = build_id(&file).map_err(|_| VmlinuxError::NotElf)?;
    let id = id.ok_or(VmlinuxError::NoBuildId("the file"))?;
    let kernel = kernel.ok_or(VmlinuxError::NoBuildId("the running kernel"))?;
    if id != kernel {
        return Err(VmlinuxError::OtherKernel { file: id, kernel });
    }
    if has_debugging(&file) { Ok(()) } else { Err(VmlinuxError::NoDebugging) }
}

fn has_debugging(file: &File) -> bool {
    let budget = Budget::new();
    let bytes = &FileBytes::new(file, &budget);
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => {
            Elf::<FileHeader32<Endianness>, _>::parse(bytes).is_ok_and(|elf| elf.has_debugging())
        }
        Ok(FileKind::Elf64) => {
            Elf::<FileHeader64<Endianness>, _>::parse(bytes).is_ok_and(|elf| elf.has_debugging())
        }
        _ => false,
    }
}

/// The file of the running kernel with its debugging information; `None` where none is installed.
fn find(directories: &DebugDirectories, files: &KernelFiles) -> Option<DebugFile> {
    let kernel = files.build_id()?;
    let fits = |path: PathBuf| {
        let file = open_regular(&path)?;
        let is_it = has_build_id(&file, &kernel) && has_debugging(&file);
        is_it.then_some(DebugFile { file, path })
    };
    let given = files.vmlinux.clone().and_then(fits);
    given.or_else(|| directories.by_build_id(&kernel)).or_else(|| {
        let KernelFiles { root, release, .. } = files;
        let name = format!("vmlinux-{release}");
        let in_debug = directories.paths().flat_map(|directory| {
            let in_modules = directory.join("lib/modules").join(release).join("vmlinux");
            [directory.join("boot").join(&name), in_modules, directory.join(&name)]
        });
        let usual = [
            root.join("boot").join(&name),
            files.modules().join("build/vmlinux"),
            files.modules().join("vmlinux"),
        ];
        in_debug.chain(usual).find_map(fits)
    })
}

/// Adds source lines and inlined calls, as far as they are known.
pub(super) fn add_places(
    directories: &DebugDirectories,
    files: &KernelFiles,
    symbols: &KernelSymbols,
    names: &mut ImageNames,
) {
    let Some(vmlinux) = find(directories, files) else { return };
    let budget = Budget::new();
    let bytes = &FileBytes::new(&vmlinux.file, &budget);
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => {
            add_places_of::<FileHeader32<Endianness>, _>(directories, bytes, &vmlinux.path, symbols, names);
        }
        Ok(FileKind::Elf64) => {
            add_places_of::<FileHeader64<Endianness>, _>(directories, bytes, &vmlinux.path, symbols, names);
        }
        _ => {}
    }
}

fn add_places_of<'data, H: Class, R: ImageData<'data>>(
    directories: &DebugDirectories,
    data: R,
    path: &Path,
    symbols: &KernelSymbols,
    names: &mut ImageNames,
) {
    let Ok(elf) = Elf::<H, R>::parse(data) else { return };
    let Some(distance) = distance(&elf, symbols) else { return };
    let own = names.symbols.len();
    for symbol in &mut names.symbols {
        symbol.address.0 = symbol.address.0.wrapping_sub(distance);
    }
    let debugging = Debugging {
        directories,
        image: Some(path),
        path: Some(path),
        code_start: elf.code_start(),
        distance: 0,
    };
    debugging.add_places(&elf, names, |offset| Some(ImageAddress(offset.0.wrapping_sub(distance))));
    // Those behind them are inlined functions, which have no address.
    for symbol in &mut names.symbols[..own] {
        symbol.address.0 = symbol.address.0.wrapping_add(distance);
    }
}

/// How far the running kernel's code is above that of its file, which is another distance after every start (KASLR;
/// it wraps where the code is below). `None` where the kernel hides its addresses, or the file has no symbols.
fn distance<'data, H: Class, R: ImageData<'data>>(
    elf: &Elf<'data, H, R>,
    symbols: &KernelSymbols,
) -> Option<u64> {
    let table = elf.sections.symbols(elf.endian, elf.data, elf::SHT_SYMTAB).ok()?;
    let marks = symbols.marks();
    table.iter().find_map(|symbol| {
        let name = table.symbol_name(elf.endian, symbol).ok()?;
        let (_, address) = marks.iter().find(|(mark, _)| mark.as_bytes() == name)?;
        let stated: u64 = symbol.st_value(elf.endian).into();
        Some(address.0.wrapping_sub(stated))
    })
}
