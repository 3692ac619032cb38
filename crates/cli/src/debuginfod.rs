//! Fetches debug files for what was sampled, where the user asks for it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};
use oprof_profile::BuildId;
use oprof_report::counted;
use oprof_symbolizer::{Debuginfod, DebuginfodSettings, Fetched, NoDebuginfod, Progress, Symbolizer, Watch};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::arguments::RecordOptions;
use crate::config::Config;
use crate::user_directory::user_directory;
use crate::{size, speak};

/// A debug file can refer to another; that one refers to none.
const ROUNDS: usize = 2;

/// The client, and how much it is to say.
pub(crate) struct Client {
    pub(crate) debuginfod: Debuginfod,
    shows_progress: bool,
    quiet: bool,
    verbose: bool,
}

/// The client, where options or configuration ask for it.
///
/// # Errors
///
/// The configuration cannot be read; or an option asks for it, and there is no server or no directory.
pub(crate) fn client(options: &RecordOptions) -> Result<Option<Client>> {
    let configured = Config::read()?.debuginfod;
    if !options.debuginfod && !configured {
        return Ok(None);
    }
    let directory = user_directory("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("debuginfod_client"));
    let settings = match DebuginfodSettings::from_environment(|name| std::env::var_os(name), directory) {
        Ok(settings) => settings,
        // So it is turned off for once.
        Err(NoDebuginfod::NoServer) if !options.debuginfod => return Ok(None),
        Err(NoDebuginfod::NoServer) => bail!(
            "--debuginfod: DEBUGINFOD_URLS names no server; `export DEBUGINFOD_URLS=https://debuginfod.elfutils.org` \
             names one that asks those of most distributions"
        ),
        Err(_) => bail!(
            "--debuginfod: there is no directory for what is fetched: DEBUGINFOD_CACHE_PATH, XDG_CACHE_HOME or HOME \
             must be an absolute path"
        ),
    };
    let shows_progress = settings.progress || (!options.quiet && std::io::stderr().is_terminal());
    let verbose = options.verbose || settings.verbose;
    let directory = settings.directory().to_owned();
    match Debuginfod::create(settings) {
        Ok(debuginfod) => Ok(Some(Client { debuginfod, shows_progress, quiet: options.quiet, verbose })),
        Err(error) => bail!(
            "debuginfod: {}: {error}; DEBUGINFOD_CACHE_PATH can name another directory",
            directory.display()
        ),
    }
}

impl Client {
    /// Fetches what is missing of `images` (where each was mapped from, and its file), until an interrupt.
    pub(crate) fn fetch(&self, images: &[(&Path, &File)], symbolizer: &Symbolizer) {
        let watcher = Watcher::new(self.shows_progress);
        let mut asked: HashSet<BuildId> = HashSet::new();
        for _ in 0..ROUNDS {
            let missing =
                images.iter().filter_map(|(path, file)| symbolizer.missing_debug_file(Some(path), file));
            let ids: Vec<BuildId> = missing.filter(|id| asked.insert(*id)).collect();
            if ids.is_empty() || watcher.is_cancelled() {
                break;
            }
            let fetched = self.debuginfod.fetch(&ids, &watcher);
            watcher.end();
            self.tell(&fetched);
        }
    }

    fn tell(&self, fetched: &Fetched) {
        if self.quiet {
            return;
        }
        if fetched.files > 0 {
            let files = counted(fetched.files as u64, "debug file", "debug files");
            speak::line(&format!("debuginfod: {files} fetched ({})", size::shown(fetched.bytes)));
        }
        if fetched.missing > 0 && self.verbose {
            let files = counted(fetched.missing as u64, "debug file", "debug files");
            speak::line(&format!("debuginfod: no server has {files}"));
        }
        if fetched.cancelled {
            speak::line("debuginfod: interrupted; names are those that are here");
        }
        let said = if self.verbose { fetched.failures.len() } else { 1 };
        fetched.failures.iter().take(said).for_each(|why| speak::line(&format!("debuginfod: {why}")));
        if let Some(more) = fetched.failures.len().checked_sub(said).filter(|more| *more > 0) {
            speak::line(&format!(
                "debuginfod: and {} (-v tells)",
                counted(more as u64, "more failure", "more failures")
            ));
        }
    }
}

/// Shows progress, and gives up at an interrupt.
struct Watcher {
    shows_progress: bool,
    interrupted: Arc<AtomicBool>,
    registered: Vec<signal_hook::SigId>,
}

impl Watcher {
    fn new(shows_progress: bool) -> Watcher {
        let interrupted = Arc::new(AtomicBool::new(false));
        let register = |signal| signal_hook::flag::register(signal, Arc::clone(&interrupted)).ok();
        let registered = [SIGINT, SIGTERM].into_iter().filter_map(register).collect();
        Watcher { shows_progress, interrupted, registered }
    }

    /// Clears the line.
    fn end(&self) {
        if self.shows_progress {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Watch for Watcher {
    fn progress(&self, progress: Progress) {
        if self.shows_progress {
            let Progress { done, files, bytes, .. } = progress;
            let shown = size::shown(bytes);
            let _ = write!(std::io::stderr(), "\roprof: debuginfod: {done} of {files} files, {shown}\x1b[K");
        }
    }

    fn is_cancelled(&self) -> bool {
        // Nothing else is passed on with it.
        self.interrupted.load(Ordering::Relaxed)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}
