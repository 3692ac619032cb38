//! A recording: everything that one run left behind, in memory and in a file.
//!
//! The file's frames are described in `frame.rs`, the messages in them in `recording.proto`.

mod decode;
mod encode;
mod error;
mod file;
mod frame;
mod read;
mod schema;
mod write;

use std::time::Duration;

pub use error::Error;
pub use file::RecordingFile;

use crate::{CommandEnd, Counts, Coverage, Event, Image, ImageId, ImageNames, Process, ProcessId, Run};

/// Everything that one run left behind. It explains itself: no image has to be opened to report it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// The circumstances.
    pub run: Run,
    /// The events, in the order in which they were asked for.
    pub events: Vec<Event>,
    /// The images, each at its [`ImageId`].
    pub images: Vec<Image>,
    /// The processes, each at its [`ProcessId`].
    pub processes: Vec<Process>,
    /// The folded samples.
    pub counts: Counts,
    /// What the sampled offsets of each image resolved to, each at its [`ImageId`]; shorter than `images`, or
    /// empty, where the recording was cut off before names were stored.
    pub names: Vec<ImageNames>,
    /// How far to trust it.
    pub coverage: Coverage,
    /// How long it recorded.
    pub duration: Duration,
    /// How the command ended; `None` where the recording was cut off.
    pub end: Option<CommandEnd>,
}

impl Recording {
    /// The image of this index.
    pub fn image(&self, id: ImageId) -> Option<&Image> {
        self.images.get(id.0 as usize)
    }

    /// The process of this index.
    pub fn process(&self, id: ProcessId) -> Option<&Process> {
        self.processes.get(id.0 as usize)
    }

    /// The names of the image of this index.
    pub fn image_names(&self, id: ImageId) -> Option<&ImageNames> {
        self.names.get(id.0 as usize)
    }

    /// The recording was ended by a kill, a full disk or a power cut: it holds what was written until then.
    pub fn is_cut_off(&self) -> bool {
        self.end.is_none()
    }
}
