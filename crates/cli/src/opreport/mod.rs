//! `opreport`: reports over a session of the daemon, by OProfile's options and in its layouts.

mod arguments;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_profile::recording::is_being_written;
use oprof_report::Options;
use oprof_report::render::{opreport_summary, opreport_symbols};

use crate::session_directory::SessionDirectory;
use crate::stat::Output;
use crate::{oprofile_tool, speak, status, usage_error};
use arguments::{NOT_YET, OpreportOptions};

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let mistake = |error: &clap::Error| not_yet().unwrap_or_else(|| usage_error::line(error, "opreport"));
    let options: OpreportOptions = match oprofile_tool::options_or(mistake) {
        Ok(options) => options,
        Err(status) => return status,
    };
    match opreport(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => status::of_error(&error, status::FAILED),
    }
}

/// What was asked for is OProfile's, and not there yet.
fn not_yet() -> Option<String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (option, what) =
        NOT_YET.iter().find(|(option, _)| arguments.iter().any(|argument| argument == option))?;
    Some(format!("{option}: {what} cannot be printed yet; see opreport --help and oprof report --help"))
}

fn opreport(options: &OpreportOptions) -> Result<()> {
    let recording = load(options)?;
    let style = Options {
        threshold: options.threshold,
        no_header: options.no_header,
        long_names: options.long_filenames,
        global_percent: options.global_percent,
        lines: options.debug_info,
        name_style: options.demangle,
        ..Options::default()
    };
    let print = |mut out: &mut dyn Write| match options.symbols {
        true => opreport_symbols(&recording, &style, &mut out),
        false => opreport_summary(&recording, &style, &mut out),
    };
    match &options.output_file {
        Some(path) => {
            let mut output = Output::open(Some(path))?;
            output.begin()?;
            output.write(|out| print(out))?;
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            print(&mut out).and_then(|()| out.flush())?;
        }
    }
    oprof_report::coverage_lines(&recording).iter().for_each(|line| speak::line(line));
    if options.common.verbose {
        oprof_report::notes(&recording).iter().for_each(|note| speak::line(note));
    }
    Ok(())
}

/// All that was asked for, put together.
fn load(options: &OpreportOptions) -> Result<Recording> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let session = || SessionDirectory::new(options.common.session_dir.as_deref());
    for profile in &options.profiles {
        match profile.strip_prefix("session:") {
            Some(names) => {
                let session = session()?;
                session.check()?;
                for name in names.split(',') {
                    paths.extend(session.recordings(Some(name).filter(|name| *name != "current"))?);
                }
            }
            None if Path::new(profile).is_file() => paths.push(PathBuf::from(profile)),
            None => bail!(
                "{}: is no recording; name one, or session:NAME; images are chosen by `oprof report` and grep",
                oprof_report::printable(profile)
            ),
        }
    }
    if options.profiles.is_empty() {
        let session = session()?;
        session.check()?;
        paths = session.recordings(None)?;
    }
    let mut all: Option<Recording> = None;
    for path in &paths {
        let mut recording = Recording::open(path)?;
        if let Some(damage) = recording.damage {
            speak::line(&format!("{}: damaged at byte {} ({})", path.display(), damage.offset, damage.what));
        }
        if recording.end.is_none() && is_being_written(path) {
            // It has no end as it goes on.
            recording.end = Some(oprof_profile::CommandEnd::NoCommand);
        }
        match &mut all {
            Some(all) => all.merge(recording),
            None => all = Some(recording),
        }
    }
    match all {
        Some(all) => Ok(all),
        None => bail!("there are no samples yet; `opcontrol --start` takes some"),
    }
}
