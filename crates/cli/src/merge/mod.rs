//! `oprof merge`: puts recordings together into one.

mod arguments;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::CommandEnd;
use oprof_profile::recording::{
    LooseRecording, MergeLimits, Merger, WholeFile, is_being_written, read_ahead,
};
use oprof_profile::session::SessionDirectory;
use oprof_report::grouped;

use crate::session::{self, ImagePlaces};
use crate::{archive, report, speak, status};
pub(crate) use arguments::MergeOptions;

/// Merges the recordings that were named.
pub(crate) fn merge(options: &MergeOptions) -> Result<ExitCode> {
    let files = distinct(&options.files);
    check_output(&options.output, &files)?;
    let output = WholeFile::create(&options.output)?;
    let mut merger = Merger::new(MergeLimits::default());
    let mut is_whole = true;
    let read = |path: PathBuf| (open(&path), path);
    for (recording, path) in read_ahead(files, read) {
        let mut loose = match recording {
            Ok(loose) => loose,
            Err(error) => {
                speak::line(&error.to_string());
                is_whole = false;
                continue;
            }
        };
        let samples = loose.samples();
        let recording = &mut loose.recording;
        if let Some(damage) = recording.damage {
            speak::line(&report::damaged(recording, samples, damage, &path));
            is_whole = false;
        }
        is_whole &= recording.coverage.files_left_out == 0;
        if recording.end.is_none() && is_being_written(&path) {
            // It has no end as it goes on.
            recording.end = Some(CommandEnd::NoCommand);
        }
        if recording.is_cut_off() {
            speak::line(&format!(
                "{}: was cut off: {} samples up to its last flush were read, some without names",
                path.display(),
                grouped(samples)
            ));
        }
        if let Err(error) = merger.add(loose) {
            speak::line(&format!("{}: left out: {error}", path.display()));
            is_whole = false;
        }
    }
    let (recordings, is_folded) = (merger.recordings() as u64, merger.has_folded());
    let Some(merged) = merger.finish() else {
        bail!("{}: not written: none of the recordings can be read", options.output.display());
    };
    output.write(&merged)?;
    let samples = report::samples(&merged);
    let recordings = match recordings {
        1 => "1 recording".to_owned(),
        many => format!("{} recordings", grouped(many)),
    };
    let folded = match is_folded {
        true => "; processes that ran the same programs are one, all but the busiest",
        false => "",
    };
    speak::line(&format!(
        "{}: {recordings} with {} samples{folded}",
        options.output.display(),
        grouped(samples)
    ));
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) })
}

/// Reads a recording, or what else there is one in.
fn open(path: &Path) -> Result<LooseRecording> {
    match SessionDirectory::is_one(path) || archive::is_archive(path) {
        true => Ok(session::open(path, &ImagePlaces::default())?.into()),
        false => Ok(LooseRecording::open(path)?),
    }
}

/// The files, each once: who names one twice hardly means to count its samples twice.
fn distinct(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut known = HashSet::new();
    let mut distinct = Vec::with_capacity(files.len());
    for path in files {
        match identity(path) {
            Some(identity) if !known.insert(identity) => {
                speak::line(&format!("{}: named more than once, taken once", path.display()));
            }
            _ => distinct.push(path.clone()),
        }
    }
    distinct
}

/// The output is none of the recordings, nor is what it makes of the name that the one before gets.
fn check_output(output: &Path, files: &[PathBuf]) -> Result<()> {
    let mut older = OsString::from(output);
    older.push(".old");
    let (own, older_own) = (identity(output), identity(Path::new(&older)));
    for path in files {
        match identity(path) {
            Some(file) if own == Some(file) => {
                bail!("{}: is to be merged itself; choose another file with -o", path.display())
            }
            Some(file) if own.is_some() && older_own == Some(file) => bail!(
                "{}: is to be merged, and would be replaced by the {} of before; choose another file with -o",
                path.display(),
                output.display()
            ),
            _ => {}
        }
    }
    Ok(())
}

/// What tells a file from every other, whatever it is called.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
