//! `oprof report`: prints a recording as tables.

mod arguments;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::Recording;
use oprof_profile::recording::Damage;
use oprof_report::render::{self, Look, Shape, opreport_summary, opreport_symbols, table};
use oprof_report::{By, ClassOrder, Missing, Options, Report, SortKey, SourcePaths, Tree, printable};

use crate::paragraph::wrapped;
use crate::session::{self, ImagePlaces, Names};
use crate::terminal::{self, Terminal};
use crate::{pager, speak, status};
pub(crate) use arguments::{ReportOptions, name_style};

/// Prints the report that was asked for.
pub(crate) fn report(options: &ReportOptions) -> Result<ExitCode> {
    let path = options.file.as_deref().or(options.input.as_deref()).unwrap_or(Path::new("oprof.data"));
    if of_symbols(options) && !options.by.is_empty() && !options.by.contains(&By::Symbol) {
        bail!("--debug-info, --inline and --merge-clones are of symbols: use them with -l");
    }
    if !options.source_path.is_empty() && !needs_lines(options) {
        bail!(
            "--source-path changes what --debug-info shows: use it with -g, and with -f to see whole paths"
        );
    }
    if let Some(twice) = options.by.iter().enumerate().find(|(at, by)| options.by[..*at].contains(by)) {
        speak::line(&format!("--by: {} is there twice; name it once", twice.1));
        return Ok(ExitCode::from(status::USAGE));
    }
    let places = ImagePlaces {
        root: options.root.clone(),
        names: if needs_lines(options) || options.filter.is_some() { Names::Lines } else { Names::Symbols },
        ..ImagePlaces::default()
    };
    let mut recording = session::open(path, &places)?;
    if options.by.contains(&By::Thread) && !recording.separates_threads() {
        bail!("{}: its threads are not kept apart; record with --separate-thread", path.display());
    }
    // How far to trust it is told of all that was recorded.
    let mut coverage = oprof_report::coverage_lines(&recording);
    if let Some(filter) = &options.filter {
        let all = samples(&recording);
        filter.apply(&mut recording)?;
        let kept = samples(&recording);
        coverage.insert(
            0,
            format!(
                "the filter keeps {} of {} samples ({:.1} %): shares are of these, coverage is of all",
                oprof_report::grouped(kept),
                oprof_report::grouped(all),
                100.0 * kept as f64 / all.max(1) as f64
            ),
        );
    }
    let printed = print(&recording, options);
    if printed.is_ok() {
        coverage.iter().for_each(|line| speak::line(line));
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

/// Lines of the source are asked for, in a column, as rows or as what inlined functions are told by.
fn needs_lines(options: &ReportOptions) -> bool {
    options.lines
        || options.inline
        || options.by.contains(&By::Line)
        || options.sort.contains(&SortKey::Debug)
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
        sort: options.sort.clone(),
        reverse: options.reverse,
        top: options.top,
        errors: options.error,
        filtered: options.filter.is_some(),
        source_paths: SourcePaths(options.source_path.clone()),
        ..Options::default()
    };
    let stdout = io::stdout();
    let terminal = terminal::terminal(&stdout).filter(|_| !options.plain);
    let mut out = Vec::new();
    if options.missing {
        print_missing(recording, &style, terminal, &mut out)?;
        return pager::print(&out, !options.no_pager);
    }
    let symbols = options.symbols || of_symbols(options);
    let by = match options.by.first() {
        Some(by) => *by,
        None if symbols => By::Symbol,
        None => By::App,
    };
    let is_for_programs = options.json || options.csv || options.markdown;
    let beyond = if options.by.len() > 1 {
        let tree = Tree::new(recording, &options.by, ClassOrder::AsAsked, &style);
        match is_for_programs {
            true => write_form(&Shape::Tree(&tree), recording, options, &mut out)?,
            false => render::tree(&tree, look(terminal), &mut out)?,
        }
        tree.roots().len().saturating_sub(tree.top())
    } else if is_for_programs
        || terminal.is_some()
        || !matches!(by, By::Symbol | By::App)
        || options.by == [By::App]
    {
        let report = Report::new(recording, by, ClassOrder::AsAsked, &style);
        match is_for_programs {
            true => write_form(&Shape::Flat(&report), recording, options, &mut out)?,
            false => table(&report, look(terminal), &mut out)?,
        }
        report.beyond_top()
    } else if by == By::Symbol {
        opreport_symbols(recording, &style, &mut out)?;
        0
    } else {
        opreport_summary(recording, &style, &mut out)?;
        0
    };
    pager::print(&out, !options.no_pager && !is_for_programs)?;
    if beyond > 0 {
        let rows = oprof_report::counted(beyond as u64, "more row", "more rows");
        speak::line(&format!("{rows}; --top shows more"));
    }
    if options.error {
        speak::line("intervals are of sampling alone: what coverage says was missed is not in them");
    }
    Ok(())
}

fn write_form(
    shape: &Shape<'_, '_>,
    recording: &Recording,
    options: &ReportOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    match () {
        () if options.json => render::json(shape, recording, out),
        () if options.csv => render::csv(shape, out),
        () => render::markdown(shape, out),
    }
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
    table(&Report::new(recording, by, ClassOrder::AsAsked, options), look(terminal), out)
}

fn look(terminal: Option<Terminal>) -> Look {
    Look {
        width: terminal.and_then(|terminal| terminal.width),
        colour: terminal.is_some_and(|terminal| terminal.colour),
    }
}
