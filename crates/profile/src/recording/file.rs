//! The file of a recording while it is being made.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::lock::is_at;
use super::output::{Output, Owner, Predecessor, remove};
use super::syncer::Syncer;
use super::write::{FrameWriter, WindowParts, numbered};
use super::{Error, Recording};
use crate::profile::Window;
use crate::{Event, ImageId, ImageNames, Package, Profile, Run, Timestamp};

/// A recording is written anew, as one window, when it has grown to this many times what that took last time.
const COMPACT_AT_GROWTH: u64 = 4;
/// Below this many bytes it is not worth it.
const COMPACT_FROM: u64 = 2 << 20;
/// How long to leave a full disk alone before the next try.
const RETRY: Duration = Duration::from_secs(3);

/// The file of a recording while it is being made.
///
/// It is written under a temporary name until [`RecordingFile::publish`] puts it in its place, so that a run
/// that fails at its start leaves an existing recording alone. From then on the file is readable at any time. For as
/// long as this value lives, no other can be made for the same path.
#[derive(Debug)]
pub struct RecordingFile {
    output: Output,
    is_published: bool,
    predecessor: Predecessor,
    writer: FrameWriter<File>,
    run: Run,
    events: Vec<Event>,
    started: Timestamp,
    /// How long the file was when it last held everything in one window.
    compact_length: u64,
    /// A window is missing since this moment: the whole has to be written anew.
    behind_since: Option<Instant>,
    /// How many images the windows in the file name.
    images_written: usize,
    syncer: Option<Syncer>,
}

/// What became of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the file, as are all before it.
    Written,
    /// Writing failed a moment ago, and a later call tries again.
    Later,
}

/// A recording file that could not be completed.
#[derive(Debug)]
pub struct Unfinished {
    /// Why.
    pub error: Error,
    /// The file is there and holds what was written before; else nothing is left of the recording.
    pub is_left: bool,
}

impl RecordingFile {
    /// Creates the file, of mode 0600, under a temporary name beside `path`; `owner`: whose it is to be, where not this
    /// process's user's.
    ///
    /// # Errors
    /// Where the directory is missing or cannot be written, where another recorder is at work on `path`, or where
    /// `path` (or one of the names beside it) is taken by something that is not a recording.
    pub fn create(
        path: &Path,
        owner: Option<Owner>,
        run: Run,
        events: Vec<Event>,
        started: Timestamp,
    ) -> Result<RecordingFile, Error> {
        let output = Output::new(path, owner);
        let (file, predecessor) = output.claim()?;
        let header = FrameWriter::start(&file, &run, &events).map(|writer| writer.written);
        let compact_length = header.map_err(|error| {
            remove(&output.prepared());
            Error::write(path, error)
        })?;
        let writer = FrameWriter { out: file, written: compact_length };
        Ok(RecordingFile {
            output,
            is_published: false,
            predecessor,
            writer,
            run,
            events,
            started,
            compact_length,
            behind_since: None,
            images_written: 0,
            syncer: Syncer::start(),
        })
    }

    /// Puts the file in its place. A recording that is there is kept, as the same name with `.old` behind it; unless
    /// [`RecordingFile::replaces_incomplete`].
    ///
    /// # Errors
    /// Where a file cannot be renamed. The place is then tried again by [`RecordingFile::finish`].
    pub fn publish(&mut self) -> Result<(), Error> {
        if self.is_published {
            return Ok(());
        }
        self.is_published = true;
        self.output.publish(self.predecessor).inspect_err(|_| remove(&self.output.prepared()))
    }

    /// The recording that has the name already is not complete, and is replaced without being kept: the older one
    /// beside it is complete.
    pub fn replaces_incomplete(&self) -> bool {
        self.predecessor == Predecessor::Incomplete
    }

    /// The name that the file has now.
    fn place(&self) -> PathBuf {
        if self.is_published { self.output.path().to_owned() } else { self.output.prepared() }
    }

    /// Ends the profile's window and appends what it added.
    ///
    /// # Errors
    /// Where the file cannot be written, a full disk for example. Nothing is lost by that: the profile keeps
    /// everything, and a later call writes it.
    pub fn append(
        &mut self,
        profile: &mut Profile,
        start: Timestamp,
        now: Timestamp,
    ) -> Result<Appended, Error> {
        let window = profile.close_window();
        if profile.take_renumbered() && self.behind_since.is_none() {
            // What the file says of processes by their numbers is no longer so.
            return self.rewrite(profile, now).inspect_err(|_| self.behind_since = Some(Instant::now()));
        }
        if let Some(since) = self.behind_since {
            if since.elapsed() < RETRY {
                return Ok(Appended::Later);
            }
            return self.rewrite(profile, now);
        }
        let length = self.writer.written;
        if let Err(error) = self.append_window(profile, &window, start, now) {
            // Half a frame would hide all that follows it.
            let _ = self.writer.out.set_len(length);
            self.writer.written = length;
            self.behind_since = Some(Instant::now());
            return Err(Error::write(self.output.path(), error));
        }
        self.images_written = profile.images().len();
        if let Some(syncer) = &self.syncer {
            syncer.sync(&self.writer.out);
        }
        if self.writer.written > COMPACT_FROM.max(self.compact_length * COMPACT_AT_GROWTH) {
            return self.rewrite(profile, now);
        }
        Ok(Appended::Written)
    }

