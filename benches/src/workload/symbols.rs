//! Gives names, lines and inlined calls to addresses of one image, in a process of its own: time and memory are its.

use std::fs::File;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use oprof_profile::{ImageIdentity, ImageOffset};
use oprof_symbolizer::{Cache, DebugDirectories, Symbolizer};

/// `symbols oprof|oprof=CACHE|addr2line IMAGE ADDRESS:OFFSET...`, in hexadecimal. Prints the seconds it took, how many
/// addresses have a line, and the seconds that making an index took where one was missing in the cache.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let [who, image, places @ ..] = arguments else { bail!("who, and which image?") };
    let places = places.iter().map(|place| {
        let (address, offset) = place.split_once(':').context("no offset")?;
        Ok((u64::from_str_radix(address, 16)?, u64::from_str_radix(offset, 16)?))
    });
    let places = places.collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    let symbolizer = match who.split_once('=') {
        Some((_, cache)) => symbolizer.with_cache(Cache::create(Path::new(cache), Cache::USUAL_SIZE)?),
        None => symbolizer,
    };
    let lines = match who.as_str() {
        "addr2line" => addr2line(Path::new(image), &places)?,
        _ if who.starts_with("oprof") => oprof(&symbolizer, Path::new(image), &places)?,
        _ => bail!("no such one: {who}"),
    };
    let answered = start.elapsed();
    let start = Instant::now();
    symbolizer.store_indexes(Duration::from_secs(10));
    println!("{} {lines} {}", answered.as_secs_f64(), start.elapsed().as_secs_f64());
    Ok(())
}

/// The symbolizer; returns the addresses that have a line.
fn oprof(symbolizer: &Symbolizer, image: &Path, places: &[(u64, u64)]) -> Result<usize> {
    let file = File::open(image)?;
    let offsets: Vec<ImageOffset> = places.iter().map(|place| ImageOffset(place.1)).collect();
    let names = symbolizer.resolve_file(Some(image), &file, &ImageIdentity::None, &offsets);
    Ok(names.places.iter().filter(|place| place.line.is_some()).count())
}

/// The addr2line crate, through its own loader, with names demangled as a report needs them.
fn addr2line(image: &Path, places: &[(u64, u64)]) -> Result<usize> {
    let loader = ::addr2line::Loader::new(image).map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut lines = 0;
    for &(address, _) in places {
        let mut frames = loader.find_frames(address).map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut first = true;
        while let Some(frame) = frames.next()? {
            lines += usize::from(first && frame.location.is_some());
            first = false;
            if let Some(function) = frame.function {
                black_box(function.demangle()?.len());
            }
        }
    }
    Ok(lines)
}
