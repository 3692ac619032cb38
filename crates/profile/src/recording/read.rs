//! Reads a recording file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;

use super::batch::Batches;
use super::decode::{NOT_OF_THE_SCHEMA, NamesSink};
use super::frame::{self, FrameKind, Frames, Next};
use super::{Damage, Error, Recording, decode, schema};
use crate::{Count, Counts, ImageNames};

/// A recording file is complete: it has its end, and nothing of it is damaged. What its messages say is not looked at.
pub(super) fn is_complete(file: File) -> io::Result<bool> {
    let mut input = io::BufReader::new(file);
    let mut preamble = [0; frame::HEADER];
    match input.read_exact(&mut preamble) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
        read => read?,
    }
    if frame::version(&preamble).is_some_and(|version| version > frame::VERSION) {
        // Whatever makes that complete, it is not ours to judge.
        return Ok(true);
    }
    let mut frames = Frames::new(input);
    let mut last = 0;
    loop {
        match frames.next()? {
            Next::Frame(frame) => last = frame.kind,
            Next::End => return Ok(last == FrameKind::End as u32),
            Next::CutOff | Next::Damaged => return Ok(false),
            // Nobody can read it, but nor is anything known to be wrong with it.
            Next::TooLarge => return Ok(true),
        }
    }
}

/// Opens the file of a recording.
pub(super) fn open(path: &Path) -> Result<impl Read, Error> {
    let metadata = path.metadata().map_err(|error| Error::read(path, error))?;
    if metadata.is_dir() {
        return Err(Error::read(path, io::ErrorKind::IsADirectory.into()));
    }
    if !metadata.is_file() {
        // A FIFO would make the reader wait for ever.
        return Err(Error::NotARecording(path.to_owned()));
    }
    let file = File::open(path).map_err(|error| Error::read(path, error))?;
    Ok(io::BufReader::new(file))
}

/// Reads a recording but for its samples and names, which become what `samples` and `names` make of them.
pub(super) fn read(
    mut input: impl Read,
    path: &Path,
    samples: &mut Batches,
    names: &mut impl NamesSink,
) -> Result<Recording, Error> {
    let unusable = |what| Error::Damaged { path: path.to_owned(), what };
    let mut preamble = [0; frame::HEADER];
    let version = match input.read_exact(&mut preamble) {
        Ok(()) => frame::version(&preamble),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(error) => return Err(Error::read(path, error)),
    };
    match version {
        None => return Err(Error::NotARecording(path.to_owned())),
        Some(version) if version > frame::VERSION => {
            return Err(Error::NewerVersion { path: path.to_owned(), version });
        }
        Some(0) => return Err(unusable("it has no version")),
        Some(_) => {}
    }
    let mut recording = Recording::default();
    if !frame::has_blank_end(&preamble) {
        recording.damage = Some(Damage { offset: 12, what: "its preamble does not end in zeros" });
    }
    let mut frames = Frames::new(input);
    let mut has_header = false;
    loop {
        let frame = match frames.next().map_err(|error| Error::read(path, error))? {
            Next::Frame(frame) => frame,
            Next::Damaged if !has_header => {
                return Err(unusable("its header does not match its checksum"));
            }
            Next::Damaged => {
                let what = "a checksum does not match";
                recording.damage.get_or_insert(Damage { offset: frames.began(), what });
                continue;
            }
            Next::End | Next::CutOff => break,
            Next::TooLarge => {
                let limit_mb = frame::LARGEST_RECORDING >> 20;
                return Err(Error::TooLarge { path: path.to_owned(), limit_mb });
            }
        };
        if has_header != (frame.kind != FrameKind::Header as u32) {
            return Err(unusable("its header is not its first frame"));
        }
        has_header = true;
        match recording.take(frame, samples, names) {
            Ok(()) => {}
            // It goes back to something that was in the damaged part.
            Err(_) if recording.damage.is_some() => {}
            Err(what) if recording.processes.is_empty() => return Err(unusable(what)),
            Err(what) => {
                // What was read before holds; what follows cannot be trusted.
                recording.damage = Some(Damage { offset: frames.began(), what });
                recording.end = None;
                break;
            }
        }
    }
    match (has_header, recording.damage) {
        (false, _) => Err(unusable("it has no header")),
        (true, Some(damage)) if samples.is_empty() => {
            Err(Error::NothingLeft { path: path.to_owned(), damage })
        }
        (true, _) => {
            if recording.end.is_none() || recording.damage.is_some() {
                recording.count_in_coverage(samples);
            }
            Ok(recording)
        }
    }
}

impl Recording {
    /// Reads a recording from a file.
    ///
    /// A recording that was cut off is read up to its last whole frame: [`Recording::is_cut_off`]. Of one that is
    /// damaged everything is read that is as it was written and goes back to nothing else: [`Recording::damage`].
    ///
    /// # Errors
    /// Where the file is missing, unreadable, not a recording, of a newer format, or damaged before its first
    /// sample.
    pub fn open(path: &Path) -> Result<Recording, Error> {
        Recording::read(open(path)?, path)
    }

    /// Reads a recording from bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn read(input: impl Read, path: &Path) -> Result<Recording, Error> {
        let mut samples = Batches::Folded(Counts::default());
        let mut names: Vec<ImageNames> = Vec::new();
        let recording = read(input, path, &mut samples, &mut names)?;
        let mut recording = Recording { names, ..recording };
        if let Batches::Folded(counts) = samples {
            recording.counts = counts;
        }
        Ok(recording)
    }

    /// Counts the samples that were read in the coverage: where a part is missing that can be from before them.
    fn count_in_coverage(&mut self, samples: &Batches) {
        let mut read = vec![Count::default(); self.coverage.events.len()];
        samples.for_each(|(key, count)| {
            if let Some(sum) = read.get_mut(usize::from(key.event.0)) {
                sum.add(count);
            }
        });
        for (event, read) in self.coverage.events.iter_mut().zip(read) {
            event.samples = event.samples.max(read.samples);
            event.weight = event.weight.max(read.weight);
        }
    }

    fn take(
        &mut self,
        frame: frame::Frame,
        samples: &mut Batches,
        names: &mut impl NamesSink,
    ) -> Result<(), decode::Contradiction> {
        fn message<M: Message + Default>(bytes: Bytes) -> Result<M, decode::Contradiction> {
            M::decode(bytes).map_err(|_| NOT_OF_THE_SCHEMA)
        }
        let bytes = Bytes::from(frame.message);
        match frame.kind {
            kind if kind == FrameKind::Header as u32 => self.take_header(message(bytes)?),
            kind if kind == FrameKind::Window as u32 => self.take_window(message(bytes)?, samples),
            kind if kind == FrameKind::Names as u32 => self.take_names(message(bytes)?, names),
            kind if kind == FrameKind::End as u32 => self.take_end(&message::<schema::End>(bytes)?),
            _ => Ok(()),
        }
    }
}
