//! `opgprof`: the samples of one binary as the file that gprof(1) reads.

mod arguments;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use oprof_collector::is_mapped_file;
use oprof_profile::specification::Specification;
use oprof_profile::{EventId, ImageId, ImageIdentity, Recording};
use oprof_report::render::gmon::{Gmon, GmonLayout, TooFarApart};
use oprof_report::{grouped, printable};
use oprof_symbolizer::build_id;

use crate::new_file::NewFile;
use crate::sampled_profile;
use crate::session::{ImageFiles, ImagePlaces, Names};
use crate::{oprofile_tool, speak, status};
use arguments::OpgprofOptions;

/// How the file begins.
const MAGIC: &[u8] = b"gmon";
/// As many names are told where one is to be chosen.
const MOST_TOLD: usize = 5;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OpgprofOptions = match oprofile_tool::options("opgprof") {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.reading.print_usage::<OpgprofOptions>() {
        return ExitCode::SUCCESS;
    }
    opgprof(&options).unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

fn opgprof(options: &OpgprofOptions) -> Result<ExitCode> {
    let specification = Specification::parse(&options.profiles)
        .map_err(|error| anyhow!("{}", printable(&error.to_string())))?;
    let output = NewFile::create(&options.output_filename, MAGIC, "a file of gprof's")?;
    let profile = sampled_profile::load(&specification, &options.reading, true, Names::Symbols)?;
    let recording = &profile.recording;
    one_event(recording)?;
    let images = one_binary(recording)?;
    let root = options.reading.root.clone().or_else(|| specification.archive.as_ref().map(Into::into));
    let layout = layout(
        recording,
        &images,
        &ImagePlaces { root, search: options.reading.image_path.clone(), ..ImagePlaces::default() },
    );
    let gmon = Gmon::new(recording, &images, options.threshold);
    let name = images.first().and_then(|id| recording.image(*id)).map(|image| printable(&image.name));
    let name = name.unwrap_or_default();
    if gmon.samples() == 0 {
        let why = match gmon.outside() {
            0 => "no function reaches the threshold",
            _ => "its samples are in no function of a symbol table, the only ones that gprof knows",
        };
        bail!("{name}: {why}; {} is not written", options.output_filename.display());
    }
    let mut out = BufWriter::new(&output.file);
    let written = gmon.write(layout, &mut out).and_then(|written| out.flush().map(|()| written));
    drop(out);
    let loss = match written.map_err(|error| output.cannot_write(&error))? {
        Ok(loss) => loss,
        Err(TooFarApart) => bail!("{name}: its samples are too far apart for a file of gprof's"),
    };
    output.finish()?;
    if gmon.outside() > 0 {
        speak::line(&format!(
            "{name}: {} of {} samples are in no function of its symbol table; left out, as gprof knows no other",
            grouped(gmon.outside()),
            grouped(gmon.outside().saturating_add(gmon.samples()))
        ));
    }
    if loss.capped > 0 {
        speak::line(&format!(
            "{name}: {} samples are left out: more than a file of gprof's can hold of one place",
            grouped(loss.capped)
        ));
    }
    Ok(if profile.incomplete { ExitCode::from(status::FAILED) } else { ExitCode::SUCCESS })
}

/// The samples are of one event, whatever its unit masks.
fn one_event(recording: &Recording) -> Result<()> {
    let sampled: BTreeSet<EventId> = recording.counts.iter().map(|(key, _)| key.event).collect();
    let events = sampled.iter().filter_map(|id| recording.events.get(usize::from(id.0)));
    let mut kinds: Vec<(&str, String)> =
        events.map(|event| (event.name.as_str(), format!("{:?}", event.sampling))).collect();
    kinds.dedup();
    if kinds.len() < 2 {
        return Ok(());
    }
    let names: BTreeSet<&str> = kinds.iter().map(|(name, _)| *name).collect();
    let choice = if names.len() > 1 { "event:NAME" } else { "count:N" };
    bail!(
        "samples of {} events are chosen ({}): choose one with {choice}",
        kinds.len(),
        told(names.into_iter())
    )
}

/// The images, all builds of one binary, whose samples are meant: the own ones of the apps if there are such, else all.
fn one_binary(recording: &Recording) -> Result<BTreeSet<ImageId>> {
    let mut own: BTreeMap<&str, BTreeSet<ImageId>> = BTreeMap::new();
    let mut all = own.clone();
    for (key, _) in recording.counts.iter() {
        let Some(image) = recording.image(key.image) else { continue };
        let app = recording.process(key.process).and_then(|process| process.app);
        let app = app.and_then(|app| recording.image(app));
        if app.is_some_and(|app| app.name == image.name) {
            own.entry(&image.name).or_default().insert(key.image);
        }
        all.entry(&image.name).or_default().insert(key.image);
    }
    let chosen = if own.is_empty() { all } else { own };
    match chosen.len() {
        1 => Ok(chosen.into_values().next().unwrap_or_default()),
        0 => bail!("there are no samples"),
        several => bail!(
            "samples of {several} binaries are chosen ({}): choose one with image:PATH or lib-image:PATH",
            told(chosen.keys().copied())
        ),
    }
}

/// The first of some names.
fn told<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(MOST_TOLD);
    let mut told: Vec<String> = names.take(MOST_TOLD).map(printable_owned).collect();
    if more > 0 {
        told.push(format!("{more} more"));
    }
    told.join(", ")
}

fn printable_owned(name: &str) -> String {
    printable(name).into_owned()
}

/// How the binary writes numbers; says where it is not the one that was sampled.
fn layout(recording: &Recording, images: &BTreeSet<ImageId>, places: &ImagePlaces) -> GmonLayout {
    let own = GmonLayout {
        is_64_bit: cfg!(target_pointer_width = "64"),
        is_big_endian: cfg!(target_endian = "big"),
    };
    let Some(image) = images.first().and_then(|id| recording.image(*id)) else { return own };
    let Ok((path, file)) = ImageFiles::new(places).open(&image.name) else {
        speak::line(&format!(
            "{}: is not there; gprof needs it as it was when it was sampled",
            printable(&image.name)
        ));
        return own;
    };
    let is_same = images
        .iter()
        .filter_map(|id| recording.image(*id))
        .all(|image| is_mapped_file(&file, image.identity, |file| build_id(file).ok().flatten()));
    // Of a session that was said when it was read.
    let was_said = matches!(image.identity, ImageIdentity::Modified(_));
    if !is_same && !was_said {
        speak::line(&format!(
            "{}: has been changed since it was sampled: gprof may tell wrong functions",
            path.display()
        ));
    }
    layout_of(&file).unwrap_or(own)
}

/// Class and byte order as the first bytes of an ELF file tell them (elf(5), e_ident).
fn layout_of(mut file: &File) -> Option<GmonLayout> {
    let mut start = [0; 6];
    file.read_exact(&mut start).ok()?;
    let [0x7f, b'E', b'L', b'F', class, order] = start else { return None };
    Some(GmonLayout { is_64_bit: class == 2, is_big_endian: order == 2 })
}
