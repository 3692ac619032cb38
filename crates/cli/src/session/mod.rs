//! OProfile's sessions as recordings: their sample files, the words for their events, the names of their images.

mod code;
mod events;
mod image_file;
mod names;

use std::io::Read;
use std::path::Path;

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_profile::session::{self, Listing, Problem, SampleFile, SessionDirectory};
use oprof_report::printable;

use crate::{archive, speak};
pub(crate) use code::code;
pub(crate) use image_file::{ImageFiles, ImagePlaces, Names, NoFile};

/// A session that was read.
pub(crate) struct Session {
    /// What it holds, with words and names.
    pub(crate) recording: Recording,
    /// What was left out of it, and why.
    pub(crate) problems: Vec<Problem>,
    /// What the user should know of its images, a line each.
    pub(crate) warnings: Vec<String>,
}

impl Session {
    /// Says on stderr what was left out and what is to be known of images, a line each.
    pub(crate) fn tell(&self) {
        for Problem { path, what } in &self.problems {
            speak::once(&format!("{}: {what}; left out", printable(&path.to_string_lossy())));
        }
        self.warnings.iter().for_each(|warning| speak::once(warning));
    }
}

/// Loads the sample files that were chosen from a listing.
pub(crate) fn load<'a>(
    directory: &SessionDirectory,
    listing: &Listing,
    chosen: impl IntoIterator<Item = &'a SampleFile>,
    places: &ImagePlaces,
) -> Session {
    let session::Loaded { mut recording, cpu_type, event_codes, problems } =
        session::load(chosen, listing, &directory.abi);
    recording.run.version = env!("CARGO_PKG_VERSION").to_owned();
    events::describe(&mut recording, cpu_type, &event_codes);
    // What oparchive made is a root directory of its own.
    let in_archive = directory.archive.as_ref().filter(|_| places.root.is_none());
    let warnings = match in_archive {
        Some(archive) => {
            let places = ImagePlaces { root: Some(archive.clone()), ..places.clone() };
            names::name(&mut recording, &listing.jit_images, &places)
        }
        None => names::name(&mut recording, &listing.jit_images, places),
    };
    Session { recording, problems, warnings }
}

/// Opens a recording, that in an archive, or the current session of a session directory; says on stderr what was left out of that.
///
/// # Errors
/// Where it is neither, or has no samples.
pub(crate) fn open(path: &Path, places: &ImagePlaces) -> Result<Recording> {
    if archive::is_archive(path) {
        return archive::recording(path);
    }
    if !SessionDirectory::is_one(path) {
        return Ok(Recording::open(path)?);
    }
    let directory = SessionDirectory::open(path)?;
    let listing = directory.list(&["current"])?;
    let session = load(&directory, &listing, &listing.files, places);
    session.tell();
    let recording = session.recording;
    if recording.counts.is_empty() {
        bail!("{}", without_samples(&directory, &listing));
    }
    Ok(recording)
}

/// What is said of sessions without samples, and what can be done about it.
pub(crate) fn without_samples(directory: &SessionDirectory, listing: &Listing) -> String {
    let path = directory.path.display();
    if !listing.files.is_empty() {
        return format!(
            "{path}: none of its sample files can be read; copy them again, or take samples again"
        );
    }
    let others = directory.sessions().unwrap_or_default();
    let is_listed = |name: &String| listing.sessions.contains(&directory.session_path(name));
    let others: Vec<String> = others.into_iter().filter(|name| !is_listed(name)).collect();
    match others.as_slice() {
        [] => format!("{path}: there are no samples in it; take some with `oprof record COMMAND`"),
        names => format!("{path}: there are no samples in it; it has other sessions: {}", names.join(", ")),
    }
}

/// A file begins as OProfile's sample files do.
pub(crate) fn is_sample_file(path: &Path) -> bool {
    let mut start = Vec::new();
    let file = oprof_profile::open_regular(path);
    file.is_some_and(|file| file.take(4).read_to_end(&mut start).is_ok()) && start == *b"DAE\n"
}
