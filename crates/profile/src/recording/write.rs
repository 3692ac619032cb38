//! Writes the frames of a recording.

use std::collections::BTreeMap;
use std::io::{self, Write};

use prost::Message;
use prost::bytes::Bytes;

use super::frame::{self, FrameKind};
use super::{Recording, encode, schema};
use crate::{
    Call, CommandEnd, Count, Coverage, Event, Image, ImageId, ImageNames, Key, Package, Process, ProcessId,
    Run, Timestamp,
};

/// How many things go into one message at the most: a folded sample takes at most 35 bytes, so that a message
/// stays far below [`frame::LARGEST_MESSAGE`].
const MOST: usize = 100_000;
/// How many bytes of names or arguments go into one message at the most.
const MOST_TEXT: usize = 4 << 20;

/// What a stretch of time added, ready to be written.
#[derive(Debug)]
pub(super) struct WindowParts<'a> {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) first_image: ImageId,
    pub(super) images: &'a [Image],
    pub(super) processes: Vec<(ProcessId, &'a Process)>,
    pub(super) counts: &'a [(Key, Count)],
    pub(super) calls: &'a [(Call, u64)],
    pub(super) coverage: &'a Coverage,
}

/// Writes frames one after another and knows how many bytes that were.
#[derive(Debug)]
pub(super) struct FrameWriter<W> {
    pub(super) out: W,
    pub(super) written: u64,
}

impl<W: Write> FrameWriter<W> {
    /// Starts a file: preamble and header.
    pub(super) fn start(mut out: W, run: &Run, events: &[Event]) -> io::Result<FrameWriter<W>> {
        let preamble = frame::preamble();
        out.write_all(&preamble)?;
        let mut writer = FrameWriter { out, written: preamble.len() as u64 };
        writer.frame(FrameKind::Header, &encode::header(run, events))?;
        Ok(writer)
    }

    fn frame(&mut self, kind: FrameKind, message: &impl Message) -> io::Result<()> {
        let bytes = message.encode_to_vec();
        if bytes.len() > frame::LARGEST_MESSAGE {
            return Err(io::Error::other("a single name is too long for a recording"));
        }
        self.written += frame::write(&mut self.out, kind, &bytes)?;
        Ok(())
    }

    /// Writes a window, in as many frames as it needs.
    pub(super) fn window(&mut self, window: &WindowParts<'_>) -> io::Result<()> {
        let empty =
            || schema::Window { start: window.start.0, end: window.end.0, ..schema::Window::default() };
        let mut first_image = window.first_image.0;
        for images in chunks(window.images, |image| image.name.len()) {
            let images: Vec<_> = images.iter().map(encode::image).collect();
            let count = images.len() as u32;
            self.frame(FrameKind::Window, &schema::Window { first_image, images, ..empty() })?;
            first_image += count;
        }
        let text = |(_, process): &(ProcessId, &Process)| {
            let arguments: usize = process.arguments.iter().map(|argument| argument.len() + 4).sum();
            arguments + process.working_directory.as_ref().map_or(0, String::len)
        };
        for processes in chunks(&window.processes, text) {
            let processes = processes.iter().map(|(id, process)| encode::process(*id, process)).collect();
            self.frame(FrameKind::Window, &schema::Window { processes, ..empty() })?;
        }
        for counts in window.counts.chunks(MOST) {
            self.frame(FrameKind::Window, &schema::Window { counts: encode::counts(counts), ..empty() })?;
        }
        for calls in window.calls.chunks(MOST) {
            self.frame(FrameKind::Window, &schema::Window { calls: encode::calls(calls), ..empty() })?;
        }
        let coverage = Some(encode::coverage(window.coverage));
        self.frame(FrameKind::Window, &schema::Window { coverage, ..empty() })
    }

    /// Writes the names of the images, each at its index.
    pub(super) fn names(&mut self, names: &[ImageNames]) -> io::Result<()> {
        let text = |message: &schema::ImageNames| {
            let packed = |parts: &[Bytes]| parts.iter().map(Bytes::len).sum::<usize>();
            packed(&message.symbols)
                + packed(&message.places)
                + message.files.iter().map(String::len).sum::<usize>()
                + message.offsets.len()
                + message.answers.len()
        };
        // Those of several small images are one message; of all images at once they would take twice the memory.
        let mut images = Vec::new();
        let mut bytes = 0;
        let mut write = |images: &mut Vec<schema::ImageNames>| match images.is_empty() {
            true => Ok(()),
            false => {
                let images = std::mem::take(images);
                self.frame(FrameKind::Names, &schema::Names { images, ..schema::Names::default() })
            }
        };
        for (index, names) in names.iter().enumerate() {
            for message in encode::names(ImageId(index as u32), names, MOST / 10) {
                let length = text(&message);
                if bytes + length > MOST_TEXT || images.len() == MOST {
                    write(&mut images)?;
                    bytes = 0;
                }
                bytes += length;
                images.push(message);
            }
        }
        write(&mut images)
    }

    /// Writes the packages of images.
    pub(super) fn packages(&mut self, packages: &BTreeMap<ImageId, Package>) -> io::Result<()> {
        let messages: Vec<_> =
            packages.iter().map(|(image, package)| encode::package(*image, package)).collect();
        for packages in chunks(&messages, |package| package.name.len() + package.version.len()) {
            let names = schema::Names { packages: packages.to_vec(), ..schema::Names::default() };
            self.frame(FrameKind::Names, &names)?;
        }
        Ok(())
    }

    /// Writes the last frame.
    pub(super) fn end(&mut self, duration_ns: u64, end: CommandEnd) -> io::Result<()> {
        self.frame(FrameKind::End, &encode::end(duration_ns, end))
    }
}

/// Stretches of `things` of at most [`MOST`] things and about [`MOST_TEXT`] bytes of text each.
fn chunks<T>(mut things: &[T], text: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut chunks = Vec::new();
    while !things.is_empty() {
        let mut bytes = 0;
        let length = things
            .iter()
            .take(MOST)
            .take_while(|thing| {
                bytes += text(thing);
                bytes <= MOST_TEXT
            })
            .count()
            .max(1);
        let (chunk, rest) = things.split_at(length);
        chunks.push(chunk);
        things = rest;
    }
    chunks
}

impl Recording {
    /// Writes the whole recording as the bytes of a file.
    ///
    /// # Errors
    /// Where `out` cannot be written.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut writer = FrameWriter::start(out, &self.run, &self.events)?;
        let counts = self.counts.sorted();
        let calls = self.calls.sorted();
        writer.window(&WindowParts {
            start: Timestamp(0),
            end: Timestamp(self.duration.as_nanos() as u64),
            first_image: ImageId(0),
            images: &self.images,
            processes: numbered(&self.processes),
            counts: &counts,
            calls: &calls,
            coverage: &self.coverage,
        })?;
        writer.names(&self.names)?;
        writer.packages(&self.packages)?;
        if let Some(end) = self.end {
            writer.end(self.duration.as_nanos() as u64, end)?;
        }
        writer.out.flush()
    }
}

/// Every process with its index.
pub(super) fn numbered(processes: &[Process]) -> Vec<(ProcessId, &Process)> {
    processes.iter().enumerate().map(|(index, process)| (ProcessId(index as u32), process)).collect()
}
