//! The index of one image: which function holds each address.
//!
//! Numbers are little-endian. A head, of which only the parts named here are read by all versions:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `oprofidx` |
//! | 4 | the version of this layout |
//! | 4 | CRC-32 of the head from here to its end |
//! | 4, 4 | the lengths of the key and of the path, in bytes |
//! | 8 | the number of functions |
//! | 4 | the number of blocks |
//! | 4 | flags: 1, the image has symbols; 2, its debug file has debugging information |
//! | | the key (see `key`), the path of the image as it was seen when the index was made |
//! | 24 for each block | the address where it starts; where it is in the file (8 bytes); its length; its CRC-32 |
//!
//! Then the blocks (see `block`). Each has its own checksum, so that a question reads the head and a block for each of
//! its addresses, and nothing else.

use std::fs::File;
use std::os::unix::fs::FileExt;

use oprof_profile::{ImageAddress, NameSource};
use rustc_hash::FxHashMap;

use super::block::{self, BlockWriter, Found, Piece};
use crate::answers::{Answers, Function};

const MAGIC: [u8; 8] = *b"oprofidx";
const VERSION: u32 = 1;

/// The length of the fixed part of the head, and of what a block takes in it.
const FIXED: usize = 40;
const ROW: usize = 24;

/// The pieces of a block. More make the head smaller and a question read more.
const PIECES: usize = 32;

const ANY_SYMBOLS: u32 = 1;
const DEBUGGING: u32 = 2;

/// An index that cannot be used: it is damaged, or of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

/// What an index is read from.
pub(crate) trait Bytes {
    /// Fills `buffer` with the bytes at `place`; `None` where there are not as many.
    fn read(&self, place: u64, buffer: &mut [u8]) -> Option<()>;

    /// How many bytes there are.
    fn length(&self) -> Option<u64>;
}

impl Bytes for &File {
    fn read(&self, place: u64, buffer: &mut [u8]) -> Option<()> {
        self.read_exact_at(buffer, place).ok()
    }

    fn length(&self) -> Option<u64> {
        Some(self.metadata().ok()?.len())
    }
}

impl Bytes for &[u8] {
    fn read(&self, place: u64, buffer: &mut [u8]) -> Option<()> {
        let bytes = self.get(usize::try_from(place).ok()?..)?.get(..buffer.len())?;
        buffer.copy_from_slice(bytes);
        Some(())
    }

    fn length(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}

/// An index of which the head was read.
pub(crate) struct Index<B> {
    bytes: B,
    length: u64,
    /// The head behind its fixed part: key, path, blocks.
    variable: Vec<u8>,
    key: usize,
    path: usize,
    functions: u64,
    flags: u32,
}

/// What an index tells of its image as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head<'bytes> {
    pub(crate) key: &'bytes [u8],
    pub(crate) path: &'bytes [u8],
    pub(crate) functions: u64,
    /// Whether the image has any symbol.
    pub(crate) any_symbols: bool,
    /// Whether a separate debug file has debugging information that the image has not.
    pub(crate) debugging: bool,
}

impl<B: Bytes> Index<B> {
    /// Reads the head.
    pub(crate) fn parse(bytes: B) -> Result<Index<B>, Damaged> {
        Self::read_head(bytes).ok_or(Damaged)
    }

    fn read_head(bytes: B) -> Option<Index<B>> {
        let mut fixed = [0; FIXED];
        bytes.read(0, &mut fixed)?;
        let word = |place: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| fixed[place + byte]));
        if fixed[..8] != MAGIC || word(8) != VERSION {
            return None;
        }
        let [key, path, blocks] = [16, 20, 32].map(|place| word(place) as usize);
        let size = key.checked_add(path)?.checked_add(blocks.checked_mul(ROW)?)?;
        let length = bytes.length()?;
        // Nothing is allocated for what is not there.
        if size as u64 > length {
            return None;
        }
        let mut variable = vec![0; size];
        bytes.read(FIXED as u64, &mut variable)?;
        let mut checksum = crc32fast::Hasher::new();
        checksum.update(&fixed[16..]);
        checksum.update(&variable);
        let functions = u64::from_le_bytes(*fixed[24..].first_chunk()?);
        let index = Index { bytes, length, variable, key, path, functions, flags: word(36) };
        (checksum.finalize() == word(12)).then_some(index)
    }

    /// What it tells of its image.
    pub(crate) fn head(&self) -> Head<'_> {
        let (key, rest) = self.variable.split_at(self.key);
        let [any_symbols, debugging] = [ANY_SYMBOLS, DEBUGGING].map(|flag| self.flags & flag != 0);
        Head { key, path: &rest[..self.path], functions: self.functions, any_symbols, debugging }
    }

    /// The functions that hold `addresses`, which ascend.
    pub(crate) fn ask(&self, addresses: &[ImageAddress]) -> Result<Answers, Damaged> {
        let (rows, _) = self.variable[self.key + self.path..].as_chunks::<ROW>();
        let places = vec![None; addresses.len()];
        let mut answers = Answers { functions: Vec::new(), places, any_symbols: self.head().any_symbols };
        let mut known: FxHashMap<(ImageAddress, u64, NameSource), usize> = FxHashMap::default();
        let mut bytes = Vec::new();
        let mut next = 0;
        while let Some(&address) = addresses.get(next) {
            let behind = rows.partition_point(|row| start(row) <= address);
            let here = &addresses[next..];
            let here = match rows.get(behind) {
                Some(row) => &here[..here.partition_point(|address| *address < start(row))],
                None => here,
            };
            if let Some(row) = behind.checked_sub(1) {
                let row = &rows[row];
                self.block(row, &mut bytes).ok_or(Damaged)?;
                let answer = |place: usize, found: Found<'_>| {
                    let Found { start, size, source, name } = found;
                    // A table names code of the same bounds once.
                    let index = *known.entry((start, size, source)).or_insert_with(|| {
                        answers.functions.push(Function { start, size, source, name: name.to_vec() });
                        answers.functions.len() - 1
                    });
                    answers.places[next + place] = Some(index);
                };
                block::ask(&bytes, start(row), here, answer).ok_or(Damaged)?;
            }
            // A damaged table of blocks may not ascend.
            next += here.len().max(1);
        }
        Ok(answers)
    }

    /// Reads a block.
    fn block(&self, row: &[u8; ROW], bytes: &mut Vec<u8>) -> Option<()> {
        let word = |place: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| row[place + byte]));
        let length = word(16);
        if u64::from(length) > self.length {
            return None;
        }
        bytes.resize(length as usize, 0);
        self.bytes.read(number(row, 8), bytes)?;
        (crc32fast::hash(bytes) == word(20)).then_some(())
    }
}

