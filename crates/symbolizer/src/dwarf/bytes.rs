//! Reads the bytes of a section, counting every step.

use std::borrow::Cow;
use std::fmt;

use gimli::{EndianSlice, Reader, ReaderOffsetId, Result, RunTimeEndian};

use super::work::Work;

/// The rest of a section.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    slice: EndianSlice<'a, RunTimeEndian>,
    work: &'a Work<'a>,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8], endian: RunTimeEndian, work: &'a Work<'a>) -> Bytes<'a> {
        Bytes { slice: EndianSlice::new(bytes, endian), work }
    }

    /// Counts `steps` that take no bytes.
    #[inline]
    pub(super) fn spend(self, steps: usize) -> Result<()> {
        self.work.spend(steps as u64)
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.slice.fmt(formatter)
    }
}

impl Reader for Bytes<'_> {
    type Endian = RunTimeEndian;
    type Offset = usize;

    #[inline]
    fn endian(&self) -> RunTimeEndian {
        self.slice.endian()
    }

    #[inline]
    fn len(&self) -> usize {
        self.slice.len()
    }

    #[inline]
    fn empty(&mut self) {
        self.slice.empty();
    }

    #[inline]
    fn truncate(&mut self, length: usize) -> Result<()> {
        self.slice.truncate(length)
    }

    #[inline]
    fn offset_from(&self, base: &Self) -> usize {
        self.slice.offset_from(base.slice)
    }

    #[inline]
    fn offset_id(&self) -> ReaderOffsetId {
        self.slice.offset_id()
    }

    #[inline]
    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        self.slice.lookup_offset_id(id)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let found = self.slice.find(byte);
        // Looking for a byte is quicker than reading one by one.
        self.spend(1 + found.unwrap_or(self.slice.len()) / 16)?;
        found.ok_or(gimli::Error::UnexpectedEof(self.offset_id()))
    }

    #[inline]
    fn skip(&mut self, length: usize) -> Result<()> {
        self.spend(1)?;
        Reader::skip(&mut self.slice, length)
    }

    #[inline]
    fn split(&mut self, length: usize) -> Result<Self> {
        self.spend(1)?;
        Ok(Bytes { slice: self.slice.split(length)?, work: self.work })
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        Ok(Cow::Borrowed(self.slice.slice()))
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        Reader::to_string(&self.slice)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        Reader::to_string_lossy(&self.slice)
    }

    #[inline]
    fn read_u8(&mut self) -> Result<u8> {
        self.spend(1)?;
        Reader::read_u8(&mut self.slice)
    }

    #[inline]
    fn read_slice(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.spend(1)?;
        Reader::read_slice(&mut self.slice, buffer)
    }
}
