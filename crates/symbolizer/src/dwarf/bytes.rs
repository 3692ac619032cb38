//! Reads the bytes of a section, counting every step.

use std::borrow::Cow;
use std::fmt;

use gimli::{Error, Reader, ReaderOffsetId, Result, RunTimeEndian};
use object::read::ReadRef;

use super::section::Section;
use super::work::Work;

/// The rest of a section, or of a part of one.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    /// What is at hand of it, from its beginning on; empty until it is asked for.
    window: &'a [u8],
    /// Where in the section it begins and ends.
    place: usize,
    end: usize,
    section: &'a Section<'a>,
    work: &'a Work<'a>,
}

impl<'a> Bytes<'a> {
    /// All bytes of a section.
    pub(super) fn new(section: &'a Section<'a>, work: &'a Work<'a>) -> Bytes<'a> {
        Bytes { window: &[], place: 0, end: section.size(), section, work }
    }

    /// Counts `steps` that take no bytes.
    #[inline]
    pub(super) fn spend(self, steps: usize) -> Result<()> {
        self.work.spend(steps as u64)
    }

    /// Gets the next bytes at hand.
    #[cold]
    fn refill(&mut self) -> Result<()> {
        let end = Error::UnexpectedEof(ReaderOffsetId(self.place as u64));
        if self.place >= self.end {
            return Err(end);
        }
        let bytes = self.section.bytes_at(self.place).ok_or(end)?;
        self.window = &bytes[..bytes.len().min(self.end - self.place)];
        Ok(())
    }

    /// Leaves out `length` bytes, of which so many are there.
    #[inline]
    fn advance(&mut self, length: usize) {
        self.window = self.window.get(length..).unwrap_or_default();
        self.place += length;
    }

    fn check(&self, length: usize) -> Result<()> {
        if length > self.end - self.place {
            return Err(Error::UnexpectedEof(ReaderOffsetId(self.place as u64)));
        }
        Ok(())
    }

    /// The same for what lies over several blocks.
    #[cold]
    fn read_over_blocks(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.check(buffer.len())?;
        let mut rest = buffer;
        while !rest.is_empty() {
            if self.window.is_empty() {
                self.refill()?;
            }
            let length = rest.len().min(self.window.len());
            let (now, later) = rest.split_at_mut(length);
            now.copy_from_slice(&self.window[..length]);
            self.advance(length);
            rest = later;
        }
        Ok(())
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bytes {} to {}", self.place, self.end)
    }
}

impl Reader for Bytes<'_> {
    type Endian = RunTimeEndian;
    type Offset = usize;

    #[inline]
    fn endian(&self) -> RunTimeEndian {
        self.section.endian()
    }

    #[inline]
    fn len(&self) -> usize {
        self.end - self.place
    }

    #[inline]
    fn empty(&mut self) {
        self.window = &[];
        self.end = self.place;
    }

    #[inline]
    fn truncate(&mut self, length: usize) -> Result<()> {
        self.check(length)?;
        self.window = &self.window[..self.window.len().min(length)];
        self.end = self.place + length;
        Ok(())
    }

    #[inline]
    fn offset_from(&self, base: &Self) -> usize {
        self.place.wrapping_sub(base.place)
    }

    #[inline]
    fn offset_id(&self) -> ReaderOffsetId {
        ReaderOffsetId(self.place as u64)
    }

    #[inline]
    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        usize::try_from(id.0).ok()?.checked_sub(self.place)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let mut rest = *self;
        loop {
            if rest.window.is_empty() {
                rest.refill()?;
            }
            let found = rest.window.read_bytes_at_until(0..rest.window.len() as u64, byte);
            let length = found.map_or(rest.window.len(), <[u8]>::len);
            // Looking for a byte is quicker than reading one by one.
            self.spend(1 + length / 16)?;
            rest.advance(length);
            if found.is_ok() {
                return Ok(rest.place - self.place);
            }
        }
    }

    #[inline]
    fn skip(&mut self, length: usize) -> Result<()> {
        self.spend(1)?;
        self.check(length)?;
        self.advance(length);
        Ok(())
    }

    #[inline]
    fn split(&mut self, length: usize) -> Result<Self> {
        let mut head = *self;
        self.skip(length)?;
        head.truncate(length)?;
        Ok(head)
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        let mut rest = *self;
        if rest.window.is_empty() && rest.place < rest.end {
            rest.refill()?;
        }
        if rest.window.len() == self.len() {
            return Ok(Cow::Borrowed(rest.window));
        }
        // So much is at hand, or is an error, before it is set aside.
        let mut bytes = Vec::new();
        while rest.place < rest.end {
            if rest.window.is_empty() {
                rest.refill()?;
            }
            self.spend(1 + rest.window.len() / 16)?;
            bytes.extend_from_slice(rest.window);
            rest.advance(rest.window.len());
        }
        Ok(Cow::Owned(bytes))
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        let utf8 = |_| Error::BadUtf8;
        Ok(match self.to_slice()? {
            Cow::Borrowed(bytes) => Cow::Borrowed(str::from_utf8(bytes).map_err(utf8)?),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| Error::BadUtf8)?),
        })
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        Ok(match self.to_slice()? {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    #[inline]
    fn read_u8(&mut self) -> Result<u8> {
        self.spend(1)?;
        if self.window.is_empty() {
            self.refill()?;
        }
        let byte = self.window[0];
        self.advance(1);
        Ok(byte)
    }

    #[inline]
    fn read_slice(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.spend(1)?;
        match self.window.get(..buffer.len()) {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                self.advance(buffer.len());
                Ok(())
            }
            None => self.read_over_blocks(buffer),
        }
    }
}
