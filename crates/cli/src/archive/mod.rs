//! `oprof archive`: one file with a recording and what it takes to report and annotate it elsewhere.

mod arguments;
mod create;
mod extract;
mod manifest;
mod member;

use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_report::grouped;
use oprof_symbolizer::DebugDirectories;

use crate::{speak, status};
pub(crate) use arguments::ArchiveOptions;
pub(crate) use extract::make_empty;
pub(crate) use member::is_archive;

/// Makes, lists or unpacks an archive.
pub(crate) fn archive(options: &ArchiveOptions) -> Result<ExitCode> {
    let file = options.file.as_deref().unwrap_or(Path::new("oprof.data"));
    if options.list || options.extract.is_some() {
        check(file)?;
    }
    if options.list {
        let mut out = BufWriter::new(io::stdout().lock());
        extract::list(file, &mut out)?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(directory) = &options.extract {
        let files = extract::extract(file, directory)?;
        speak::line(&format!("{}: {} files", directory.display(), grouped(files)));
        return Ok(ExitCode::SUCCESS);
    }
    let Some(output) = &options.output else { bail!("-o is missing; see oprof archive --help") };
    if is_archive(file) {
        bail!("{}: is an archive already; name a recording", file.display());
    }
    let directories = match &options.root {
        Some(root) => DebugDirectories::below(root),
        None => DebugDirectories::with(options.debug_dir.iter().cloned()),
    };
    let made = create::create(file, output, options.root.as_deref(), &directories)?;
    speak::line(&format!(
        "{}: the recording, {} and {}",
        output.display(),
        counted(made.images, "image"),
        counted(made.debug_files, "debug file")
    ));
    Ok(if made.is_whole { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) })
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", grouped(number as u64)),
    }
}

fn check(file: &Path) -> Result<()> {
    match (is_archive(file), file.try_exists()) {
        (true, _) => Ok(()),
        (false, Ok(false)) => bail!("{}: no such archive; `oprof archive -o` makes one", file.display()),
        (false, _) => bail!("{}: is not an archive of oprof's", file.display()),
    }
}

/// The recording in an archive. Nothing is unpacked but that, and no path in it is used.
///
/// # Errors
/// Where it is no archive of ours, or its recording cannot be read.
pub(crate) fn recording(archive: &Path) -> Result<Recording> {
    member::find(archive, member::RECORDING, |content| Ok(Recording::read(BufReader::new(content), archive)?))
}
