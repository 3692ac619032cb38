//! OProfile's annotated sources and listings (`opannotate`).

use std::io::{self, Write};

use oprof_profile::{Count, Recording};

use crate::annotation::{CodeLine, SourceFile};
use crate::column::Column;
use crate::header::header;
use crate::percent::percent;
use crate::printable::printable;
use crate::report::Report;

/// What stands at the head of opannotate's output: the command line, what it asks for in words, the CPU and the events.
pub fn opannotate_header(
    recording: &Recording,
    report: &Report<'_>,
    command: &str,
    asked: &[String],
) -> String {
    let mut text =
        format!("/* \n * Command line: {} \n * \n * Interpretation of command line:\n", printable(command));
    for line in asked {
        text.push_str(&format!(" * {}\n", printable(line)));
    }
    text.push_str(" * \n");
    for line in header(recording, report.classes()).lines() {
        text.push_str(&format!(" * {}\n", line.replace("*/", "*\u{2060}/")));
    }
    text.push_str(" */\n");
    text
}

/// What stands at the head of a source file: its samples.
pub fn opannotate_file_header(report: &Report<'_>, file: &SourceFile) -> String {
    let counts = counts(report, &file.counts);
    format!(
        "/* \n * Total samples for file : \"{}\"\n * \n * {}\n */\n",
        printable(&file.path),
        counts.trim_end()
    )
}

/// Writes the lines of a source file, each with its samples before it, and where functions begin behind it theirs; without
/// the text these of functions alone.
pub fn opannotate_source(
    report: &Report<'_>,
    file: &SourceFile,
    text: Option<&[String]>,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    match file.lines.get(&0) {
        Some(none) => writeln!(out, "<credited to line zero> {} :", padded(report, none))?,
        None => writeln!(out)?,
    }
    let Some(text) = text else {
        let mut rows: Vec<usize> = file.symbols.values().flatten().copied().collect();
        rows.sort_by_cached_key(|row| (name(report, *row), *row));
        for row in rows {
            writeln!(out, " {}", functions(report, &[row]))?;
        }
        return Ok(());
    };
    for (line, number) in text.iter().zip(1..) {
        let before = match file.lines.get(&number) {
            Some(counts) => padded(report, counts),
            None => blank(report),
        };
        write!(out, "{before} :{}", visible(line))?;
        match file.symbols.get(&number) {
            Some(rows) => writeln!(out, " {}", functions(report, rows))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

/// Writes a line without samples before the code of an image.
pub fn opannotate_image(
    report: &Report<'_>,
    image: &str,
    format: &str,
    section: &str,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let blank = blank(report);
    let (image, section) = (printable(image), printable(section));
    for line in [
        "",
        &format!("{image}:     file format {format}"),
        "",
        "",
        &format!("Disassembly of section {section}:"),
        "",
    ] {
        writeln!(out, "{blank} :{line}")?;
    }
    Ok(())
}

/// Writes the instructions of a function with their samples; `source` gives the line that they were made of, where it is to
/// be shown above them.
pub fn opannotate_code(
    report: &Report<'_>,
    row: usize,
    lines: &[CodeLine],
    source: &dyn Fn(&CodeLine) -> Option<String>,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let start = report.rows().get(row).map_or(0, |row| report.address(row));
    writeln!(out, "{start:016x} <{}>: {}", name(report, row), functions(report, &[row]))?;
    let mut before = None;
    for line in lines {
        let text = source(line).filter(|_| line.source != before);
        if let Some(text) = text {
            writeln!(out, "{} :{}", blank(report), visible(&text))?;
        }
        before.clone_from(&line.source);
        let is_sampled = line.counts.iter().any(|count| count.samples > 0);
        let counts = if is_sampled { padded(report, &line.counts) } else { blank(report) };
        writeln!(out, "{counts} :{:8x}:\t{}", line.address, printable(&line.text))?;
    }
    Ok(())
}

/// The samples of functions that begin in a line: `/* main total:     10  1.0000 */`.
fn functions(report: &Report<'_>, rows: &[usize]) -> String {
    let of = |row: usize| report.rows().get(row).map_or_else(Vec::new, |row| row.counts.clone());
    if let [row] = rows {
        return format!("/* {} total: {} */", name(report, *row), counts(report, &of(*row)));
    }
    let mut text = "/* ".to_owned();
    let mut sum = vec![Count::default(); report.classes().len()];
    for row in rows {
        let own = of(*row);
        text.push_str(&format!("{} {}, ", name(report, *row), counts(report, &own)));
        sum.iter_mut().zip(own).for_each(|(sum, count)| sum.add(count));
    }
    format!("{text}total: {} */", counts(report, &sum))
}

/// A function's name, which does not end the comment that it stands in.
fn name(report: &Report<'_>, row: usize) -> String {
    match report.rows().get(row).map(|row| report.cell(row, Column::Symbol)) {
        Some(crate::Cell::Text(name)) => printable(&name).replace("*/", "*\\/"),
        _ => String::new(),
    }
}

/// For each class its samples and their share of all.
fn counts(report: &Report<'_>, counts: &[Count]) -> String {
    let mut text = String::new();
    for (class, (count, whole)) in counts.iter().zip(report.sums()).enumerate() {
        let of = report.classes()[class];
        text.push_str(&format!("{:6} {:>7}", count.samples, percent(of.measure(*count), of.measure(*whole))));
    }
    text
}

/// The same, as wide as every other line: OProfile leaves two blanks more for each class but the first.
fn padded(report: &Report<'_>, of: &[Count]) -> String {
    counts(report, of) + &"  ".repeat(report.classes().len().saturating_sub(1))
}

fn blank(report: &Report<'_>) -> String {
    let classes = report.classes().len();
    " ".repeat(14 * classes + 2 * classes.saturating_sub(1))
}

/// A line of a source file, tabs as they are.
fn visible(line: &str) -> String {
    line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}
