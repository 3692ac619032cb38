//! The kernel's static tracepoints, from tracefs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::config::{EventConfig, EventKind, TYPE_TRACEPOINT};
use crate::unprintable::is_unprintable;
use crate::{Error, System, kernel_file, suggest};

/// Longest list of tracepoints that is read, in bytes; kernels have some sixty thousand.
const MAX_NAMES_BYTES: u64 = 4 << 20;

impl System {
    /// The tracepoint of this subsystem and name, in any case.
    pub(crate) fn tracepoint(&self, event: &str, subsystem: &str, name: &str) -> Result<EventConfig, Error> {
        let (events, subsystems) = self.subsystems(event)?;
        let unknown = || {
            let near = self.tracepoints().into_iter().map(|(_, name)| name);
            let suggestions = suggest::closest(&format!("{subsystem}:{name}"), near);
            Error::UnknownTracepoint { event: event.to_owned(), suggestions }
        };
        let subsystem = kernel_file::pick(&subsystems, subsystem).ok_or_else(unknown)?;
        let directory = events.join(subsystem);
        let names = kernel_file::names(&directory).map_err(|error| tracefs(event, &directory, &error))?;
        let name = kernel_file::pick(&names, name).ok_or_else(unknown)?;
        let path = directory.join(name).join("id");
        let text = match kernel_file::read(&path) {
            Ok(text) => text,
            // Control files such as `enable` are no tracepoints; those of the kernel's own `ftrace` have no id either.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(unknown());
            }
            Err(error) => return Err(tracefs(event, &path, &error)),
        };
        let id = text.trim().parse().map_err(|_| Error::Tracefs {
            event: event.to_owned(),
            path: path.clone(),
            reason: "it does not hold a number".to_owned(),
        })?;
        let full_name = format!("{subsystem}:{name}");
        // Tracepoints are rare enough to be sampled one by one.
        Ok(EventConfig {
            default_count: 1,
            min_count: 1,
            ..EventConfig::new(&full_name, EventKind::Tracepoint, TYPE_TRACEPOINT, id)
        })
    }

    /// All tracepoints as (subsystem, `subsystem:name`), sorted; empty where tracefs cannot be read. The kernel has their
    /// names in one file; to look into thousands of directories would take longer than all the rest of a list.
    pub(crate) fn tracepoints(&self) -> Vec<(String, String)> {
        let read =
            |root: &Path| kernel_file::read_up_to(&root.join("available_events"), MAX_NAMES_BYTES).ok();
        let Some(text) = self.tracefs().find_map(read) else { return Vec::new() };
        let is_plain = |name: &&str| !name.contains(|c: char| is_unprintable(c) || c.is_whitespace());
        let names = text.lines().filter(is_plain);
        let mut names: Vec<_> =
            names.filter_map(|name| Some((name.split_once(':')?.0.to_owned(), name.to_owned()))).collect();
        names.sort_unstable();
        names
    }

    /// The directory of tracepoints and the names in it.
    fn subsystems(&self, event: &str) -> Result<(PathBuf, Vec<String>), Error> {
        let mut first_failure = None;
        for tracefs_root in self.tracefs() {
            let events = tracefs_root.join("events");
            match kernel_file::names(&events) {
                Ok(names) => return Ok((events, names)),
                Err(error) => _ = first_failure.get_or_insert(tracefs(event, &events, &error)),
            }
        }
        Err(first_failure.unwrap_or_else(|| Error::Tracefs {
            event: event.to_owned(),
            path: PathBuf::new(),
            reason: "no place for tracefs is known".to_owned(),
        }))
    }
}

fn tracefs(event: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::Tracefs { event: event.to_owned(), path: path.to_owned(), reason: error.to_string() }
}