/// Puts the checksums of an index right, which a fuzzer cannot guess; nothing happens to what is too short.
#[cfg(any(fuzzing, test))]
pub(crate) fn seal(index: &mut [u8]) {
    let Some(fixed) = index.first_chunk::<FIXED>() else { return };
    let word = |place: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| fixed[place + byte])) as usize;
    let [key, path, blocks] = [16, 20, 32].map(word);
    let rows = FIXED.saturating_add(key).saturating_add(path);
    let end = rows.saturating_add(blocks.saturating_mul(ROW));
    if end > index.len() {
        return;
    }
    for place in (rows..end).step_by(ROW) {
        let row: [u8; ROW] = index[place..][..ROW].try_into().unwrap_or([0; ROW]);
        let length = u32::from_le_bytes([row[16], row[17], row[18], row[19]]) as usize;
        let start = usize::try_from(number(&row, 8)).unwrap_or(usize::MAX);
        let block = index.get(start..).and_then(|bytes| bytes.get(..length));
        let checksum = block.map_or(0, crc32fast::hash);
        index[place + 20..][..4].copy_from_slice(&checksum.to_le_bytes());
    }
    let checksum = crc32fast::hash(&index[16..end]);
    index[12..16].copy_from_slice(&checksum.to_le_bytes());
    index[..12].copy_from_slice(&[&MAGIC[..], &VERSION.to_le_bytes()].concat());
}

/// The address where a block starts.
fn start(row: &[u8; ROW]) -> ImageAddress {
    ImageAddress(number(row, 0))
}

fn number(row: &[u8; ROW], place: usize) -> u64 {
    u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| row[place + byte]))
}

/// An index that is being written.
#[derive(Debug, Default)]
pub(super) struct IndexWriter {
    rows: Vec<u8>,
    blocks: Vec<u8>,
    block: BlockWriter,
}

impl IndexWriter {
    /// Adds a piece, which lies behind those before; `None` where it can have no place in an index.
    pub(super) fn add(&mut self, piece: &Piece<'_>) -> Option<()> {
        if self.block.pieces == PIECES {
            self.end_block();
        }
        self.block.add(piece)
    }

    /// The bytes of the blocks so far.
    pub(super) fn size(&self) -> usize {
        self.blocks.len() + self.block.bytes.len()
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        if block.pieces == 0 {
            return;
        }
        self.rows.extend_from_slice(&block.start.0.to_le_bytes());
        // From the first block on: where that will be is known at the end.
        self.rows.extend_from_slice(&(self.blocks.len() as u64).to_le_bytes());
        self.rows.extend_from_slice(&(block.bytes.len() as u32).to_le_bytes());
        self.rows.extend_from_slice(&crc32fast::hash(&block.bytes).to_le_bytes());
        self.blocks.extend_from_slice(&block.bytes);
    }

    /// The index: its head and its blocks.
    pub(super) fn finish(mut self, head: &Head<'_>) -> [Vec<u8>; 2] {
        self.end_block();
        let size = FIXED + head.key.len() + head.path.len() + self.rows.len();
        let (rows, _) = self.rows.as_chunks_mut::<ROW>();
        for row in rows.iter_mut() {
            let place = number(row, 8) + size as u64;
            row[8..16].copy_from_slice(&place.to_le_bytes());
        }
        let flags = [(head.any_symbols, ANY_SYMBOLS), (head.debugging, DEBUGGING)];
        let flags: u32 = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(&(head.key.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(head.path.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&head.functions.to_le_bytes());
        bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&flags.to_le_bytes());
        bytes.extend_from_slice(head.key);
        bytes.extend_from_slice(head.path);
        bytes.extend_from_slice(&self.rows);
        let checksum = crc32fast::hash(&bytes).to_le_bytes();
        let begin = [&MAGIC[..], &VERSION.to_le_bytes(), &checksum].concat();
        [[begin, bytes].concat(), self.blocks]
    }
}

#[cfg(test)]
mod tests;
