//! Annotated functions (`oprof annotate`): source lines or instructions with their samples, the hottest coloured, cold
//! stretches folded.

mod listing;

use std::io::{self, Write};

use oprof_profile::Count;

use crate::annotation::{CodeLine, SourceFile, count_code, source_files};
use crate::column::Column;
use crate::number::{counted, grouped};
use crate::place::Place;
use crate::printable::printable;
use crate::report::Report;
use listing::{Line, Listing};

/// How functions are shown.
#[derive(Clone, Copy, Debug)]
pub struct AnnotateLook {
    /// The hottest lines are coloured.
    pub colour: bool,
    /// How many lines without samples stand around those that have some; `None`: all lines are shown.
    pub context: Option<usize>,
}

/// Gives the lines of the source file of a path, or says why there are none.
pub type SourceText<'a> = &'a dyn Fn(&str) -> Result<Vec<String>, String>;

/// What of a function is shown beside its samples.
#[derive(Debug, Default)]
pub struct FunctionText {
    /// Its instructions, or why there are none; `None` where they were not asked for.
    pub code: Option<Result<Vec<CodeLine>, String>>,
    /// Source lines are shown: of themselves, or above the instructions that were made of them.
    pub source: bool,
}

/// Writes one function: a title, then its source files, its instructions, or both. The report is one with details and lines.
pub fn annotate(
    report: &Report<'_>,
    row: usize,
    text: FunctionText,
    source: SourceText<'_>,
    look: AnnotateLook,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let Some(counts) = report.rows().get(row).map(|row| row.counts.clone()) else { return Ok(()) };
    write_title(report, row, look, out)?;
    let listing = Listing { report, counts: &counts, look };
    match text.code {
        Some(Ok(mut lines)) => {
            let rest = count_code(report, row, &mut lines);
            let shown = text.source.then_some(source);
            listing.write("address", &code_lines(lines, shown), out)?;
            if rest.iter().any(|count| count.samples > 0) {
                let samples = rest.first().map_or(0, |count| count.samples);
                writeln!(
                    out,
                    "  {} of code that is not in the image",
                    counted(samples, "sample", "samples")
                )?;
            }
            return Ok(());
        }
        Some(Err(why)) => {
            writeln!(out, "  no instructions: {}; addresses as recorded:", printable(&why))?;
            if !text.source {
                return listing.write("address", &recorded_addresses(report, row), out);
            }
        }
        None => {}
    }
    let files = source_files(report, &[row]);
    if files.is_empty() {
        writeln!(out, "  no source lines are known (built without -g?); addresses as recorded:")?;
        return listing.write("address", &recorded_addresses(report, row), out);
    }
    for file in files {
        writeln!(out, "  {}", printable(&file.path))?;
        let lines = match source(&file.path) {
            Ok(text) => source_lines(&file, &text),
            Err(why) => {
                writeln!(
                    out,
                    "  no text: {}; --source-path FROM=TO says where sources are",
                    printable(&why)
                )?;
                lines_without_text(&file)
            }
        };
        listing.write("line", &lines, out)?;
    }
    Ok(())
}

fn write_title(
    report: &Report<'_>,
    number: usize,
    look: AnnotateLook,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let row = &report.rows()[number];
    let text = |column| match report.cell(row, column) {
        crate::Cell::Text(text) => printable(&text).into_owned(),
        _ => String::new(),
    };
    let (image, app) = (text(Column::Image), text(Column::App));
    let place = match row.place {
        Place::Symbol { image: of, app: by, .. } if of == by => image,
        _ => format!("{image}, called by {app}"),
    };
    let shares: Vec<String> = (0..report.classes().len())
        .map(|class| {
            let samples = row.counts.get(class).map_or(0, |count| count.samples);
            let event = report.event(class).map_or("", |event| event.name.as_str());
            let share = report.share(row, class) * 100.0;
            format!("{share:.2} % of {} ({})", printable(event), counted(samples, "sample", "samples"))
        })
        .collect();
    let title = format!("{} in {place}: {}", text(Column::Symbol), shares.join(", "));
    match look.colour {
        true => writeln!(out, "\x1b[1m{title}\x1b[0m"),
        false => writeln!(out, "{title}"),
    }
}

