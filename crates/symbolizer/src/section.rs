//! Turns a section of an ELF image into its bytes, decompressed where they are compressed.

use std::fs::File;
use std::io::Read;
use std::ops::Deref;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{CompressionHeader, SectionHeader};

use crate::budget::{Budget, Lease};
use crate::elf::{Class, Elf};

/// The bytes of a section.
#[derive(Debug)]
pub(crate) enum SectionBytes<'data> {
    /// As they are in the image.
    Read(&'data [u8]),
    /// Decompressed.
    Unfolded(Vec<u8>, Lease<'data>),
}

impl<'data> SectionBytes<'data> {
    /// The bytes to change; `None` where they cannot be afforded a second time.
    pub(crate) fn into_owned(self, budget: &'data Budget) -> Option<(Vec<u8>, Lease<'data>)> {
        match self {
            SectionBytes::Read(bytes) => {
                let lease = budget.lease(bytes.len() as u64)?;
                Some((bytes.to_vec(), lease))
            }
            SectionBytes::Unfolded(bytes, lease) => Some((bytes, lease)),
        }
    }
}

impl Deref for SectionBytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            SectionBytes::Read(bytes) => bytes,
            SectionBytes::Unfolded(bytes, _) => bytes,
        }
    }
}

/// Where the bytes of a section are in a file that holds them as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionPlace<'data> {
    pub(crate) file: &'data File,
    /// Of the first byte.
    pub(crate) offset: u64,
    /// In bytes.
    pub(crate) size: u64,
}

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The bytes of the section of this name (`.debug_info`), `None` where there is none, it has no bytes in the file,
    /// or they are damaged. Knows SHF_COMPRESSED with zlib and zstd (elf(5), the gABI's "Section Compression") and the
    /// older `.zdebug_` sections of the GNU tools.
    pub(crate) fn section_bytes(&self, name: &str) -> Option<SectionBytes<'data>> {
        if let Some((_, section)) = self.sections.section_by_name(self.endian, name.as_bytes()) {
            if section.sh_type(self.endian) == elf::SHT_NOBITS {
                return None;
            }
            return match section.compression(self.endian, self.data).ok()? {
                None => section.data(self.endian, self.data).ok().map(SectionBytes::Read),
                Some((header, offset, size)) => {
                    let bytes = self.data.read_bytes_at(offset, size).ok()?;
                    let unfolded = header.ch_size(self.endian).into();
                    self.unfold(header.ch_type(self.endian), bytes, unfolded)
                }
            };
        }
        let old = format!(".z{}", name.strip_prefix('.')?);
        let (_, section) = self.sections.section_by_name(self.endian, old.as_bytes())?;
        let bytes = section.data(self.endian, self.data).ok()?.strip_prefix(b"ZLIB")?;
        let (size, bytes) = bytes.split_first_chunk::<8>()?;
        self.unfold(elf::ELFCOMPRESS_ZLIB, bytes, u64::from_be_bytes(*size))
    }

    /// Where the section of this name is, if it is in a file that holds it as it is.
    pub(crate) fn section_place(&self, name: &str) -> Option<SectionPlace<'data>> {
        let (_, section) = self.sections.section_by_name(self.endian, name.as_bytes())?;
        let is_packed = section.sh_flags(self.endian).contains(elf::SHF_COMPRESSED);
        if is_packed || section.sh_type(self.endian) == elf::SHT_NOBITS {
            return None;
        }
        let (offset, size) = section.file_range(self.endian)?;
        (offset.checked_add(size)? <= self.data.len().ok()?).then_some(SectionPlace {
            file: self.file?,
            offset,
            size,
        })
    }

    /// Decompresses `bytes` to `size` bytes.
    fn unfold(&self, kind: elf::CompressionType, bytes: &[u8], size: u64) -> Option<SectionBytes<'data>> {
        let lease = self.budget.lease(size)?;
        let unfolded = match kind {
            elf::ELFCOMPRESS_ZLIB => read_to(flate2::bufread::ZlibDecoder::new(bytes), size)?,
            // All at once: a reader would take memory of its own, as much as the stream claims to need.
            elf::ELFCOMPRESS_ZSTD => zstd::bulk::decompress(bytes, usize::try_from(size).ok()?).ok()?,
            _ => return None,
        };
        let is_whole = unfolded.len() as u64 == size;
        is_whole.then_some(SectionBytes::Unfolded(unfolded, lease))
    }
}

/// The first `size` bytes of a stream, or all that there are. Memory for all of them is set aside at once, as moving
/// them to a larger place would take it twice; what is never written is not taken from the machine.
pub(crate) fn read_to(reader: impl Read, size: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more, or else the end would be looked for in a place twice as large.
    bytes.try_reserve_exact(usize::try_from(size).ok()?.checked_add(32)?).ok()?;
    reader.take(size).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
