//! `oparchive`: copies a session with its images and debug files into a directory, by OProfile's options.

mod arguments;
mod contents;

use std::fs::{self, DirBuilder};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use oprof_profile::open_regular;
use oprof_profile::specification::Specification;
use oprof_report::{grouped, printable};

use crate::{archive, oprofile_tool, own_file, sampled_profile, speak, status};
use arguments::OparchiveOptions;
use contents::{Contents, Piece};

/// Where the samples of a session are that needs no word about it.
const STANDARD: &str = "/var/lib/oprofile";

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OparchiveOptions = match oprofile_tool::options("oparchive") {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.reading.print_usage::<OparchiveOptions>() {
        return ExitCode::SUCCESS;
    }
    oparchive(&options).unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

fn oparchive(options: &OparchiveOptions) -> Result<ExitCode> {
    let specification = Specification::parse(&options.profiles)
        .map_err(|error| anyhow!("{}", printable(&error.to_string())))?;
    let files = sampled_profile::choose(&specification, &options.reading, "oprof archive packs those")?;
    let contents = Contents::new(&files, options.exclude_dependent);
    if files.directory.path != Path::new(STANDARD) {
        speak::line(&format!(
            "{}: is the session; in an archive it is in {STANDARD}",
            files.directory.path.display()
        ));
    }
    contents.left_out.iter().for_each(|line| speak::line(line));
    for problem in &files.listing.problems {
        speak::line(&format!("{}: {}; left out", problem.path.display(), problem.what));
    }
    let mut is_whole = !contents.is_incomplete && files.listing.problems.is_empty();
    if options.list_files {
        let mut out = BufWriter::new(io::stdout().lock());
        for piece in &contents.pieces {
            writeln!(out, "{}", printable(&piece.shown.to_string_lossy()))?;
        }
        out.flush()?;
    } else if let Some(directory) = &options.output_directory {
        archive::make_empty(directory)?;
        is_whole &= copy_all(&contents.pieces, directory)?;
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) })
}

/// Copies everything; gives whether all of it could be read.
fn copy_all(pieces: &[Piece], directory: &Path) -> Result<bool> {
    let mut is_whole = true;
    let mut copied = 0;
    for piece in pieces {
        match copy(piece, directory)? {
            true => copied += 1,
            false => {
                speak::line(&format!("{}: cannot be read; left out", piece.from.display()));
                is_whole = false;
            }
        }
    }
    speak::line(&format!("{}: {} files", directory.display(), grouped(copied)));
    Ok(is_whole)
}

/// Copies a file with the time of its last change, by which reports know it; false where it cannot be read.
fn copy(piece: &Piece, directory: &Path) -> Result<bool> {
    let Some(mut from) = open_regular(&piece.from) else { return Ok(false) };
    let path = directory.join(&piece.to);
    let failed = |error: io::Error| {
        let cure = if error.kind() == io::ErrorKind::StorageFull { "; free some space there" } else { "" };
        anyhow!("{}: cannot be written: {error}{cure}", path.display())
    };
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let mut to = own_file::open_options().write(true).create_new(true).open(&path).map_err(failed)?;
    let copied = io::copy(&mut from, &mut to).and_then(|_| match from.metadata()?.modified() {
        Ok(time) => to.set_modified(time),
        Err(_) => Ok(()),
    });
    copied.map_err(|error| {
        // No half file.
        let _ = fs::remove_file(&path);
        failed(error)
    })?;
    Ok(true)
}