/// Lines of a source file from the function's first to its last that has samples, with some behind it.
fn source_lines(file: &SourceFile, text: &[String]) -> Vec<Line> {
    let sampled = file.lines.keys().filter(|line| **line > 0);
    let starts = file.symbols.keys().chain(sampled.clone()).min().copied().unwrap_or(1);
    let last = sampled.max().copied().unwrap_or(starts);
    let mut lines: Vec<Line> = no_line(file).into_iter().collect();
    let end = last.saturating_add(2).min(u32::try_from(text.len()).unwrap_or(u32::MAX));
    for number in starts.max(1)..=end {
        lines.push(Line {
            counts: file.lines.get(&number).cloned().unwrap_or_default(),
            label: number.to_string(),
            text: text[number as usize - 1].clone(),
            is_title: false,
        });
    }
    // The file has fewer lines now than it had.
    for (number, counts) in file.lines.iter().filter(|(number, _)| **number > end) {
        let text = "(the file has fewer lines now)".to_owned();
        lines.push(Line { counts: counts.clone(), label: number.to_string(), text, is_title: false });
    }
    lines
}

fn lines_without_text(file: &SourceFile) -> Vec<Line> {
    let with_number = file.lines.iter().filter(|(number, _)| **number > 0);
    let lines = with_number.map(|(number, counts)| Line {
        counts: counts.clone(),
        label: number.to_string(),
        text: String::new(),
        is_title: false,
    });
    no_line(file).into_iter().chain(lines).collect()
}

/// Samples of code that the compiler put down to no line.
fn no_line(file: &SourceFile) -> Option<Line> {
    file.lines.get(&0).map(|counts| Line {
        counts: counts.clone(),
        label: "-".to_owned(),
        text: "(no line)".to_owned(),
        is_title: false,
    })
}

/// Instructions; where sources are to be shown, above the first of each line that line.
fn code_lines(code: Vec<CodeLine>, source: Option<SourceText<'_>>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut texts: std::collections::HashMap<String, Option<Vec<String>>> = std::collections::HashMap::new();
    let mut before = None;
    for instruction in code {
        if let (Some(source), Some((path, line))) = (source, &instruction.source)
            && before.as_ref() != Some(&(path.clone(), *line))
        {
            let text = texts.entry(path.clone()).or_insert_with(|| source(path).ok());
            let text = text.as_ref().and_then(|text| text.get((*line as usize).checked_sub(1)?));
            let short = path.rsplit('/').next().unwrap_or(path);
            lines.push(Line {
                counts: Vec::new(),
                label: String::new(),
                text: format!("{short}:{line}  {}", text.map_or("", |text| text.trim())),
                is_title: true,
            });
            before = Some((path.clone(), *line));
        }
        lines.push(Line {
            counts: instruction.counts,
            label: format!("{:x}", instruction.address),
            text: instruction.text,
            is_title: false,
        });
    }
    lines
}

/// What is left where there is neither source nor code: addresses with samples.
fn recorded_addresses(report: &Report<'_>, row: usize) -> Vec<Line> {
    let lines = report.details(row).iter().map(|detail| {
        let source = report.detail_source_path(detail);
        Line {
            counts: detail.counts.clone(),
            label: format!("{:x}", detail.address.0),
            text: source.map_or(String::new(), |(path, line)| format!("{path}:{line}")),
            is_title: false,
        }
    });
    lines.collect()
}

/// A number of samples, grouped; nothing for none.
fn samples(count: Count) -> String {
    if count.samples == 0 { String::new() } else { grouped(count.samples) }
}
