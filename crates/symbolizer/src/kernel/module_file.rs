//! Opens the file of a kernel module, which may be compressed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use oprof_profile::open_regular;

use crate::mini_debug_info::unpack;
use crate::section::read_to;

/// The largest module that is unpacked, in bytes. Stripped ones have 10 MB at most; with debugging information, which is
/// seldom left in compressed ones, the largest graphics driver has 400 MB.
const LARGEST: u64 = 192 << 20;

/// The largest compressed module that is read, in bytes.
const LARGEST_PACKED: u64 = 64 << 20;

/// A module's file.
pub(super) enum ModuleFile {
    /// As it is.
    Plain(File),
    /// What a compressed one unpacks to.
    Unpacked(Vec<u8>),
}

impl ModuleFile {
    /// `None` where there is none, or it is damaged. How it is compressed is told by its first bytes.
    pub(super) fn open(path: &Path) -> Option<ModuleFile> {
        let file = open_regular(path)?;
        let mut magic = [0; 6];
        let length = file.read_at(&mut magic, 0).ok()?;
        let reader = BufReader::new(&file);
        let unpacked = match &magic[..length] {
            [0xfd, b'7', b'z', b'X', b'Z', 0] => {
                let mut packed = Vec::new();
                reader.take(LARGEST_PACKED).read_to_end(&mut packed).ok()?;
                unpack(&packed, LARGEST)?
            }
            [0x1f, 0x8b, ..] => read_to(flate2::bufread::MultiGzDecoder::new(reader), LARGEST)?,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                read_to(zstd::stream::read::Decoder::with_buffer(reader).ok()?, LARGEST)?
            }
            _ => return Some(ModuleFile::Plain(file)),
        };
        Some(ModuleFile::Unpacked(unpacked))
    }
}

/// A module's path without what tells that it is compressed.
pub(super) fn plain_path(path: &Path) -> PathBuf {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz" | "gz" | "zst") => path.with_extension(""),
        _ => path.to_owned(),
    }
}
