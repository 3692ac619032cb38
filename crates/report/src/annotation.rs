//! Annotation: samples by lines of source files and by instructions.

use std::collections::BTreeMap;

use oprof_profile::{Count, ImageAddress, ImageId};
use rustc_hash::FxHashMap;

use crate::report::Report;

/// A source file with the samples of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, as the report shows paths.
    pub path: String,
    /// The samples in it, for each class of the report.
    pub counts: Vec<Count>,
    /// Those of each line; line 0 holds what the compiler put down to no line.
    pub lines: BTreeMap<u32, Vec<Count>>,
    /// The rows of the report whose symbols begin in a line of the file.
    pub symbols: BTreeMap<u32, Vec<usize>>,
}

/// Where the code of a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FunctionExtent {
    /// An image that has it.
    pub image: ImageId,
    /// Where it begins, as the image's own tables state it.
    pub address: ImageAddress,
    /// Its size in bytes.
    pub size: u64,
}

/// Code at an address, as a line of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeLine {
    /// The address, as the image's own tables state it.
    pub address: u64,
    /// How many bytes it takes.
    pub length: u64,
    /// The instruction.
    pub text: String,
    /// The source file and line that it was made of, where that is known.
    pub source: Option<(String, u32)>,
    /// Samples, for each class of the report.
    pub counts: Vec<Count>,
}

/// The source files in which rows of a report have samples, those of the largest share in some class first. An inlined
/// function's samples are in its own file. The report is one with details and lines.
pub fn source_files(report: &Report<'_>, rows: &[usize]) -> Vec<SourceFile> {
    let classes = report.classes().len();
    let mut index: FxHashMap<String, usize> = FxHashMap::default();
    let mut files: Vec<SourceFile> = Vec::new();
    let mut at = |path: String| {
        let next = index.len();
        let place = *index.entry(path.clone()).or_insert(next);
        if place == files.len() {
            files.push(SourceFile { path, counts: vec![Count::default(); classes], ..SourceFile::default() });
        }
        place
    };
    let mut entries = Vec::new();
    for row in rows {
        for detail in report.details(*row) {
            if let Some((path, line)) = report.detail_source_path(detail) {
                entries.push((at(path.into_owned()), line, detail));
            }
        }
    }
    for (file, line, detail) in entries {
        let of_line = files[file].lines.entry(line).or_insert_with(|| vec![Count::default(); classes]);
        of_line.iter_mut().zip(&detail.counts).for_each(|(sum, count)| sum.add(*count));
        files[file].counts.iter_mut().zip(&detail.counts).for_each(|(sum, count)| sum.add(*count));
    }
    for row in rows {
        let start = report.rows().get(*row).and_then(|row| report.source_path(row));
        if let Some((path, line)) = start
            && let Some(file) = index.get(path.as_ref())
        {
            files[*file].symbols.entry(line).or_default().push(*row);
        }
    }
    files.sort_by(|a, b| {
        let hottest = |file: &SourceFile| {
            let shares = (0..classes).map(|class| share(report, file.counts[class], class));
            shares.fold(0.0, f64::max)
        };
        hottest(b).total_cmp(&hottest(a)).then_with(|| a.path.cmp(&b.path))
    });
    files
}

/// Gives lines of code the samples of a row: each address belongs to the line that holds it. Returns the samples that no
/// line holds.
pub fn count_code(report: &Report<'_>, row: usize, lines: &mut [CodeLine]) -> Vec<Count> {
    let classes = report.classes().len();
    let mut rest = vec![Count::default(); classes];
    lines.iter_mut().for_each(|line| line.counts = vec![Count::default(); classes]);
    for detail in report.details(row) {
        let after = lines.partition_point(|line| line.address <= detail.address.0);
        let line = after.checked_sub(1).map(|before| &mut lines[before]);
        let line = line.filter(|line| detail.address.0 - line.address < line.length);
        let sums = line.map_or(&mut rest, |line| &mut line.counts);
        sums.iter_mut().zip(&detail.counts).for_each(|(sum, count)| sum.add(*count));
    }
    rest
}

/// The share of some samples in all of a class, between 0 and 1.
pub(crate) fn share(report: &Report<'_>, count: Count, class: usize) -> f64 {
    match (report.classes().get(class), report.sums().get(class)) {
        (Some(of), Some(whole)) if of.measure(*whole) > 0 => {
            of.measure(count) as f64 / of.measure(*whole) as f64
        }
        _ => 0.0,
    }
}
