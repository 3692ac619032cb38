//! `oprof diff`: compares recordings, and says by its exit status whether something regressed.

mod arguments;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::recording::BatchedRecording;
use oprof_profile::session::SessionDirectory;
use oprof_report::render::diff::{self as render, DiffLook};
use oprof_report::{Diff, DiffBy, DiffRun, DiffSettings};
use rayon::prelude::*;

use crate::session::{self, ImagePlaces, Names};
use crate::{pager, speak, status, terminal};
pub(crate) use arguments::{DiffOptions, with_separators};

/// Prints the comparison that was asked for.
pub(crate) fn diff(options: &DiffOptions) -> Result<ExitCode> {
    let [before, after] = match options.sides() {
        Ok(sides) => sides,
        Err(mistake) => {
            speak::line(&format!("{mistake}; see oprof diff --help"));
            return Ok(ExitCode::from(status::USAGE));
        }
    };
    refuse_twice(&before)?;
    refuse_twice(&after)?;
    let loaded = load(&before, &after, options)?;
    let (runs_before, runs_after) = loaded.split_at(before.len());
    let diff = Diff::new(runs_before, runs_after, &settings(options))?;
    print(&diff, options)?;
    if !options.json && !options.markdown {
        diff.doubts.iter().for_each(|doubt| speak::line(doubt));
    }
    let others = &diff.other_events;
    if options.event.is_none() && !others.is_empty() {
        speak::line(&format!("also on both sides: {}; choose with --event", others.join(", ")));
    }
    for regression in &diff.regressions {
        speak::line(&render::regression_line(&diff, regression));
    }
    if !diff.regressions.is_empty() && loaded.len() == 2 {
        speak::line(
            "the chances are those of sampling: a run that was slower for another reason looks the same; compare three \
             on each side before you blame a change",
        );
    }
    let is_whole = loaded.iter().all(DiffRun::is_whole);
    let status = match (diff.regressions.is_empty(), is_whole) {
        (false, _) => ExitCode::from(status::REGRESSED),
        // What was compared is not all that was recorded.
        (true, false) => ExitCode::from(status::FAILED),
        (true, true) => ExitCode::SUCCESS,
    };
    // The program is at its end: to give back a hundred thousand names one by one takes its time for nothing.
    std::mem::forget((loaded, diff));
    Ok(status)
}

/// One recording that is given twice is no second run: it would seem that runs do not differ.
fn refuse_twice(side: &[PathBuf]) -> Result<()> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for (index, path) in side.iter().enumerate() {
        if side[..index].iter().any(|other| real(other) == real(path)) {
            bail!("{}: named twice on one side; a second run has to be recorded", path.display());
        }
    }
    Ok(())
}

/// Reads all recordings, those before first; each is let go when it is folded.
fn load(before: &[PathBuf], after: &[PathBuf], options: &DiffOptions) -> Result<Vec<DiffRun>> {
    let paths: Vec<&PathBuf> = before.iter().chain(after).collect();
    let places = ImagePlaces {
        root: options.root.clone(),
        names: match options.by {
            DiffBy::Symbol => Names::Symbols,
            DiffBy::Line => Names::Lines,
            _ => Names::Nothing,
        },
        ..ImagePlaces::default()
    };
    let load = |path: &&PathBuf| -> Result<DiffRun> {
        let name = path.display().to_string();
        if SessionDirectory::is_one(path) {
            let recording = session::open(path, &places)?;
            return Ok(DiffRun::new(&name, &recording, options.by, options.demangle));
        }
        Ok(DiffRun::of_batches(&name, &BatchedRecording::open(path)?, options.by, options.demangle))
    };
    // The error that is said is the first one in the order of the command line.
    let loaded: Vec<Result<DiffRun>> = crate::parallel::run(|| paths.par_iter().map(load).collect());
    loaded.into_iter().collect()
}

fn settings(options: &DiffOptions) -> DiffSettings {
    DiffSettings {
        by: options.by,
        event: options.event.clone(),
        normalise: options.normalise,
        level: options.level(),
        threshold: options.threshold,
        sort: options.sort,
        fail_above: options.fail_above,
    }
}

fn print(diff: &Diff, options: &DiffOptions) -> io::Result<()> {
    let stdout = io::stdout();
    let terminal = terminal::terminal(&stdout);
    let look = DiffLook {
        all: options.all,
        top: options.top,
        no_header: options.no_header,
        long_names: options.long_filenames,
        width: terminal.and_then(|terminal| terminal.width),
        colour: terminal.is_some_and(|terminal| terminal.colour),
    };
    let mut out = Vec::new();
    match () {
        () if options.json => render::json(diff, &look, &mut out)?,
        () if options.csv => render::csv(diff, &look, &mut out)?,
        () if options.markdown => render::markdown(diff, &look, &mut out)?,
        () => render::table(diff, &look, &mut out)?,
    }
    let is_for_programs = options.json || options.csv || options.markdown;
    match pager::print(&out, !options.no_pager && !is_for_programs) {
        // Who reads has seen enough, but not whoever waits for the status.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}
