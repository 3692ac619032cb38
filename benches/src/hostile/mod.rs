//! Images that cost whoever reads them as much as possible.

pub(crate) mod debugging;
pub(crate) mod image;
pub(crate) mod tables;

use std::path::Path;

use anyhow::{Context, Result, bail};

use image::Section;

/// A hostile image: its name, and its sections when it takes `size` bytes or so.
pub(crate) type Hostile = (&'static str, fn(size: usize) -> Vec<Section>);

/// Fills `size` bytes with repetitions of `part`.
fn repeated(part: &[u8], size: usize) -> Vec<u8> {
    part.iter().copied().cycle().take(size / part.len() * part.len()).collect()
}

/// All of them.
pub(crate) fn images() -> impl Iterator<Item = &'static Hostile> {
    debugging::IMAGES.iter().chain(tables::IMAGES)
}

/// `hostile NAME SIZE PATH` writes one.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [name, size, path] = arguments else { bail!("which image, of which size, and where?") };
    let (_, sections) = images().find(|(other, _)| other == name).context("no such image")?;
    image::write(Path::new(path), &sections(size.parse()?))
}
