//! `oprof report`: prints a recording as tables.

mod arguments;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_profile::recording::Damage;
use oprof_report::render::{self, Look, opreport_summary, opreport_symbols, table};
use oprof_report::{By, ClassOrder, Missing, Options, Report, SourcePaths, printable};

use crate::paragraph::wrapped;
use crate::session::{self, ImagePlaces, Names};
use crate::terminal::{self, Terminal};
use crate::{speak, status};
pub(crate) use arguments::{ReportOptions, name_style};

/// Prints the report that was asked for.
pub(crate) fn report(options: &ReportOptions) -> Result<ExitCode> {
    let path = options.file.as_deref().or(options.input.as_deref()).unwrap_or(Path::new("oprof.data"));
    if of_symbols(options) && options.by.is_some_and(|by| by != By::Symbol) {
        bail!("--debug-info, --inline and --merge-clones are of symbols: use them with -l");
    }
    if !options.source_path.is_empty() && !options.lines {
        bail!(
            "--source-path changes what --debug-info shows: use it with -g, and with -f to see whole paths"
        );
    }
    let places = ImagePlaces {
        root: options.root.clone(),
        names: if options.lines || options.inline { Names::Lines } else { Names::Symbols },
        ..ImagePlaces::default()
    };
    let recording = session::open(path, &places)?;
    if options.by == Some(By::Thread) && !recording.separates_threads() {
        bail!("{}: its threads are not kept apart; record with --separate-thread", path.display());
    }
    let printed = print(&recording, options);
    if printed.is_ok() {
        oprof_report::coverage_lines(&recording).iter().for_each(|line| speak::line(line));
        if options.missing {
            let line = oprof_report::missing_line(&recording);
            oprof_report::makers_notes(&recording).chain(line).for_each(|note| speak::line(&note));
        } else {
            oprof_report::notes(&recording).iter().for_each(|note| speak::line(note));
        }
    }
    let Some(damage) = recording.damage else {
        printed?;
        let is_whole = recording.coverage.files_left_out == 0;
        return Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(status::FAILED) });
    };
    speak::line(&damaged(&recording, samples(&recording), damage, path));
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        // What was printed is not all that was recorded.
        _ => Ok(ExitCode::from(status::FAILED)),
    }
}

/// What is asked for is of symbols, whether or not they are.
fn of_symbols(options: &ReportOptions) -> bool {
    options.lines || options.inline || options.merge_clones
}

/// Prints the tables on standard output.
fn print(recording: &Recording, options: &ReportOptions) -> io::Result<()> {
    let style = Options {
        threshold: options.threshold,
        no_header: options.no_header,
        long_names: options.long_filenames,
        lines: options.lines,
        inline: options.inline,
        name_style: options.demangle,
        merge_clones: options.merge_clones,
        source_paths: SourcePaths(options.source_path.clone()),
        ..Options::default()
    };
    let stdout = io::stdout();
    let terminal = terminal::terminal(&stdout).filter(|_| !options.plain);
    let mut out = BufWriter::new(stdout.lock());
    if options.missing {
        print_missing(recording, &style, terminal, &mut out)?;
        return out.flush();
    }
    match (options.by, options.symbols || of_symbols(options), terminal) {
        (None, true, None) | (Some(By::Symbol), _, None) => opreport_symbols(recording, &style, &mut out)?,
        (None, false, None) => opreport_summary(recording, &style, &mut out)?,
        (by, symbols, terminal) => {
            let by = by.unwrap_or(if symbols { By::Symbol } else { By::App });
            write_table(recording, by, &style, terminal, &mut out)?;
        }
    }
    out.flush()
}

/// Prints the images whose code lacks names, and remarks on how to have them.
fn print_missing(
    recording: &Recording,
    options: &Options,
    terminal: Option<Terminal>,
    out: &mut impl Write,
) -> io::Result<()> {
    let width = terminal.and_then(|terminal| terminal.width);
    let missing = Missing::new(recording);
    render::missing(&missing, options, width, out)?;
    if !options.no_header && !missing.remarks().is_empty() {
        writeln!(out)?;
        for remark in missing.remarks() {
            let lines = wrapped(&printable(remark), 2, width.map(usize::from));
            writeln!(out, "{}", lines.join("\n"))?;
        }
    }
    Ok(())
}

/// How many samples a recording has.
pub(crate) fn samples(recording: &Recording) -> u64 {
    recording.counts.iter().fold(0, |sum: u64, (_, count)| sum.saturating_add(count.samples))
}

/// Says what is wrong with a recording and that `read` samples of it were read all the same.
pub(crate) fn damaged(recording: &Recording, read: u64, damage: Damage, path: &Path) -> String {
    let events = &recording.coverage.events;
    let all = events.iter().fold(0_u64, |sum, event| sum.saturating_add(event.samples));
    // How many there were may be among what is lost.
    let of_all = if all > read { format!(" of {}", oprof_report::grouped(all)) } else { String::new() };
    format!(
        "{}: damaged at byte {} ({}): {}{of_all} samples were read; take a copy that is intact, or record again",
        path.display(),
        oprof_report::grouped(damage.offset),
        damage.what,
        oprof_report::grouped(read)
    )
}

/// How many lines of a report are printed behind the command's own output.
const MOST_LINES: usize = 40;

/// Prints the hottest symbols of a recording that was just made and is in `file`, on stderr.
pub(crate) fn after_recording(recording: &Recording, file: &Path) -> Result<()> {
    let stderr = io::stderr();
    let terminal = terminal::terminal(&stderr);
    let mut whole = Vec::new();
    match terminal {
        Some(_) => write_table(recording, By::Symbol, &Options::default(), terminal, &mut whole)?,
        None => opreport_symbols(recording, &Options::default(), &mut whole)?,
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let (shown, rest) = lines.split_at(lines.len().min(MOST_LINES));
    stderr.lock().write_all(&shown.concat())?;
    if !rest.is_empty() {
        let rest = oprof_report::grouped(rest.len() as u64);
        speak::line(&format!("{rest} more rows: oprof report -l {}", file.display()));
    }
    Ok(())
}

fn write_table(
    recording: &Recording,
    by: By,
    options: &Options,
    terminal: Option<Terminal>,
    out: &mut impl Write,
) -> io::Result<()> {
    let look = Look {
        width: terminal.and_then(|terminal| terminal.width),
        colour: terminal.is_some_and(|terminal| terminal.colour),
    };
    table(&Report::new(recording, by, ClassOrder::AsAsked, options), look, out)
}
