//! Fetches debug files by build id from the servers of distributions: debuginfod(8).
//!
//! Only who makes a [`Debuginfod`] and has it fetch uses the network. What comes is checked to have the build id that
//! was asked for, and put where elfutils' clients (gdb, perf, `debuginfod-find`) look for it and leave theirs.

mod agent;
mod download;
mod settings;
mod store;

use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::FileKind;
use oprof_profile::BuildId;
use ureq::Agent;

use crate::budget::Budget;
use crate::build_id::has_build_id;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;
use crate::resolve::Symbolizer;
use download::Failure;
pub use settings::{DebuginfodSettings, NoDebuginfod};
use store::{Known, Store};

/// The name of a debug file in the folder of its build id.
pub(crate) const FETCHED_NAME: &str = "debuginfo";

/// The files that are fetched at the same time.
const AT_ONCE: usize = 4;

/// A client of debuginfod.
#[derive(Debug)]
pub struct Debuginfod {
    settings: DebuginfodSettings,
    store: Store,
}

/// Who waits for files.
pub trait Watch: Sync {
    /// Told whenever something has come.
    fn progress(&self, progress: Progress);

    /// Whether to give up; asked some twenty times a second.
    fn is_cancelled(&self) -> bool;
}

/// How far fetching has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The files that are done with: here, or not to be had.
    pub done: usize,
    /// All files that are asked for.
    pub files: usize,
    /// What has come so far, in bytes.
    pub bytes: u64,
}

/// What fetching came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// The files that came.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Those that no server has.
    pub missing: usize,
    /// What went wrong, a sentence each with the address first.
    pub failures: Vec<String>,
    /// Whether it was given up.
    pub cancelled: bool,
}

impl Debuginfod {
    /// A client with these settings. The directory is made if it is not there.
    ///
    /// # Errors
    ///
    /// Those of the system; [`io::ErrorKind::PermissionDenied`] where others may write in the directory, or it or what
    /// it is in belongs to another user.
    pub fn create(settings: DebuginfodSettings) -> io::Result<Debuginfod> {
        let store = Store::create(&settings.directory)?;
        Ok(Debuginfod { settings, store })
    }

