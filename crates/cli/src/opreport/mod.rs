//! `opreport`: reports over a session, by OProfile's options and in its layouts.

mod arguments;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use oprof_profile::recording::is_recording;
use oprof_profile::specification::{Profiles, Specification};
use oprof_report::render::{
    XmlSetting, opreport_call_graph, opreport_differential, opreport_summary, opreport_symbols, opreport_xml,
};
use oprof_report::{Differential, Options, SymbolFilter, printable};

use crate::oprofile_tool::Merge;
use crate::sampled_profile::{self, SampledProfile};
use crate::session::{ImagePlaces, Names};
use crate::stat::Output;
use crate::{oprofile_tool, session, speak, status};
use arguments::OpreportOptions;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OpreportOptions = match oprofile_tool::options("opreport") {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.reading.print_usage::<OpreportOptions>() {
        return ExitCode::SUCCESS;
    }
    opreport(&options).unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

fn opreport(options: &OpreportOptions) -> Result<ExitCode> {
    let profiles = Profiles::parse(&options.profiles);
    // That braces are not allowed here is said before what is wrong with them.
    let compares = options.profiles.iter().any(|word| matches!(word.as_str(), "{" | "}" | "{}"));
    if let Some(conflict) = options.conflict(compares) {
        bail!("{conflict}; see opreport --help");
    }
    let load = |specification: &Specification| {
        let names = match (options.debug_info, options.of_symbols() || options.xml || compares) {
            (true, _) => Names::Lines,
            (false, true) => Names::Symbols,
            (false, false) => Names::Nothing,
        };
        let as_oprofile = options.symbolless == "path";
        let places = ImagePlaces { names, as_oprofile, ..ImagePlaces::default() };
        sampled_profile::load_from(specification, &options.reading, options.callgraph, places)
    };
    match profiles.map_err(|error| anyhow!("{}", printable(&error.to_string())))? {
        Profiles::One(specification) => {
            let profile = load(&specification)?;
            let style = style(options, &[&profile]);
            write(options, &|out| match options.of_symbols() {
                _ if options.xml => xml(options, &profile, &style, out),
                _ if options.callgraph => opreport_call_graph(&profile.recording, &style, out),
                true => opreport_symbols(&profile.recording, &style, out),
                false => opreport_summary(&profile.recording, &style, out),
            })?;
            Ok(tell(options, &[&profile]))
        }
        Profiles::Two(first, second) => {
            let (first, second) = (load(&first)?, load(&second)?);
            let style = style(options, &[&first, &second]);
            let differential = Differential::new(&first.recording, &second.recording, &style)?;
            write(options, &|out| opreport_differential(&differential, style.no_header, out))?;
            Ok(tell(options, &[&first, &second]))
        }
    }
}

/// Writes XML; its title is the command line.
fn xml(
    options: &OpreportOptions,
    profile: &SampledProfile,
    style: &Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned() + " ");
    let code = |image, offset, size| {
        session::code(profile.places.as_ref()?, profile.recording.image(image)?, offset, size)
    };
    let setting = XmlSetting {
        title: &format!("opreport {}", words.collect::<String>()),
        call_graph: options.callgraph,
        code: &code,
    };
    opreport_xml(&profile.recording, style, &setting, out)
}

/// What a reader chose, in the words of the report.
fn style(options: &OpreportOptions, profiles: &[&SampledProfile]) -> Options {
    let separation = profiles.first().map(|profile| profile.separation(|what| options.merges(what)));
    Options {
        threshold: options.threshold,
        no_header: options.no_header,
        long_names: options.long_filenames,
        global_percent: options.global_percent,
        lines: options.debug_info,
        name_style: options.demangle,
        symbolless_path: options.symbolless == "path",
        exclude_unresolved: options.exclude_unresolved,
        separation: separation.unwrap_or_default(),
        oprofile_order: options.oprofile_order,
        sort: options.sort.clone(),
        reverse: options.reverse_sort,
        addresses: options.show_address,
        details: options.details,
        accumulated: options.accumulated,
        images_as_apps: options.merges(Merge::Lib),
        exclude_dependent: options.exclude_dependent,
        symbols: SymbolFilter::new(&options.include_symbols, &options.exclude_symbols),
        ..Options::default()
    }
}

/// Writes a report on standard output, or into the file that was asked for.
fn write(options: &OpreportOptions, report: &dyn Fn(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match &options.output_file {
        Some(path) => {
            let name = path.display();
            match () {
                () if is_recording(path) => bail!("{name}: is a recording; choose another file with -o"),
                () if session::is_sample_file(path) => {
                    bail!("{name}: has samples of a session; choose another file with -o")
                }
                () => {}
            }
            let mut output = Output::open(Some(path))?;
            output.begin()?;
            output.write(report)
        }
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            report(&mut out).and_then(|()| out.flush())?;
            Ok(())
        }
    }
}

/// Says how far to trust the report; gives the status that tells whether it is of everything.
fn tell(options: &OpreportOptions, profiles: &[&SampledProfile]) -> ExitCode {
    for SampledProfile { recording, .. } in profiles {
        oprof_report::coverage_lines(recording).iter().for_each(|line| speak::line(line));
        if options.reading.is_verbose() {
            oprof_report::notes(recording).iter().for_each(|note| speak::line(note));
        }
    }
    match profiles.iter().any(|profile| profile.incomplete) {
        true => ExitCode::from(status::FAILED),
        false => ExitCode::SUCCESS,
    }
}
