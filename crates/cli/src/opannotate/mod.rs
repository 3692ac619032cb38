//! `opannotate`: sources and instructions with their samples, by OProfile's options and in its layouts.

mod arguments;
mod tree;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use oprof_profile::Recording;
use oprof_profile::specification::{Glob, Specification};
use oprof_report::render::{
    opannotate_code, opannotate_file_header, opannotate_header, opannotate_image, opannotate_source,
};
use oprof_report::{
    By, ClassOrder, CodeLine, Options, Report, SourceFile, SourcePaths, SymbolFilter, count_code, printable,
    source_files,
};
use oprof_symbolizer::Syntax;

use crate::annotate::{CodeReader, Sources};
use crate::sampled_profile::{self, SampledProfile};
use crate::session::{ImagePlaces, Names};
use crate::{oprofile_tool, speak, status};
use arguments::OpannotateOptions;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OpannotateOptions = match oprofile_tool::options("opannotate") {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.reading.print_usage::<OpannotateOptions>() {
        return ExitCode::SUCCESS;
    }
    opannotate(&options).unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

fn opannotate(options: &OpannotateOptions) -> Result<ExitCode> {
    if !options.source && !options.assembly {
        bail!("say what to show: --source, --assembly or both");
    }
    if !options.base_dirs.is_empty() && options.search_dirs.is_empty() {
        bail!("--base-dirs says what to take off before looking in --search-dirs; give these, too");
    }
    if options.objdump_params.is_some() && !options.assembly {
        bail!("--objdump-params is of instructions; add --assembly");
    }
    if options.output_dir.is_some() && options.assembly {
        bail!("--output-dir takes source files; leave out --assembly");
    }
    let specification = Specification::parse(&options.profiles)
        .map_err(|error| anyhow!("{}", printable(&error.to_string())))?;
    let places = ImagePlaces {
        names: Names::Lines,
        as_oprofile: options.symbolless == "path",
        ..ImagePlaces::default()
    };
    let profile = sampled_profile::load_from(&specification, &options.reading, false, places)?;
    let recording = &profile.recording;
    let report = report(options, &profile);
    let output = Output { options, recording, report: &report, sources: Sources::new(recording) };
    match options.assembly {
        true => output.code(&profile)?,
        false => output.source()?,
    }
    oprof_report::coverage_lines(recording).iter().for_each(|line| speak::line(line));
    Ok(if profile.incomplete { ExitCode::from(status::FAILED) } else { ExitCode::SUCCESS })
}

fn report<'r>(options: &OpannotateOptions, profile: &'r SampledProfile) -> Report<'r> {
    let style = Options {
        threshold: if options.assembly { options.threshold } else { 0.0 },
        oprofile_words: true,
        oprofile_order: true,
        separation: profile.separation(|what| options.merges(what)),
        details: true,
        lines: true,
        long_names: true,
        // An image's code is the same in whatever app it ran.
        images_as_apps: !options.exclude_dependent,
        exclude_dependent: options.exclude_dependent,
        exclude_unresolved: options.exclude_unresolved,
        symbolless_path: options.symbolless == "path",
        name_style: options.demangle,
        symbols: SymbolFilter::new(&options.include_symbols, &options.exclude_symbols),
        ..Options::default()
    };
    Report::new(&profile.recording, By::Symbol, ClassOrder::OfOprofile, &style)
}

struct Output<'a, 'r> {
    options: &'a OpannotateOptions,
    recording: &'r Recording,
    report: &'a Report<'r>,
    sources: Sources,
}

impl Output<'_, '_> {
    fn header(&self, asked: &[String]) -> String {
        let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        let command: Vec<String> = ["opannotate".to_owned()].into_iter().chain(words).collect();
        opannotate_header(self.recording, self.report, &command.join(" "), asked)
    }

    /// The source files that are asked for.
    fn files(&self) -> Vec<SourceFile> {
        let rows: Vec<usize> = (0..self.report.rows().len()).collect();
        let mut files = source_files(self.report, &rows);
        if files.iter().all(|file| file.lines.keys().all(|line| *line == 0)) {
            // Symbol tables name files; of lines they know nothing.
            files.clear();
        }
        let globs = |names: &[String]| names.iter().map(|name| Glob::new(name)).collect::<Vec<_>>();
        let (include, exclude) = (globs(&self.options.include_file), globs(&self.options.exclude_file));
        let takes = |globs: &[Glob], path: &str| {
            path.split('/').any(|part| globs.iter().any(|glob| glob.matches(part)))
        };
        files.retain(|file| {
            let classes = self.report.classes().iter().zip(&file.counts).zip(self.report.sums());
            let share = classes.map(|((class, count), whole)| {
                class.measure(*count) as f64 * 100.0 / class.measure(*whole).max(1) as f64
            });
            share.fold(0.0, f64::max) >= self.options.threshold
                && (include.is_empty() || takes(&include, &file.path))
                && !takes(&exclude, &file.path)
        });
        files
    }