    /// The directory for what is fetched.
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Fetches the debug files of these build ids, but for those that are there, and those that no server had a moment
    /// ago.
    pub fn fetch(&self, ids: &[BuildId], watch: &dyn Watch) -> Fetched {
        self.store.clean();
        let unknown: Vec<&BuildId> = ids.iter().filter(|id| self.store.known(id) == Known::Nothing).collect();
        if unknown.is_empty() {
            return Fetched::default();
        }
        let agent = agent::agent(&self.settings);
        let progress = Mutex::new(Progress { files: unknown.len(), ..Progress::default() });
        let came = |done: usize, bytes: u64| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.done += done;
            progress.bytes += bytes;
            watch.progress(*progress);
        };
        came(0, 0);
        let fetched = Mutex::new(Fetched::default());
        let is_silent: Vec<AtomicBool> =
            self.settings.servers.iter().map(|_| AtomicBool::new(false)).collect();
        let unasked = AtomicUsize::new(0);
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(id) = unknown.get(next.fetch_add(1, Ordering::Relaxed)) {
                let end =
                    self.fetch_one(&agent, id, &is_silent, &|bytes| came(0, bytes), &|| watch.is_cancelled());
                came(1, 0);
                let mut fetched = fetched.lock().unwrap_or_else(PoisonError::into_inner);
                match end {
                    Ok(bytes) => {
                        fetched.files += 1;
                        fetched.bytes += bytes;
                    }
                    Err(End::Missing) => fetched.missing += 1,
                    Err(End::Failed(why)) => fetched.failures.push(why),
                    Err(End::Cancelled) => fetched.cancelled = true,
                    Err(End::Unasked) => _ = unasked.fetch_add(1, Ordering::Relaxed),
                }
            }
        };
        thread::scope(|scope| (0..AT_ONCE.min(unknown.len())).for_each(|_| _ = scope.spawn(work)));
        let mut fetched = fetched.into_inner().unwrap_or_else(PoisonError::into_inner);
        let unasked = unasked.into_inner();
        if unasked > 0 {
            fetched.failures.push(format!("{unasked} more not asked for, as no server answers"));
        }
        fetched
    }

    /// Fetches one file from the first server that has it; its size in bytes. A server that does not answer is not asked
    /// again (`is_silent`, for each): a build has hundreds of images.
    fn fetch_one(
        &self,
        agent: &Agent,
        id: &BuildId,
        is_silent: &[AtomicBool],
        progress: &dyn Fn(u64),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<u64, End> {
        let (mut failed, mut is_asked) = (None, false);
        for (server, is_silent) in self.settings.servers.iter().zip(is_silent) {
            if is_silent.load(Ordering::Relaxed) {
                continue;
            }
            is_asked = true;
            let url = url(server, id);
            for attempt in 1..=self.settings.attempts {
                let why = match self.fetch_url(agent, &url, id, progress, is_cancelled) {
                    Ok(bytes) => return Ok(bytes),
                    Err(Failure::Cancelled) => return Err(End::Cancelled),
                    Err(Failure::NotFound) => break,
                    Err(Failure::Connection(_)) if attempt < self.settings.attempts => continue,
                    Err(Failure::Connection(why) | Failure::Silent(why)) => {
                        is_silent.store(true, Ordering::Relaxed);
                        why
                    }
                    Err(Failure::Answer(why)) => why,
                };
                failed = Some(format!("{url}: {why}"));
                break;
            }
        }
        match failed {
            None if !is_asked => Err(End::Unasked),
            // What another server has is not known to be missing.
            Some(why) => Err(End::Failed(why)),
            None => {
                // If it cannot be noted, it is asked for again.
                let _ = self.store.note_missing(id);
                Err(End::Missing)
            }
        }
    }

    fn fetch_url(
        &self,
        agent: &Agent,
        url: &str,
        id: &BuildId,
        progress: &dyn Fn(u64),
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<u64, Failure> {
        let not_kept = |error: io::Error| Failure::Answer(format!("not kept: {error}"));
        let place = self.store.place(id).map_err(not_kept)?;
        let mut unfinished = place.begin().map_err(not_kept)?;
        let bytes =
            download::fetch(agent, url, &self.settings, &mut unfinished.file, progress, is_cancelled)?;
        if !has_build_id(&unfinished.file, id) {
            return Err(Failure::Answer("what came has another build id".to_owned()));
        }
        // As elfutils has it.
        unfinished.file.set_permissions(PermissionsExt::from_mode(0o400)).map_err(not_kept)?;
        unfinished.finish(FETCHED_NAME.as_ref()).map_err(not_kept)?;
        Ok(bytes)
    }
}

/// Why there is no file of a build id.
enum End {
    Missing,
    Failed(String),
    /// All servers are silent.
    Unasked,
    Cancelled,
}

/// Where a server has a debug file.
fn url(server: &str, id: &BuildId) -> String {
    format!("{}/buildid/{id}/{FETCHED_NAME}", server.trim_end_matches('/'))
}

impl Symbolizer {
    /// The build id of an image (`path` being where it was mapped from) that was stripped of its debugging information,
    /// and of which no debug file is found on this machine; of one whose debug file refers to another that is not
    /// there, that one's. `None` where nothing is missing, or nothing tells what.
    pub fn missing_debug_file(&self, path: Option<&Path>, file: &File) -> Option<BuildId> {
        let budget = Budget::new();
        let bytes = FileBytes::new(file, &budget);
        match FileKind::parse(&bytes).ok()? {
            FileKind::Elf32 => self.missing_of_class::<FileHeader32<Endianness>>(path, &bytes),
            FileKind::Elf64 => self.missing_of_class::<FileHeader64<Endianness>>(path, &bytes),
            _ => None,
        }
    }

    fn missing_of_class<H: Class>(&self, path: Option<&Path>, bytes: &FileBytes<'_>) -> Option<BuildId> {
        let image = Elf::<H, _>::parse(bytes).ok()?;
        if image.has_debugging() {
            return self.directories.missing_supplementary(&image, path);
        }
        let Some(debug) = self.directories.find(&image, path) else { return image.build_id() };
        store::note_use(&debug.file);
        let budget = Budget::new();
        let bytes = FileBytes::new(&debug.file, &budget);
        self.directories.missing_supplementary(&Elf::<H, _>::parse(&bytes).ok()?, Some(&debug.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_of_server_and_build_id() {
        let id = BuildId::new(&[0x12, 0xab]).unwrap();
        let expected = "https://example.org/x/buildid/12ab/debuginfo";
        assert_eq!(url("https://example.org/x", &id), expected);
        assert_eq!(url("https://example.org/x/", &id), expected);
    }
}
