//! OProfile's sessions as recordings: their sample files, the words for their events, the names of their images.

mod events;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_profile::session::{self, Listing, Problem, SampleFile, SessionDirectory};
use oprof_report::printable;

use crate::speak;

/// Where the images of a session are.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImagePlaces {
    /// Paths are those of a system whose root directory is here; `None`: of this one.
    pub(crate) root: Option<PathBuf>,
}

/// A session that was read.
pub(crate) struct Session {
    /// What it holds, with words and names.
    pub(crate) recording: Recording,
    /// What was left out of it, and why.
    pub(crate) problems: Vec<Problem>,
}

/// Loads the sample files that were chosen from a listing.
pub(crate) fn load<'a>(
    directory: &SessionDirectory,
    listing: &Listing,
    chosen: impl IntoIterator<Item = &'a SampleFile>,
    _places: &ImagePlaces,
) -> Session {
    let session::Loaded { mut recording, cpu_type, event_codes, problems } =
        session::load(chosen, listing, &directory.abi);
    recording.run.version = env!("CARGO_PKG_VERSION").to_owned();
    events::describe(&mut recording, cpu_type, &event_codes);
    Session { recording, problems }
}

/// Opens a recording, or the current session of a session directory; says on stderr what was left out of that.
///
/// # Errors
/// Where it is neither, or has no samples.
pub(crate) fn open(path: &Path, places: &ImagePlaces) -> Result<Recording> {
    if !SessionDirectory::is_one(path) {
        return Ok(Recording::open(path)?);
    }
    let directory = SessionDirectory::open(path)?;
    let listing = directory.list(&["current"])?;
    let Session { recording, problems } = load(&directory, &listing, &listing.files, places);
    tell(&problems);
    if recording.counts.is_empty() {
        bail!("{}: no samples in samples/current; take some with `oprof record`", path.display());
    }
    Ok(recording)
}

/// Says on stderr what was left out, a line each.
pub(crate) fn tell(problems: &[Problem]) {
    for Problem { path, what } in problems {
        speak::line(&format!("{}: {what}; left out", printable(&path.to_string_lossy())));
    }
}
