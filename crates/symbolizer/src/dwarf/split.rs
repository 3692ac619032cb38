//! Finds the other half of units whose debugging information was split off: section 3.1.2 of DWARF 5, and the GNU
//! extension of DWARF 4 that it was made of.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use gimli::{Dwarf, DwoId, Reader, Unit};
use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;

use super::bytes::Bytes;
use super::sections::Sections;
use super::unit::HeldUnit;
use super::work::Work;
use crate::elf::Elf;
use crate::file_bytes::FileBytes;
use oprof_profile::open_regular;

/// The files that are opened for one image. They are named by the image, and a hostile one could name the same for each
/// of a million units.
const MOST_FILES: u64 = 64 << 10;

/// Where the `.dwo` files of an image are.
pub(super) struct SplitFiles {
    /// The folder that the image is in.
    folder: Option<PathBuf>,
    /// The files that may still be opened.
    left: AtomicU64,
}

impl SplitFiles {
    pub(super) fn new(image: Option<&Path>) -> SplitFiles {
        let folder = image.and_then(Path::parent).map(Path::to_owned);
        SplitFiles { folder, left: AtomicU64::new(MOST_FILES) }
    }

    /// The `.dwo` file that a skeleton unit names.
    pub(super) fn open(&self, main: &Dwarf<Bytes<'_>>, skeleton: &Unit<Bytes<'_>>) -> Option<File> {
        let name = main.attr_string(skeleton, skeleton.dwo_name().ok()??).ok()?;
        let name = name.to_slice().ok()?;
        let compiled_in = skeleton.comp_dir.as_ref().and_then(|directory| directory.to_slice().ok());
        let take = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        self.paths(&name, compiled_in.as_deref()).iter().find_map(|path| open_regular(path))
    }

    /// Where the file can be: where the compiler put it; and for programs that were moved together with it, in the
    /// same place beside the image, or in the image's folder itself.
    fn paths(&self, name: &[u8], compiled_in: Option<&[u8]>) -> Vec<PathBuf> {
        let name = Path::new(OsStr::from_bytes(name));
        let compiled_in = compiled_in.map(|folder| Path::new(OsStr::from_bytes(folder)).join(name));
        let beside = self.folder.as_ref().map(|folder| folder.join(name));
        let within = self.folder.as_ref().and_then(|folder| Some(folder.join(name.file_name()?)));
        let mut paths: Vec<PathBuf> = [compiled_in, beside, within].into_iter().flatten().collect();
        paths.dedup();
        paths
    }
}

/// The sections of a `.dwo` file.
pub(super) fn split_sections<'data>(bytes: &'data FileBytes<'_>) -> Option<Sections<'data>> {
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf32) => Sections::of_split(&Elf::<FileHeader32<Endianness>, _>::parse(bytes).ok()?),
        Ok(FileKind::Elf64) => Sections::of_split(&Elf::<FileHeader64<Endianness>, _>::parse(bytes).ok()?),
        _ => None,
    }
}

/// The unit of this id among the units of a file of split DWARF, with what its skeleton tells of it.
pub(super) fn split_unit<'a>(
    split: &Dwarf<Bytes<'a>>,
    id: DwoId,
    skeleton: &Unit<Bytes<'a>>,
    work: &Work<'a>,
) -> Option<HeldUnit<'a>> {
    let mut headers = split.units();
    while let Some(header) = headers.next().ok()? {
        let Some(mut unit) = HeldUnit::of(split, || Ok(header), work) else { continue };
        if unit.dwo_id == Some(id) {
            unit.copy_relocated_attributes(skeleton);
            return Some(unit);
        }
    }
    None
}