    fn source(&self) -> Result<()> {
        let asked = ["Output annotated source file with samples".to_owned(), self.which_files()];
        let header = self.header(&asked);
        let files = self.files();
        if files.is_empty() {
            speak::line(
                "no code with samples tells its source lines (built without -g?); --assembly shows instructions",
            );
        }
        if let Some(directory) = &self.options.output_dir {
            return self.tree(directory, &files, &header);
        }
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(header.as_bytes())?;
        for file in &files {
            writeln!(out, "{}", opannotate_file_header(self.report, file))?;
            opannotate_source(self.report, file, self.text(&file.path).as_deref(), &mut out)?;
        }
        Ok(out.flush()?)
    }

    /// Writes each file below a directory, its header at the end, so that lines keep their numbers.
    fn tree(&self, directory: &Path, files: &[SourceFile], header: &str) -> Result<()> {
        let tree = tree::Tree::create(directory)?;
        for file in files {
            let Some(text) = self.text(&file.path) else { continue };
            let mut bytes = Vec::new();
            opannotate_source(self.report, file, Some(&text), &mut bytes)?;
            // The line for what has no line comes first on a page of its own only.
            let lines = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let (none, mut content) = (bytes[..lines].to_vec(), bytes[lines..].to_vec());
            content.extend_from_slice(format!("\n{}", opannotate_file_header(self.report, file)).as_bytes());
            content.extend_from_slice(&none);
            content.extend_from_slice(header.as_bytes());
            tree.write(&file.path, &content)?;
        }
        Ok(())
    }

    fn which_files(&self) -> String {
        match self.options.threshold > 0.0 {
            true => format!(
                "Output files where samples count reach at least {}% of the samples",
                self.options.threshold
            ),
            false => "Output all files".to_owned(),
        }
    }

    /// The text of a source file: where it was, else in the directories to search.
    fn text(&self, path: &str) -> Option<Vec<String>> {
        let bases =
            self.options.base_dirs.iter().filter_map(|base| path.strip_prefix(base.trim_end_matches('/')));
        let rest = bases.map(|rest| rest.trim_start_matches('/')).next();
        let short = path.rsplit('/').next().unwrap_or(path);
        let below = [rest.unwrap_or(path.trim_start_matches('/')), short];
        let others = self.options.search_dirs.iter().flat_map(|folder| below.map(|rest| folder.join(rest)));
        let places: Vec<PathBuf> = match rest {
            Some(_) => others.chain([PathBuf::from(path)]).collect(),
            None => [PathBuf::from(path)].into_iter().chain(others).collect(),
        };
        let found = places.iter().find_map(|place| self.sources.lines(&place.to_string_lossy()).ok());
        if found.is_none() {
            speak::line(&format!(
                "{}: cannot be read; --search-dirs says where sources are",
                printable(path)
            ));
        }
        found
    }

    fn code(&self, profile: &SampledProfile) -> Result<()> {
        let parameters = self.options.objdump_params.as_deref().unwrap_or_default();
        let mut asked = vec!["Output annotated assembly listing with samples".to_owned()];
        if !parameters.is_empty() {
            asked.push(format!("Passing the following additional arguments to objdump ; \"{parameters} \""));
        }
        let live = ImagePlaces::default();
        let reader = CodeReader {
            places: profile.places.as_ref().unwrap_or(&live),
            syntax: if parameters.contains("intel") { Syntax::Intel } else { Syntax::Att },
            lines: self.options.source,
            source_paths: &SourcePaths::default(),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        out.write_all(self.header(&asked).as_bytes())?;
        let mut before = None;
        for row in 0..self.report.rows().len() {
            let Some(extent) = self.report.extent(row) else { continue };
            let mut code = match reader.read(self.recording, extent) {
                Ok(code) => code,
                Err(why) => {
                    if before != Some(extent.image) {
                        speak::line(&format!("{}; its code is left out", printable(&why)));
                    }
                    before = Some(extent.image);
                    continue;
                }
            };
            if before != Some(extent.image) {
                let image = self.recording.image(extent.image).map_or("", |image| image.name.as_str());
                opannotate_image(self.report, image, code.format, &code.section, &mut out)?;
                before = Some(extent.image);
            }
            count_code(self.report, row, &mut code.lines);
            let source = |line: &CodeLine| self.source_line(line);
            opannotate_code(self.report, row, &code.lines, &source, &mut out)?;
        }
        Ok(out.flush()?)
    }

    /// The source line of an instruction, where it is to be shown and can be read.
    fn source_line(&self, line: &CodeLine) -> Option<String> {
        let (path, number) = line.source.as_ref().filter(|_| self.options.source)?;
        let text = self.sources.lines(path).ok()?;
        text.get((*number as usize).checked_sub(1)?).cloned()
    }
}
