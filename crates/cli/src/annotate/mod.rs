//! `oprof annotate`: the source lines and instructions of functions with their samples.

mod arguments;
mod code;
mod source;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_profile::clone_of;
use oprof_profile::recording::is_recording;
use oprof_profile::session::SessionDirectory;
use oprof_profile::specification::Glob;
use oprof_report::render::{AnnotateLook, FunctionText, annotate as write_function};
use oprof_report::{By, Cell, ClassOrder, Column, Options, Report, SourcePaths, printable};
use oprof_symbolizer::Syntax;

use crate::archive::is_archive;
use crate::session::{ImagePlaces, Names};
use crate::{session, speak, status, terminal};
pub(crate) use arguments::AnnotateOptions;
pub(crate) use code::CodeReader;
pub(crate) use source::Sources;

/// How many functions are shown where none is named.
const TOP: usize = 5;

/// Prints the functions that were asked for.
pub(crate) fn annotate(options: &AnnotateOptions) -> Result<ExitCode> {
    if options.source && !options.assembly {
        speak::line("source lines are what is shown without -a; -s adds them to instructions");
    }
    let (path, functions) = words(options)?;
    let places = ImagePlaces { root: options.root.clone(), names: Names::Lines, ..ImagePlaces::default() };
    let recording = session::open(&path, &places)?;
    let source_paths = SourcePaths(options.source_path.clone());
    let style = Options {
        details: true,
        lines: true,
        name_style: options.demangle,
        source_paths: source_paths.clone(),
        ..Options::default()
    };
    let report = Report::new(&recording, By::Symbol, ClassOrder::AsAsked, &style);
    let rows = chosen(&report, options, &functions)?;
    let reader = CodeReader {
        places: &places,
        syntax: if options.intel { Syntax::Intel } else { Syntax::Att },
        lines: options.source,
        source_paths: &source_paths,
    };
    let stdout = io::stdout();
    let look = AnnotateLook {
        colour: terminal::terminal(&stdout).is_some_and(|terminal| terminal.colour),
        context: (!options.all).then_some(options.context),
    };
    let sources = Sources::new(&recording);
    let source = |path: &str| sources.lines(path);
    let mut out = BufWriter::new(stdout.lock());
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        let code = options.assembly.then(|| match report.extent(*row) {
            Some(extent) => reader.read(&recording, extent).map(|code| code.lines),
            None => Err("code without a symbol has no end".to_owned()),
        });
        let text = FunctionText { code, source: options.source || !options.assembly };
        write_function(&report, *row, text, &source, look, &mut out)?;
    }
    out.flush()?;
    drop(out);
    oprof_report::coverage_lines(&recording).iter().for_each(|line| speak::line(line));
    Ok(match recording.damage.is_some() || recording.coverage.files_left_out > 0 {
        true => ExitCode::from(status::FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// The recording and the names of functions among the words of the command line: a word that is a recording, an archive or
/// a session is the first.
fn words(options: &AnnotateOptions) -> Result<(PathBuf, Vec<String>)> {
    let is_input = |word: &str| {
        let path = Path::new(word);
        is_recording(path) || is_archive(path) || SessionDirectory::is_one(path)
    };
    let mut functions = options.words.clone();
    if let Some(input) = &options.input {
        return Ok((input.clone(), functions));
    }
    if functions.first().is_some_and(|word| is_input(word)) {
        return Ok((PathBuf::from(functions.remove(0)), functions));
    }
    if let Some(word) = functions.first().filter(|word| word.contains('/') || word.ends_with(".data")) {
        bail!("{}: no such recording; `oprof record COMMAND` makes one", printable(word));
    }
    Ok((PathBuf::from("oprof.data"), functions))
}

/// The rows to show.
fn chosen(report: &Report<'_>, options: &AnnotateOptions, functions: &[String]) -> Result<Vec<usize>> {
    let text = |row: usize, column| match report.cell(&report.rows()[row], column) {
        Cell::Text(text) => text.into_owned(),
        _ => String::new(),
    };
    let globs: Vec<Glob> = functions.iter().map(|name| Glob::new(name)).collect();
    let image = options.image.as_deref().map(Glob::new);
    let rows = 0..report.rows().len();
    let of_image: Vec<usize> = rows
        .filter(|row| image.as_ref().is_none_or(|image| image.matches(&text(*row, Column::Image))))
        .collect();
    if let (true, Some(image)) = (of_image.is_empty(), &options.image) {
        bail!(
            "{}: no image of this name has samples; `oprof report --by image` lists them",
            printable(image)
        );
    }
    for (name, glob) in functions.iter().zip(&globs) {
        if !of_image.iter().any(|row| is_named(&text(*row, Column::Symbol), name, glob)) {
            let names: Vec<String> = of_image.iter().map(|row| text(*row, Column::Symbol)).collect();
            bail!("{}", unknown(name, &names));
        }
    }
    let named = of_image.into_iter().filter(|row| {
        let symbol = text(*row, Column::Symbol);
        globs.is_empty() || functions.iter().zip(&globs).any(|(name, glob)| is_named(&symbol, name, glob))
    });
    let top = options.top.unwrap_or(if functions.is_empty() { TOP } else { usize::MAX });
    let rows: Vec<usize> = named.take(top).collect();
    if rows.is_empty() {
        bail!("the recording has no samples");
    }
    Ok(rows)
}

/// A symbol is meant by a name: it is that, or a clone of it, or fits it, or is a function of that name with its
/// parameters left out.
fn is_named(symbol: &str, name: &str, glob: &Glob) -> bool {
    symbol == name
        || clone_of(symbol) == name
        || glob.matches(symbol)
        || symbol.split('(').next().is_some_and(|bare| bare == name || bare.ends_with(&format!("::{name}")))
}

/// What to say of a function that has no samples: those whose names hold it, or are like it.
fn unknown(name: &str, names: &[String]) -> String {
    let small = name.to_lowercase();
    let mut like: Vec<&str> =
        names.iter().map(String::as_str).filter(|known| known.to_lowercase().contains(&small)).collect();
    if like.is_empty() {
        like = names
            .iter()
            .map(String::as_str)
            .filter(|known| known.starts_with(&name[..name.len().min(3)]))
            .collect();
    }
    let shown: Vec<String> = like.iter().take(3).map(|name| printable(name).into_owned()).collect();
    let name = printable(name);
    match shown.as_slice() {
        [] => format!("{name}: no function of this name has samples; `oprof report -l` lists those that do"),
        shown => format!("{name}: no function of this name has samples; there are {}", shown.join(", ")),
    }
}
