//! The file of a recording that is written in one go.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::output::{Output, Predecessor, remove};
use super::{Error, Recording};

/// The file of a recording that is made of others, written whole or not at all: of mode 0600, and one that has the name
/// already is kept, as for a [`RecordingFile`](super::RecordingFile). While this value lives, nobody else writes it.
#[derive(Debug)]
pub struct WholeFile {
    output: Output,
    file: File,
    predecessor: Predecessor,
    is_published: bool,
}

impl WholeFile {
    /// Takes the name, before there is anything to be written.
    ///
    /// # Errors
    /// As [`RecordingFile::create`](super::RecordingFile::create).
    pub fn create(path: &Path) -> Result<WholeFile, Error> {
        let output = Output::new(path, None);
        let (file, predecessor) = output.claim()?;
        Ok(WholeFile { output, file, predecessor, is_published: false })
    }

    /// Writes the recording and puts the file in its place.
    ///
    /// # Errors
    /// Where it cannot be written. Nothing is left of it then, and what has the name stays.
    pub fn write(mut self, recording: &Recording) -> Result<(), Error> {
        let written = recording.write(BufWriter::new(&self.file)).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::write(self.output.path(), error))?;
        self.output.publish(self.predecessor)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.is_published {
            remove(&self.output.prepared());
        }
    }
}