    fn append_window(
        &mut self,
        profile: &Profile,
        window: &Window,
        start: Timestamp,
        now: Timestamp,
    ) -> io::Result<()> {
        self.writer.window(&WindowParts {
            start,
            end: now,
            first_image: window.first_image,
            images: &profile.images()[window.first_image.0 as usize..],
            processes: window
                .changed_processes
                .iter()
                .map(|id| (*id, &profile.processes()[id.0 as usize]))
                .collect(),
            counts: &window.counts,
            calls: &[],
            coverage: profile.coverage(),
        })
    }

    /// Writes everything so far, with the names of what was sampled; recording goes on behind it.
    ///
    /// # Errors
    /// Where the file cannot be written; it is as it was then, and a later call writes what is missing.
    pub fn write_names(
        &mut self,
        profile: &mut Profile,
        now: Timestamp,
        names: &[ImageNames],
        packages: &BTreeMap<ImageId, Package>,
    ) -> Result<(), Error> {
        profile.close_window();
        profile.take_renumbered();
        let written = self.rewrite_with(profile, now, names, packages);
        if written.is_err() {
            // The window that was just closed is not in the file.
            self.behind_since.get_or_insert_with(Instant::now);
        }
        written.map(|_| ())
    }

    /// Writes everything so far as one window into a new file, which then takes the place of the old one.
    fn rewrite(&mut self, profile: &Profile, now: Timestamp) -> Result<Appended, Error> {
        self.rewrite_with(profile, now, &[], &BTreeMap::new())
    }

    fn rewrite_with(
        &mut self,
        profile: &Profile,
        now: Timestamp,
        names: &[ImageNames],
        packages: &BTreeMap<ImageId, Package>,
    ) -> Result<Appended, Error> {
        let counts = profile.counts().sorted();
        let window = WindowParts {
            start: self.started,
            end: now,
            first_image: ImageId(0),
            images: profile.images(),
            processes: numbered(profile.processes()),
            counts: &counts,
            calls: &[],
            coverage: profile.coverage(),
        };
        let written = self.replace(|file, run, events| {
            let mut writer = FrameWriter::start(file, run, events)?;
            writer.window(&window)?;
            writer.names(names)?;
            writer.packages(packages)?;
            Ok(writer)
        });
        match written {
            Ok(writer) => {
                self.compact_length = writer.written;
                self.writer = writer;
                self.images_written = profile.images().len();
                self.behind_since = None;
                Ok(Appended::Written)
            }
            Err(error) => {
                // The old file goes on as it was, except where it already lacked a window.
                self.behind_since = self.behind_since.map(|_| Instant::now());
                Err(error)
            }
        }
    }

    /// Lets `write` fill a new file and puts that in the place of the old one.
    fn replace<T>(&self, write: impl FnOnce(File, &Run, &[Event]) -> io::Result<T>) -> Result<T, Error> {
        let place = self.place();
        self.output.check_own(&self.writer.out, &place)?;
        let file = self.output.create_successor()?;
        write(file, &self.run, &self.events)
            .map_err(|error| Error::write(self.output.path(), error))
            .and_then(|written| self.output.succeed(&self.writer.out, &place).map(|()| written))
            .inspect_err(|_| self.output.remove_successor())
    }

    /// Completes the file: `recording` is everything, names and end included.
    ///
    /// # Errors
    /// Where the file cannot be written, with a word on what is left of it.
    pub fn finish(mut self, recording: &Recording) -> Result<(), Unfinished> {
        // As one window it is smaller, and a kernel image that was split shows as it was split only there.
        let replaced = self.replace(|file, _, _| {
            recording.write(io::BufWriter::new(&file))?;
            file.sync_data()
        });
        let Err(error) = replaced else { return Ok(()) };
        // On a full disk the names may still fit behind what is there.
        let can_append = self.behind_since.is_none() && is_at(&self.writer.out, &self.place());
        if can_append && self.append_end(recording) {
            return Ok(());
        }
        let is_left = self.writer.out.metadata().is_ok_and(|metadata| metadata.nlink() > 0);
        Err(Unfinished { error, is_left })
    }

    /// Appends names and end to the windows in the file; false where they do not fit.
    fn append_end(&mut self, recording: &Recording) -> bool {
        let duration = recording.duration.as_nanos() as u64;
        let end = recording.end.unwrap_or(crate::CommandEnd::StillRunning);
        let length = self.writer.written;
        let names = &recording.names[..recording.names.len().min(self.images_written)];
        let mut packages = recording.packages.clone();
        packages.retain(|image, _| (image.0 as usize) < self.images_written);
        let writer = &mut self.writer;
        let appended = writer
            .names(names)
            .and_then(|()| writer.packages(&packages))
            .and_then(|()| writer.end(duration, end));
        if appended.is_err() {
            let _ = self.writer.out.set_len(length);
        }
        appended.is_ok()
    }
}

impl Drop for RecordingFile {
    fn drop(&mut self) {
        if !self.is_published {
            remove(&self.output.prepared());
        }
    }
}
