//! Frames: the pieces of which a recording file is made, each complete in itself.
//!
//! A file is a preamble of 16 bytes and frames one after another, all numbers little endian:
//!
//! ```text
//! preamble  u8[8] "oprof\r\n\x1a"   u32 version (at least 1)   u32 0
//! frame     u32 kind   u32 packed length   u32 unpacked length   u32 checksum   u8[packed length]
//! ```
//!
//! The payload is a protobuf message (recording.proto) compressed with zstd; the checksum is the CRC-32 (as in
//! zlib) of the frame's first twelve bytes and its payload. A reader takes frames until one is incomplete: what a killed
//! writer left behind is readable up to there. Where one does not match its checksum the file is damaged, and a
//! reader can go on at the next that does. Kinds that a reader does not know are passed over.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};

use zstd::bulk::Compressor;

/// The version of the format that this crate writes; it reads this and all earlier ones.
pub(super) const VERSION: u32 = 1;
/// The first bytes of a recording. Line ends and control-Z reveal a transfer that changed the bytes.
pub(super) const MAGIC: [u8; 8] = *b"oprof\r\n\x1a";
/// The largest message in a frame, unpacked, in bytes.
pub(super) const LARGEST_MESSAGE: usize = 16 << 20;
/// The most that all messages of a file may unpack to, in bytes.
pub(super) const LARGEST_RECORDING: u64 = 512 << 20;
/// zstd's level: the fastest of its regular ones, since a frame is packed while the command runs.
const LEVEL: i32 = 1;
/// The length of the preamble, and of a frame's header, in bytes.
pub(super) const HEADER: usize = 16;
/// How far behind a damaged frame to look for the next good one, in bytes.
const SEARCHED: u64 = 64 << 20;
/// How often to do that: a disk loses few blocks of a file, but a hostile file can have millions of bad frames.
const MOST_PASSED_OVER: u32 = 32;

/// What a frame holds. Numbers in files: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum FrameKind {
    /// The circumstances and the events; the first frame.
    Header = 1,
    /// What a stretch of time added.
    Window = 2,
    /// Symbols.
    Names = 3,
    /// How it ended; the last frame.
    End = 4,
}

/// A frame as read: a kind, perhaps unknown, and the unpacked message.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u32,
    pub(super) message: Vec<u8>,
}

/// What comes next in a file.
#[derive(Debug)]
pub(super) enum Next {
    Frame(Frame),
    /// The file ends here, between two frames.
    End,
    /// What follows is not a whole frame: its writer was interrupted.
    CutOff,
    /// A frame is not as it was written. The next one, if any, is one that is.
    Damaged,
    /// All that was read so far unpacks to more than [`LARGEST_RECORDING`].
    TooLarge,
}

/// The preamble of a file of this version.
pub(super) fn preamble() -> [u8; HEADER] {
    let mut preamble = [0; HEADER];
    preamble[..8].copy_from_slice(&MAGIC);
    preamble[8..12].copy_from_slice(&VERSION.to_le_bytes());
    preamble
}

/// The version that a preamble states; `None` where it is not one of a recording.
pub(super) fn version(preamble: &[u8; HEADER]) -> Option<u32> {
    preamble.starts_with(&MAGIC).then(|| word(preamble, 8))
}

/// The bytes of a preamble that have no meaning yet are as they were written.
pub(super) fn has_blank_end(preamble: &[u8; HEADER]) -> bool {
    word(preamble, 12) == 0
}

fn word(bytes: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..12]);
    hasher.update(payload);
    hasher.finalize()
}

thread_local! {
    /// What compresses, kept from frame to frame: to set it up takes longer than a frame of an idle second.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(message: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(message)
    })
}

/// Writes a frame; gives its length in bytes.
pub(super) fn write(out: &mut impl Write, kind: FrameKind, message: &[u8]) -> io::Result<u64> {
    assert!(message.len() <= LARGEST_MESSAGE, "messages are split before they grow past the limit");
    let payload = compress(message)?;
    let mut header = [0; HEADER];
    header[0..4].copy_from_slice(&(kind as u32).to_le_bytes());
    header[4..8].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[8..12].copy_from_slice(&(message.len() as u32).to_le_bytes());
    let sum = checksum(&header, &payload);
    header[12..16].copy_from_slice(&sum.to_le_bytes());
    // One write, so that a full disk or a kill leaves as little of half a frame as possible.
    let frame = [header.as_slice(), &payload].concat();
    out.write_all(&frame)?;
    Ok(frame.len() as u64)
}

/// A frame's header.
#[derive(Clone, Copy, Debug)]
struct Header {
    bytes: [u8; HEADER],
}

impl Header {
    fn kind(&self) -> u32 {
        word(&self.bytes, 0)
    }

    /// The length of the payload in bytes.
    fn packed(&self) -> usize {
        word(&self.bytes, 4) as usize
    }

    /// The length of the message in bytes.
    fn unpacked(&self) -> usize {
        word(&self.bytes, 8) as usize
    }

