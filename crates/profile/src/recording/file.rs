//! The file of a recording while it is being made.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::write::{FrameWriter, WindowParts, numbered};
use super::{Error, Recording, frame};
use crate::profile::Window;
use crate::{Event, ImageId, Profile, Run, Timestamp};

/// A recording is written anew, as one window, when it has grown to this many times what that took last time.
const COMPACT_AT_GROWTH: u64 = 4;
/// Below this many bytes it is not worth it.
const COMPACT_FROM: u64 = 2 << 20;
/// How long to leave a full disk alone before the next try.
const RETRY: Duration = Duration::from_secs(3);

/// The file of a recording while it is being made.
///
/// It is written under a temporary name until [`RecordingFile::publish`] puts it in its place, so that a run
/// that fails at its start leaves an existing recording alone. From then on the file is readable at any time.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    /// Where it is now, until it is published.
    temporary: Option<PathBuf>,
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

impl RecordingFile {
    /// Creates the file, of mode 0600, under a temporary name beside `path`.
    ///
    /// # Errors
    /// Where the directory is missing or cannot be written, or where `path` (or the name that an older
    /// recording would get) is taken by something that is not a recording.
    pub fn create(
        path: &Path,
        run: Run,
        events: Vec<Event>,
        started: Timestamp,
    ) -> Result<RecordingFile, Error> {
        let directory = directory_of(path);
        if !directory.is_dir() {
            return Err(Error::NoDirectory(directory.to_owned()));
        }
        for taken in [path, &older_name(path)] {
            if !is_free_or_recording(taken)? {
                return Err(Error::WouldReplace(taken.to_owned()));
            }
        }
        let (temporary, file) = create_beside(path)?;
        let writer = FrameWriter::start(file, &run, &events).map_err(|error| {
            remove(&temporary);
            Error::write(path, error)
        })?;
        let compact_length = writer.written;
        Ok(RecordingFile {
            path: path.to_owned(),
            temporary: Some(temporary),
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

    /// Puts the file in its place. A recording that is there is kept, as the same name with `.old` behind it.
    ///
    /// # Errors
    /// Where a file cannot be renamed.
    pub fn publish(&mut self) -> Result<(), Error> {
        let Some(temporary) = self.temporary.take() else { return Ok(()) };
        let failed = |error| Error::write(&self.path, error);
        // Once more, right before it counts: the command may have been started long after `create`.
        if !is_free_or_recording(&self.path)? {
            remove(&temporary);
            return Err(Error::WouldReplace(self.path.clone()));
        }
        match fs::rename(&self.path, older_name(&self.path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                remove(&temporary);
                return Err(failed(error));
            }
            _ => {}
        }
        fs::rename(&temporary, &self.path).map_err(failed)
    }

    /// Ends the profile's window and appends what it added.
    ///
    /// # Errors
    /// Where the file cannot be written, a full disk for example. Nothing is lost by that: the profile keeps
    /// everything, and a later call writes it.
    pub fn append(&mut self, profile: &mut Profile, start: Timestamp, now: Timestamp) -> Result<(), Error> {
        let window = profile.close_window();
        if let Some(since) = self.behind_since {
            if since.elapsed() < RETRY {
                return Ok(());
            }
            return self.rewrite(profile, now);
        }
        let length = self.writer.written;
        if let Err(error) = self.append_window(profile, &window, start, now) {
            // Half a frame would hide all that follows it.
            let _ = self.writer.out.set_len(length);
            self.writer.written = length;
            self.behind_since = Some(Instant::now());
            return Err(Error::write(&self.path, error));
        }
        self.images_written = profile.images().len();
        if let Some(syncer) = &self.syncer {
            syncer.sync(&self.writer.out);
        }
        if self.writer.written > COMPACT_FROM.max(self.compact_length * COMPACT_AT_GROWTH) {
            self.rewrite(profile, now)?;
        }
        Ok(())
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
            coverage: profile.coverage(),
        })
    }

    /// Writes everything so far as one window into a new file, which then takes the place of the old one.
    fn rewrite(&mut self, profile: &Profile, now: Timestamp) -> Result<(), Error> {
        let counts = profile.counts().sorted();
        let window = WindowParts {
            start: self.started,
            end: now,
            first_image: ImageId(0),
            images: profile.images(),
            processes: numbered(profile.processes()),
            counts: &counts,
            coverage: profile.coverage(),
        };
        let written = self.replace(|file, run, events| {
            let mut writer = FrameWriter::start(file, run, events)?;
            writer.window(&window)?;
            Ok(writer)
        });
        match written {
            Ok(writer) => {
                self.compact_length = writer.written;
                self.writer = writer;
                self.images_written = profile.images().len();
                self.behind_since = None;
                Ok(())
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
        let place = self.temporary.as_ref().unwrap_or(&self.path);
        if !is_free_or_recording(place)? {
            // Somebody has put something else there since.
            return Err(Error::WouldReplace(place.clone()));
        }
        let (temporary, file) = create_beside(&self.path)?;
        let written = write(file, &self.run, &self.events).and_then(|written| {
            fs::rename(&temporary, place)?;
            Ok(written)
        });
        written.map_err(|error| {
            remove(&temporary);
            Error::write(&self.path, error)
        })
    }

    /// Completes the file: `recording` is everything, names and end included.
    ///
    /// # Errors
    /// Where the file cannot be written. It then still holds what was appended before.
    pub fn finish(mut self, recording: &Recording) -> Result<(), Error> {
        let duration = recording.duration.as_nanos() as u64;
        let end = recording.end.unwrap_or(crate::CommandEnd::StillRunning);
        // As one window it is smaller, and a kernel image that was split shows as it was split only there.
        let replaced = self.replace(|file, _, _| {
            recording.write(io::BufWriter::new(&file))?;
            file.sync_data()
        });
        match replaced {
            Ok(()) => Ok(()),
            // On a full disk the names may still fit behind what is there.
            Err(error @ Error::Write { .. }) if self.behind_since.is_none() => {
                let length = self.writer.written;
                let names = &recording.names[..recording.names.len().min(self.images_written)];
                let appended = self.writer.names(names).and_then(|()| self.writer.end(duration, end));
                appended.map_err(|_| {
                    let _ = self.writer.out.set_len(length);
                    error
                })
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for RecordingFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            remove(temporary);
        }
    }
}

/// Brings what was written to the disk, beside the recorder, which must not wait for a disk while buffers fill.
#[derive(Debug)]
struct Syncer {
    files: Option<SyncSender<File>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Without a thread a recording survives a kill of the recorder, though not a power cut.
    fn start() -> Option<Syncer> {
        let (files, received) = sync_channel::<File>(1);
        let run = move || {
            for file in received {
                let _ = file.sync_data();
            }
        };
        let thread = std::thread::Builder::new().name("sync".to_owned()).spawn(run).ok()?;
        Some(Syncer { files: Some(files), thread: Some(thread) })
    }

    fn sync(&self, file: &File) {
        if let (Some(files), Ok(file)) = (&self.files, file.try_clone()) {
            // Where the last one is still under way, the next will do.
            let _ = files.try_send(file);
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        drop(self.files.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// `oprof.data.old` for `oprof.data`.
fn older_name(path: &Path) -> PathBuf {
    with_suffix(path, ".old")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) {
    // It is a file of our own under a temporary name: where it cannot be removed, nobody is harmed.
    let _ = fs::remove_file(path);
}

/// Nothing has this name, or a recording has it. Links are not followed.
fn is_free_or_recording(path: &Path) -> Result<bool, Error> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(Error::write(path, error)),
    };
    if !metadata.is_file() {
        return Ok(false);
    }
    if metadata.len() == 0 {
        return Ok(true);
    }
    let mut magic = [0; frame::MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    Ok(read.is_ok() && magic == frame::MAGIC)
}

/// Creates a file of mode 0600 under a name of its own in the directory of `path`.
fn create_beside(path: &Path) -> Result<(PathBuf, File), Error> {
    for attempt in 0..100_u32 {
        let temporary = with_suffix(path, &format!(".{}-{attempt}.tmp", std::process::id()));
        // Exclusive creation follows no symbolic link and opens nothing that exists (open(2), O_EXCL).
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::write(path, error)),
        }
    }
    Err(Error::write(path, io::ErrorKind::AlreadyExists.into()))
}
