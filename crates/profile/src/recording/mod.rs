//! A recording: everything that one run left behind, in memory and in a file.
//!
//! The file's frames are described in `frame.rs`, the messages in them in `recording.proto`.

mod batch;
mod columns;
mod decode;
mod encode;
mod error;
mod file;
mod frame;
mod lock;
mod loose;
mod merge;
mod occupant;
mod output;
mod read;
mod read_ahead;
mod schema;
mod syncer;
mod whole;
mod write;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

pub use batch::{Batch, BatchedRecording};
pub use error::Error;
pub use file::{Appended, RecordingFile, Unfinished};
pub use loose::LooseRecording;
pub use merge::{MergeLimits, Merger, TooManyEvents};
pub use occupant::Obstacle;
pub use output::Owner;
pub use read_ahead::{ReadAhead, read_ahead};
pub use whole::WholeFile;

use crate::{
    Calls, CommandEnd, Counts, Coverage, Event, Image, ImageId, ImageKind, ImageNames, ImageOffset, Key,
    Package, Process, ProcessId, Run, SymbolId, Unresolved,
};

/// The first thing in a recording file that is not as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where the frame begins, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

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
    /// The folded calls of the samples' stacks, where they were recorded.
    pub calls: Calls,
    /// What the sampled offsets of each image resolved to, each at its [`ImageId`]; shorter than `images`, or
    /// empty, where the recording was cut off before names were stored.
    pub names: Vec<ImageNames>,
    /// The packages of images whose code lacks names, where they are known.
    pub packages: BTreeMap<ImageId, Package>,
    /// How far to trust it.
    pub coverage: Coverage,
    /// How long it recorded.
    pub duration: Duration,
    /// How the command ended; `None` where the recording was cut off.
    pub end: Option<CommandEnd>,
    /// What was found to be not as it was written; what depends on it is missing from all the above.
    pub damage: Option<Damage>,
}

/// A file begins as recordings do.
pub fn is_recording(path: &Path) -> bool {
    let mut start = Vec::new();
    let length = frame::MAGIC.len() as u64;
    let file = crate::open_regular(path);
    file.is_some_and(|file| file.take(length).read_to_end(&mut start).is_ok()) && start == frame::MAGIC
}

/// A recorder is at work on the recording of this path.
pub fn is_being_written(path: &Path) -> bool {
    let file = crate::open_regular(path);
    file.is_some_and(|file| lock::is_locked(&file).unwrap_or(false) && lock::is_at(&file, path))
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

    /// The samples of each CPU are apart from those of the others.
    pub fn separates_cpus(&self) -> bool {
        self.counts.iter().any(|(key, _)| key.cpu != Key::ALL_CPUS)
    }

    /// The samples of each process are apart from those of others of the same app.
    pub fn separates_processes(&self) -> bool {
        self.processes.iter().any(|process| process.pid != Process::ALL)
    }

    /// The samples of each thread are apart from those of the others.
    pub fn separates_threads(&self) -> bool {
        self.counts.iter().any(|(key, _)| key.thread != 0)
    }

    /// The names of the image of this index.
    pub fn image_names(&self, id: ImageId) -> Option<&ImageNames> {
        self.names.get(id.0 as usize)
    }

    /// The symbol that holds an offset of an image, or the reason why none does.
    ///
    /// # Errors
    /// The reason.
    pub fn lookup(&self, image: ImageId, offset: ImageOffset) -> Result<SymbolId, Unresolved> {
        let names = self.image_names(image);
        let found = names.map_or(Err(Unresolved::NamesMissing), |names| names.lookup(offset));
        // Of some images it is known without any names; but one of a damaged recording may be another than it seems.
        match (found, self.image(image).map(|image| image.kind)) {
            (Err(Unresolved::NamesMissing), Some(kind)) if self.damage.is_none() => Err(match kind {
                ImageKind::Anonymous => Unresolved::Anonymous,
                ImageKind::Unknown => Unresolved::NoMapping,
                ImageKind::Guest => Unresolved::NoSymbols,
                _ => Unresolved::NamesMissing,
            }),
            _ => found,
        }
    }

    /// The recording was ended by a kill, a full disk or a power cut: it holds what was written until then.
    pub fn is_cut_off(&self) -> bool {
        self.end.is_none() && self.damage.is_none()
    }
}