    /// A writer could have written these lengths.
    fn is_possible(&self) -> bool {
        self.unpacked() <= LARGEST_MESSAGE
            && self.packed() <= zstd::zstd_safe::compress_bound(LARGEST_MESSAGE)
    }

    /// The header as it would be with this length of the payload in bytes.
    fn with_length(mut self, packed: usize) -> Header {
        self.bytes[4..8].copy_from_slice(&(packed as u32).to_le_bytes());
        self
    }

    fn fits(&self, payload: &[u8]) -> bool {
        payload.len() == self.packed() && checksum(&self.bytes, payload) == word(&self.bytes, 12)
    }
}

/// Reads frames; memory use is bounded by [`LARGEST_MESSAGE`] a frame, and by [`SEARCHED`] behind a damaged one.
#[derive(Debug)]
pub(super) struct Frames<R> {
    input: R,
    /// What was read ahead of the place where reading goes on.
    ahead: Cursor<Vec<u8>>,
    /// Where the frame that was asked for last begins, in bytes from the start of the file.
    began: u64,
    /// Where the next one begins.
    position: u64,
    unpacked: u64,
    /// How many damaged places there were so far.
    passed_over: u32,
}

impl<R: Read> Frames<R> {
    /// Frames of `input`, which stands behind the preamble.
    pub(super) fn new(input: R) -> Frames<R> {
        let position = HEADER as u64;
        Frames { input, ahead: Cursor::default(), began: position, position, unpacked: 0, passed_over: 0 }
    }

    /// Where the frame that was read last begins in the file.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// The next frame. An error is one of reading, not of what was read.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        self.began = self.position;
        let mut bytes = [0; HEADER];
        match fill(&mut (&mut self.ahead).chain(&mut self.input), &mut bytes)? {
            0 => return Ok(Next::End),
            HEADER => {}
            _ => return Ok(Next::CutOff),
        }
        let header = Header { bytes };
        let mut payload = Vec::new();
        if header.is_possible() {
            // Grows with what is there, not with what a damaged header says.
            self.read(header.packed() as u64, &mut payload)?;
            if header.fits(&payload) {
                self.position += (HEADER + payload.len()) as u64;
                return Ok(self.unpack(header, &payload));
            }
        }
        self.pass_over(header, payload)
    }

    fn unpack(&mut self, header: Header, payload: &[u8]) -> Next {
        self.unpacked += header.unpacked() as u64;
        if self.unpacked > LARGEST_RECORDING {
            return Next::TooLarge;
        }
        match zstd::bulk::decompress(payload, header.unpacked()) {
            Ok(message) if message.len() == header.unpacked() => {
                Next::Frame(Frame { kind: header.kind(), message })
            }
            _ => Next::Damaged,
        }
    }

    /// Goes on behind a frame that is not as it should be, at the next that is.
    fn pass_over(&mut self, header: Header, payload: Vec<u8>) -> io::Result<Next> {
        if self.passed_over == MOST_PASSED_OVER {
            return Ok(Next::End);
        }
        self.passed_over += 1;
        let mut bytes = [header.bytes.as_slice(), &payload].concat();
        self.read(SEARCHED.saturating_sub(bytes.len() as u64), &mut bytes)?;
        if let Some(at) = find(&bytes, header) {
            bytes.drain(..at);
            self.ahead = Cursor::new(bytes);
            self.position = self.began + at as u64;
            return Ok(Next::Damaged);
        }
        let there = &bytes[HEADER..];
        let is_short = header.is_possible() && there.len() < header.packed();
        // A power cut can leave a file longer than what was written to it.
        let is_blank = bytes.iter().all(|byte| *byte == 0);
        // Nothing is missing where the last frame claims to be longer than it is.
        let is_cut_off = is_blank || is_short && !header.with_length(there.len()).fits(there);
        Ok(if is_cut_off { Next::CutOff } else { Next::Damaged })
    }

    fn read(&mut self, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
        (&mut self.ahead).chain(&mut self.input).take(most).read_to_end(bytes)?;
        Ok(())
    }
}

/// Where in `bytes`, which begin with a frame that is not as it should be, the next one begins that is.
fn find(bytes: &[u8], damaged: Header) -> Option<usize> {
    // Most often the length is right: a payload could hold what looks like a frame.
    let next = HEADER.saturating_add(damaged.packed());
    // What a hostile file can make of the search is bounded: each byte is summed up this often on average.
    let mut most = bytes.len().saturating_mul(8);
    std::iter::once(next).chain(1..bytes.len().saturating_sub(HEADER - 1)).find(|&at| {
        let Some((header, rest)) = bytes.get(at..).and_then(|bytes| bytes.split_first_chunk()) else {
            return false;
        };
        let header = Header { bytes: *header };
        let known = FrameKind::Header as u32..=FrameKind::End as u32;
        let is_candidate = known.contains(&header.kind()) && header.is_possible();
        let Some(payload) = rest.get(..header.packed()).filter(|_| is_candidate) else { return false };
        if payload.len() > most {
            return false;
        }
        most -= payload.len();
        header.fits(payload)
    })
}

/// Reads until `buffer` is full or the input ends; gives how much was read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
