//! Reads a recording file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use prost::Message;

use super::frame::{self, FrameKind, Frames, Next};
use super::{Error, Recording, decode, schema};

impl Recording {
    /// Reads a recording from a file.
    ///
    /// A recording that was cut off is read up to its last whole frame: [`Recording::is_cut_off`].
    ///
    /// # Errors
    /// Where the file is missing, unreadable, not a recording, of a newer format, or damaged before its first
    /// sample.
    pub fn open(path: &Path) -> Result<Recording, Error> {
        let metadata = path.metadata().map_err(|error| Error::read(path, error))?;
        if metadata.is_dir() {
            return Err(Error::read(path, io::ErrorKind::IsADirectory.into()));
        }
        if !metadata.is_file() {
            // A FIFO would make the reader wait for ever.
            return Err(Error::NotARecording(path.to_owned()));
        }
        let file = File::open(path).map_err(|error| Error::read(path, error))?;
        Recording::read(io::BufReader::new(file), path)
    }

    /// Reads a recording from bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn read(mut input: impl Read, path: &Path) -> Result<Recording, Error> {
        let mut preamble = [0; 16];
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
            Some(_) => {}
        }
        let damaged = |what| Error::Damaged { path: path.to_owned(), what };
        let mut recording = Recording::default();
        let mut frames = Frames::new(input);
        let mut has_header = false;
        loop {
            let frame = match frames.next().map_err(|error| Error::read(path, error))? {
                Next::Frame(frame) => frame,
                Next::End | Next::CutOff => break,
                Next::TooLarge => {
                    let limit_mb = frame::LARGEST_RECORDING >> 20;
                    return Err(Error::TooLarge { path: path.to_owned(), limit_mb });
                }
            };
            if has_header != (frame.kind != FrameKind::Header as u32) {
                return Err(damaged("its header is not its first frame"));
            }
            has_header = true;
            if let Err(what) = recording.take(&frame) {
                if recording.processes.is_empty() {
                    return Err(damaged(what));
                }
                // What was read before holds; what follows cannot be trusted.
                recording.end = None;
                break;
            }
        }
        if has_header { Ok(recording) } else { Err(damaged("it has no header")) }
    }

    fn take(&mut self, frame: &frame::Frame) -> Result<(), decode::Contradiction> {
        fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, decode::Contradiction> {
            M::decode(bytes).map_err(|_| "a message does not follow the schema")
        }
        let bytes = frame.message.as_slice();
        match frame.kind {
            kind if kind == FrameKind::Header as u32 => self.take_header(message(bytes)?),
            kind if kind == FrameKind::Window as u32 => self.take_window(message(bytes)?),
            kind if kind == FrameKind::Names as u32 => self.take_names(message(bytes)?),
            kind if kind == FrameKind::End as u32 => self.take_end(&message::<schema::End>(bytes)?),
            _ => Ok(()),
        }
    }
}
