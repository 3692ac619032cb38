//! Turns a section of an ELF image into its bytes, decompressed where they are compressed.

use std::borrow::Cow;
use std::io::Read;

use object::elf;
use object::read::ReadRef;
use object::read::elf::{CompressionHeader, SectionHeader};

use crate::elf::{Class, Elf};

/// What decompressing may make of any image, in bytes, and of a large one, as a multiple of the file's size. Debugging
/// information is compressed to a third at best; a hostile section could claim to unfold to anything.
const MOST_UNFOLDED: u64 = 128 << 20;
const MOST_UNFOLDING: u64 = 5;

impl<'data, H: Class, R: ReadRef<'data>> Elf<'data, H, R> {
    /// The bytes of the section of this name (`.debug_info`), `None` where there is none, it has no bytes in the file,
    /// or they are damaged. Knows SHF_COMPRESSED with zlib and zstd (elf(5), the gABI's "Section Compression") and the
    /// older `.zdebug_` sections of the GNU tools.
    pub(crate) fn section_bytes(&self, name: &str) -> Option<Cow<'data, [u8]>> {
        if let Some((_, section)) = self.sections.section_by_name(self.endian, name.as_bytes()) {
            if section.sh_type(self.endian) == elf::SHT_NOBITS {
                return None;
            }
            return match section.compression(self.endian, self.data).ok()? {
                None => section.data(self.endian, self.data).ok().map(Cow::Borrowed),
                Some((header, offset, size)) => {
                    let bytes = self.data.read_bytes_at(offset, size).ok()?;
                    let unfolded = header.ch_size(self.endian).into();
                    self.unfold(header.ch_type(self.endian), bytes, unfolded).map(Cow::Owned)
                }
            };
        }
        let old = format!(".z{}", name.strip_prefix('.')?);
        let (_, section) = self.sections.section_by_name(self.endian, old.as_bytes())?;
        let bytes = section.data(self.endian, self.data).ok()?.strip_prefix(b"ZLIB")?;
        let (size, bytes) = bytes.split_first_chunk::<8>()?;
        self.unfold(elf::ELFCOMPRESS_ZLIB, bytes, u64::from_be_bytes(*size)).map(Cow::Owned)
    }

    /// Decompresses `bytes` to `size` bytes.
    fn unfold(&self, kind: elf::CompressionType, bytes: &[u8], size: u64) -> Option<Vec<u8>> {
        self.claim(size)?;
        let reader: Box<dyn Read + '_> = match kind {
            elf::ELFCOMPRESS_ZLIB => Box::new(flate2::bufread::ZlibDecoder::new(bytes)),
            elf::ELFCOMPRESS_ZSTD => Box::new(zstd::stream::read::Decoder::with_buffer(bytes).ok()?),
            _ => return None,
        };
        read_to(reader, size).filter(|unfolded| unfolded.len() as u64 == size)
    }

    /// Takes `size` bytes from what may be decompressed of this image.
    pub(crate) fn claim(&self, size: u64) -> Option<()> {
        let unfolded = self.unfolded.get().checked_add(size)?;
        let most = MOST_UNFOLDED.max(self.data.len().ok()?.saturating_mul(MOST_UNFOLDING));
        (unfolded <= most).then(|| self.unfolded.set(unfolded))
    }

    /// The bytes that may still be decompressed.
    pub(crate) fn unclaimed(&self) -> u64 {
        let most = MOST_UNFOLDED.max(self.data.len().unwrap_or(0).saturating_mul(MOST_UNFOLDING));
        most.saturating_sub(self.unfolded.get())
    }
}

/// The first `size` bytes of a stream, or all that there are. What a size claims is not allocated before it is there.
pub(crate) fn read_to(reader: impl Read, size: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).ok()?);
    reader.take(size).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
