//! Frames: the pieces of which a recording file is made, each complete in itself.
//!
//! A file is a preamble of 16 bytes and frames one after another, all numbers little endian:
//!
//! ```text
//! preamble  u8[8] "oprof\r\n\x1a"   u32 version   u32 0
//! frame     u32 kind   u32 packed length   u32 unpacked length   u32 checksum   u8[packed length]
//! ```
//!
//! The payload is a protobuf message (recording.proto) compressed with zstd; the checksum is the CRC-32 (as in
//! zlib) of the frame's first twelve bytes and its payload. A reader takes frames until one is incomplete or
//! does not match its checksum: what a killed writer left behind is readable up to there. Kinds that a reader
//! does not know are passed over.

use std::io::{self, Read, Write};

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
const HEADER: usize = 16;

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
    /// What follows is not a whole frame.
    CutOff,
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

fn word(bytes: &[u8; HEADER], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn checksum(header: &[u8; HEADER], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..12]);
    hasher.update(payload);
    hasher.finalize()
}

/// Writes a frame; gives its length in bytes.
pub(super) fn write(out: &mut impl Write, kind: FrameKind, message: &[u8]) -> io::Result<u64> {
    assert!(message.len() <= LARGEST_MESSAGE, "messages are split before they grow past the limit");
    let payload = zstd::bulk::compress(message, LEVEL)?;
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

/// Reads frames; memory use is bounded by [`LARGEST_MESSAGE`] a frame.
#[derive(Debug)]
pub(super) struct Frames<R> {
    input: R,
    unpacked: u64,
}

impl<R: Read> Frames<R> {
    /// Frames of `input`, which stands behind the preamble.
    pub(super) fn new(input: R) -> Frames<R> {
        Frames { input, unpacked: 0 }
    }

    /// The next frame. An error is one of reading, not of what was read.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut header = [0; HEADER];
        match fill(&mut self.input, &mut header)? {
            0 => return Ok(Next::End),
            HEADER => {}
            _ => return Ok(Next::CutOff),
        }
        let (kind, packed, unpacked) =
            (word(&header, 0), word(&header, 4) as usize, word(&header, 8) as usize);
        if unpacked > LARGEST_MESSAGE || packed > zstd::zstd_safe::compress_bound(LARGEST_MESSAGE) {
            return Ok(Next::CutOff);
        }
        self.unpacked += unpacked as u64;
        if self.unpacked > LARGEST_RECORDING {
            return Ok(Next::TooLarge);
        }
        let mut payload = Vec::new();
        // Grows with what is there, not with what a damaged header says.
        self.input.by_ref().take(packed as u64).read_to_end(&mut payload)?;
        if payload.len() != packed || checksum(&header, &payload) != word(&header, 12) {
            return Ok(Next::CutOff);
        }
        match zstd::bulk::decompress(&payload, unpacked) {
            Ok(message) if message.len() == unpacked => Ok(Next::Frame(Frame { kind, message })),
            _ => Ok(Next::CutOff),
        }
    }
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
