//! A block of an index: some pieces of code in the order of their addresses, each with its function.
//!
//! A piece is numbers (see `varint`) of: the bytes between the piece before, or the block's start, and this one; its
//! length; how far behind the start of its function it begins; the function's size; then a byte for the source of the
//! name; the number of bytes that the name shares with the one before; the number of other bytes, and these. Names of
//! neighbours are alike, which halves what is read.

use oprof_profile::{ImageAddress, NameSource};

use super::varint::{put, take};
use crate::file_bytes::LONGEST_STRING;

/// The sources that names of images in files have, each at the number that stands for it.
const SOURCES: [NameSource; 7] = [
    NameSource::SymbolTable,
    NameSource::DebugFile,
    NameSource::MiniDebugInfo,
    NameSource::DynamicSymbols,
    NameSource::Plt,
    NameSource::GoFunctions,
    NameSource::UnwindTable,
];

/// Code without a break of which one function is the innermost that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'name> {
    pub(super) start: ImageAddress,
    /// The address behind its last byte.
    pub(super) end: ImageAddress,
    /// Where its function starts.
    pub(super) function: ImageAddress,
    /// The function's size in bytes.
    pub(super) size: u64,
    pub(super) source: NameSource,
    pub(super) name: &'name [u8],
}

impl Piece<'_> {
    /// Whether the other is the next part of the same function.
    pub(super) fn is_continued_by(&self, next: &Piece<'_>) -> bool {
        let same = Piece { start: self.start, end: self.end, ..*next };
        self.end == next.start && *self == same
    }
}

/// A function that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found<'name> {
    pub(super) start: ImageAddress,
    pub(super) size: u64,
    pub(super) source: NameSource,
    pub(super) name: &'name [u8],
}

/// A block that is being written.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    /// Where the first piece starts.
    pub(super) start: ImageAddress,
    pub(super) pieces: usize,
    pub(super) bytes: Vec<u8>,
    end: ImageAddress,
    name: Vec<u8>,
}

impl BlockWriter {
    /// Adds a piece, which lies behind those before; `None` where its source is none of an image in a file.
    pub(super) fn add(&mut self, piece: &Piece<'_>) -> Option<()> {
        if self.pieces == 0 {
            self.start = piece.start;
            self.end = piece.start;
        }
        let source = SOURCES.iter().position(|source| *source == piece.source)?;
        let shared = self.name.iter().zip(piece.name).take_while(|(left, right)| left == right).count();
        put(&mut self.bytes, piece.start.0 - self.end.0);
        put(&mut self.bytes, piece.end.0 - piece.start.0);
        put(&mut self.bytes, piece.start.0.wrapping_sub(piece.function.0));
        put(&mut self.bytes, piece.size);
        self.bytes.push(source as u8);
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, (piece.name.len() - shared) as u64);
        self.bytes.extend_from_slice(&piece.name[shared..]);
        self.name.truncate(shared);
        self.name.extend_from_slice(&piece.name[shared..]);
        self.end = piece.end;
        self.pieces += 1;
        Some(())
    }
}

/// Answers for `addresses` (ascending), which lie at or behind `start`, where the first piece of the block `bytes`
/// starts: `visit` is called with the index of each that a piece holds, and its function. `None` where the block is
/// damaged.
pub(super) fn ask(
    mut bytes: &[u8],
    start: ImageAddress,
    addresses: &[ImageAddress],
    mut visit: impl FnMut(usize, Found<'_>),
) -> Option<()> {
    let mut left = addresses.iter().enumerate().peekable();
    let mut name: Vec<u8> = Vec::new();
    let mut end = start.0;
    while !bytes.is_empty() && left.peek().is_some() {
        let start = end.checked_add(take(&mut bytes)?)?;
        end = start.checked_add(take(&mut bytes)?)?;
        let function = ImageAddress(start.wrapping_sub(take(&mut bytes)?));
        let size = take(&mut bytes)?;
        let (&source, rest) = bytes.split_first()?;
        bytes = rest;
        let source = *SOURCES.get(usize::from(source))?;
        let shared = usize::try_from(take(&mut bytes)?).ok().filter(|shared| *shared <= name.len())?;
        let others = usize::try_from(take(&mut bytes)?).ok()?;
        let (other, rest) = bytes.split_at_checked(others)?;
        bytes = rest;
        if shared + other.len() > LONGEST_STRING as usize {
            return None;
        }
        name.truncate(shared);
        name.extend_from_slice(other);
        while left.next_if(|(_, address)| address.0 < start).is_some() {}
        while let Some((place, _)) = left.next_if(|(_, address)| address.0 < end) {
            visit(place, Found { start: function, size, source, name: &name });
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(range: std::ops::Range<u64>, function: u64, name: &str) -> Piece<'_> {
        let [start, end, function] = [range.start, range.end, function].map(ImageAddress);
        Piece { start, end, function, size: 9, source: NameSource::Plt, name: name.as_bytes() }
    }

    #[test]
    fn pieces_are_found_and_gaps_are_none() {
        let mut writer = BlockWriter::default();
        let pieces =
            [piece(10..20, 10, "space::one"), piece(20..21, 3, "space::other"), piece(30..31, 30, "")];
        pieces.iter().for_each(|piece| writer.add(piece).unwrap());
        assert_eq!((writer.start, writer.pieces), (ImageAddress(10), 3));
        let mut found = Vec::new();
        let addresses = [10, 19, 20, 21, 29, 30, 31, u64::MAX].map(ImageAddress);
        ask(&writer.bytes, writer.start, &addresses, |place, function| {
            let name = String::from_utf8(function.name.to_vec()).unwrap();
            found.push((addresses[place].0, function.start.0, name));
        })
        .unwrap();
        let expected =
            [(10, 10, "space::one"), (19, 10, "space::one"), (20, 3, "space::other"), (30, 30, "")];
        assert_eq!(found, expected.map(|(address, start, name)| (address, start, name.to_owned())));
        assert!(writer.bytes.len() < 50, "names share their beginnings");
    }

    #[test]
    fn a_source_that_no_image_has_is_not_written() {
        let kernel = Piece { source: NameSource::Kallsyms, ..piece(1..2, 1, "x") };
        assert_eq!(BlockWriter::default().add(&kernel), None);
    }
}
