//! `oprof import`: makes a recording of a session of OProfile's, with the names of its code.

mod arguments;

use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::recording::WholeFile;
use oprof_profile::session::SessionDirectory;
use oprof_report::grouped;

use crate::session::{self, ImagePlaces, Names};
use crate::{speak, status};
pub(crate) use arguments::ImportOptions;

/// Imports the sessions that were named.
pub(crate) fn import(options: &ImportOptions) -> Result<ExitCode> {
    let directory = SessionDirectory::open(&options.directory)?;
    let listing = directory.list(&options.session)?;
    let output = WholeFile::create(&options.output)?;
    let places = ImagePlaces {
        root: options.root.clone(),
        search: options.image_path.clone(),
        names: Names::Lines,
        ..ImagePlaces::default()
    };
    let session = session::load(&directory, &listing, &listing.files, &places);
    session.tell();
    let recording = &session.recording;
    if recording.counts.is_empty() {
        bail!(
            "{}: not written: {}",
            options.output.display(),
            session::without_samples(&directory, &listing)
        );
    }
    output.write(recording)?;
    let samples = recording.counts.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(count.samples));
    let left_out = session.problems.len() as u64;
    let read = listing.files.len() + listing.problems.len() - session.problems.len();
    let left_out = if left_out == 0 { String::new() } else { format!("; {} left out", grouped(left_out)) };
    speak::line(&format!(
        "{}: {} samples of {} sample files{left_out}",
        options.output.display(),
        grouped(samples),
        grouped(read as u64)
    ));
    Ok(if session.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) })
}
