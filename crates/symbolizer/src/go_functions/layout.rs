//! The layout of Go's function table, in each version of it.
//!
//! All of them begin with the magic number (4 bytes), two zeros, the least size of an instruction (1, 2 or 4) and the
//! size of a pointer (4 or 8). Words the size of a pointer follow:
//!
//! | version | words | an entry of the function table | in a function's record, behind its entry address |
//! |---|---|---|---|
//! | 1.2 | number of functions; then the entries | two words: address, offset of the record | offset of the name from the table's start |
//! | 1.16 | numbers of functions and files; offsets of names, compilation units, files, line programs, functions | two words | offset of the name from the names |
//! | 1.18, 1.20 | the same with the code's start address as the third word | two numbers of 4 bytes: distance from the code's start, offset of the record | the same; the entry address takes 4 bytes |
//!
//! Behind the last entry stands the address behind the last function. The entries ascend. Offsets of records count
//! from the table's start in 1.2, from the entries since. A name ends with a zero.

use object::{Endian, Endianness};
use oprof_profile::ImageAddress;

/// The longest name that is read, in bytes.
const LONGEST_NAME: usize = 16 << 10;

/// A version of the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    V1_2,
    V1_16,
    /// 1.20 differs only in what its names look like.
    V1_18,
}

/// The fixed part.
#[derive(Clone, Copy, Debug)]
struct Header<'table> {
    bytes: &'table [u8],
    endian: Endianness,
    version: Version,
    /// The size of a pointer in bytes: 4 or 8.
    pointer: usize,
}

impl<'table> Header<'table> {
    fn parse(bytes: &'table [u8], endian: Endianness) -> Option<Header<'table>> {
        let start: [u8; 8] = *bytes.first_chunk()?;
        let [_, _, _, _, 0, 0, 1 | 2 | 4, pointer @ (4 | 8)] = start else { return None };
        let version = match endian.read_u32(*start.first_chunk()?) {
            0xffff_fffb => Version::V1_2,
            0xffff_fffa => Version::V1_16,
            0xffff_fff0 | 0xffff_fff1 => Version::V1_18,
            _ => return None,
        };
        Some(Header { bytes, endian, version, pointer: pointer.into() })
    }

    /// The number of `size` bytes (4 or 8) at `place`.
    fn number(&self, place: usize, size: usize) -> Option<u64> {
        let bytes = self.bytes.get(place..)?;
        match size {
            4 => Some(self.endian.read_u32(*bytes.first_chunk()?).into()),
            _ => Some(self.endian.read_u64(*bytes.first_chunk()?)),
        }
    }

    /// A word behind the fixed part.
    fn word(&self, index: usize) -> Option<u64> {
        self.number(8 + index * self.pointer, self.pointer)
    }

    /// What stands behind the offset that is the word of this index.
    fn part(&self, index: usize) -> Option<&'table [u8]> {
        self.bytes.get(usize::try_from(self.word(index)?).ok()?..)
    }
}

/// Where in the table the start of the code stands, and what stands there; `None` in the versions that have it not.
pub(super) fn text_start(table: &[u8], endian: Endianness) -> Option<(u64, ImageAddress)> {
    let header = Header::parse(table, endian).filter(|header| header.version == Version::V1_18)?;
    Some((8 + 2 * header.pointer as u64, ImageAddress(header.word(2)?)))
}

/// The functions of a Go program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionTable<'table> {
    header: Header<'table>,
    /// The entries, each of two numbers, and what stands behind them: records are counted from here.
    entries: &'table [u8],
    /// The number of entries without the last, which only ends the one before.
    count: usize,
    /// The size of a number in an entry, in bytes.
    width: usize,
    /// What addresses in entries count from.
    base: u64,
    /// What offsets of names count from.
    names: &'table [u8],
}

/// A function as the table tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function<'table> {
    pub(crate) start: ImageAddress,
    /// In bytes, up to the next function.
    pub(crate) size: u64,
    pub(crate) name: &'table [u8],
}

impl<'table> FunctionTable<'table> {
    /// Reads the header; `None` for what is no table of a known version. `text_start` is asked for where the code
    /// starts if addresses count from there.
    pub(crate) fn parse(
        bytes: &'table [u8],
        endian: Endianness,
        text_start: impl FnOnce() -> Option<ImageAddress>,
    ) -> Option<FunctionTable<'table>> {
        let header = Header::parse(bytes, endian)?;
        let (entries, names) = match header.version {
            Version::V1_2 => (bytes.get(8 + header.pointer..)?, bytes),
            Version::V1_16 => (header.part(6)?, header.part(2)?),
            Version::V1_18 => (header.part(7)?, header.part(3)?),
        };
        let (width, base) = match header.version {
            Version::V1_2 | Version::V1_16 => (header.pointer, 0),
            Version::V1_18 => (4, text_start()?.0),
        };
        let count = usize::try_from(header.word(0)?).ok()?;
        let size = count.checked_mul(2)?.checked_add(1)?.checked_mul(width)?;
        (size <= entries.len()).then_some(FunctionTable { header, entries, count, width, base, names })
    }

    /// Where in other bytes a table begins: at the first place where its header, its entries and the names of the first
    /// and last function make sense. The linker aligns it to 32 bytes.
    pub(crate) fn find(bytes: &[u8], endian: Endianness) -> Option<usize> {
        (0..bytes.len()).step_by(32).find(|&place| {
            let table = FunctionTable::parse(&bytes[place..], endian, || Some(ImageAddress(0)));
            table.is_some_and(|table| {
                let last = table.count.checked_sub(1);
                last.is_some_and(|last| table.name(0).is_some() && table.name(last).is_some())
            })
        })
    }

    /// The address in the entry of this index, as the table states it.
    fn start(&self, index: usize) -> Option<u64> {
        Header { bytes: self.entries, ..self.header }.number(index * 2 * self.width, self.width)
    }

    /// The addresses of all entries: where each function starts, and the last one ends.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = ImageAddress> {
        (0..=self.count).filter_map(|index| Some(ImageAddress(self.base.checked_add(self.start(index)?)?)))
    }

    /// The function that holds an address.
    pub(crate) fn function(&self, address: ImageAddress) -> Option<Function<'table>> {
        let sought = address.0.checked_sub(self.base)?;
        // The number of entries that start at or below it.
        let (mut low, mut high) = (0, self.count + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.start(middle)? <= sought {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let index = low.checked_sub(1).filter(|&index| index < self.count)?;
        let (start, end) = (self.start(index)?, self.start(index + 1)?);
        let name = self.name(index).filter(|name| !name.is_empty())?;
        let holds = start <= sought && sought < end;
        let start = ImageAddress(self.base.checked_add(start)?);
        holds.then(|| Function { start, size: self.base + end - start.0, name })
    }

    /// The name of the function of this index.
    fn name(&self, index: usize) -> Option<&'table [u8]> {
        let entries = Header { bytes: self.entries, ..self.header };
        let record = entries.number((index * 2 + 1) * self.width, self.width)?;
        let records = if self.header.version == Version::V1_2 { self.header.bytes } else { self.entries };
        // The record begins with the address, as wide as in the entry.
        let place = usize::try_from(record).ok()?.checked_add(self.width)?;
        let offset = Header { bytes: records, ..self.header }.number(place, 4)?;
        let name = self.names.get(usize::try_from(offset).ok()?..)?;
        let length = name.iter().take(LONGEST_NAME).position(|&byte| byte == 0)?;
        Some(&name[..length])
    }
}

#[cfg(test)]
mod tests;
