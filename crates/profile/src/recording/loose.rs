//! A recording as it is read to be merged: of what there is most of, little is unpacked.

use std::path::Path;

use super::batch::{Batch, Batches, batches};
use super::columns::Numbers;
use super::decode::{Contradiction, NamesSink, place, segment, symbol, take_offsets};
use super::read::{open, read};
use super::{Error, Recording, schema};
use crate::{
    ImageNames, ImageOffset, Segment, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId, Unresolved,
};

/// A recording that is read to be added to others by a [`Merger`](super::Merger). Who merges a thousand runs of the same
/// programs knows most names already; these stay packed.
#[derive(Clone, Debug, Default)]
pub struct LooseRecording {
    /// Everything but samples and names.
    pub recording: Recording,
    /// The samples; a place may be in several batches.
    pub(super) batches: Vec<Batch>,
    /// The names of the images, each at its index.
    pub(super) names: Vec<LooseNames>,
}

impl LooseRecording {
    /// Reads a recording from a file.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn open(path: &Path) -> Result<LooseRecording, Error> {
        let mut samples = Batches::Kept(Vec::new());
        let mut names: Vec<LooseNames> = Vec::new();
        let recording = read(open(path)?, path, &mut samples, &mut names)?;
        let Batches::Kept(batches) = samples else { return Ok(LooseRecording::default()) };
        Ok(LooseRecording { recording, batches, names })
    }

    /// How many samples there are.
    pub fn samples(&self) -> u64 {
        self.batches.iter().fold(0, |sum: u64, batch| sum.saturating_add(batch.samples()))
    }
}

impl From<Recording> for LooseRecording {
    fn from(mut recording: Recording) -> LooseRecording {
        let batches = batches(std::mem::take(&mut recording.counts).iter().collect());
        let names = std::mem::take(&mut recording.names).into_iter().map(LooseNames::Unpacked).collect();
        LooseRecording { recording, batches, names }
    }
}

impl NamesSink for Vec<LooseNames> {
    fn take(&mut self, images: usize, message: schema::ImageNames) -> Result<(), Contradiction> {
        let image = message.image as usize;
        if self.len() <= image {
            self.resize_with(images, || LooseNames::Packed(PackedNames::default()));
        }
        match &mut self[image] {
            LooseNames::Packed(names) => names.take(message),
            LooseNames::Unpacked(_) => Ok(()),
        }
    }
}

/// The names of one image.
#[derive(Clone, Debug)]
pub(super) enum LooseNames {
    Packed(PackedNames),
    Unpacked(ImageNames),
}

/// Names as they are in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct PackedNames {
    files: Vec<String>,
    symbols: Vec<schema::PackedSymbol>,
    offsets: Vec<(ImageOffset, Result<SymbolId, Unresolved>)>,
    /// From the offset of this index on, places of the offsets one after the other.
    places: Vec<(usize, Vec<schema::PackedSourcePlace>)>,
    segments: Vec<Segment>,
}

impl PackedNames {
    fn take(&mut self, message: schema::ImageNames) -> Result<(), Contradiction> {
        if !message.files.is_empty() && message.first_file as usize != self.files.len() {
            return Err("source files out of order");
        }
        if !message.symbols.is_empty() && message.first_symbol as usize != self.symbols.len() {
            return Err("symbols out of order");
        }
        if !message.places.is_empty() && Numbers::new(&message.offsets).length() != message.places.len() {
            return Err("columns of different lengths");
        }
        self.segments.extend(message.segments.iter().map(segment));
        self.files.extend(message.files);
        self.symbols.extend(message.symbols);
        let first = self.offsets.len();
        take_offsets(&mut self.offsets, &message.offsets, &message.answers, self.symbols.len())?;
        if !message.places.is_empty() {
            self.places.push((first, message.places));
        }
        Ok(())
    }
}

impl LooseNames {
    /// The offsets with their answers, ascending.
    pub(super) fn offsets(&self) -> &[(ImageOffset, Result<SymbolId, Unresolved>)] {
        match self {
            LooseNames::Packed(names) => &names.offsets,
            LooseNames::Unpacked(names) => &names.offsets,
        }
    }

    /// How many symbols there are.
    pub(super) fn symbols(&self) -> usize {
        match self {
            LooseNames::Packed(names) => names.symbols.len(),
            LooseNames::Unpacked(names) => names.symbols.len(),
        }
    }

    /// Unpacks the symbol of this index; `None` where there is none, or it is not what it should be.
    pub(super) fn symbol(&self, id: SymbolId) -> Option<Symbol> {
        let index = id.0 as usize;
        match self {
            LooseNames::Packed(names) => symbol(names.symbols.get(index)?.clone(), names.files.len()).ok(),
            LooseNames::Unpacked(names) => names.symbols.get(index).cloned(),
        }
    }

    /// Lines are known.
    pub(super) fn has_places(&self) -> bool {
        match self {
            LooseNames::Packed(names) => !names.places.is_empty(),
            LooseNames::Unpacked(names) => !names.places.is_empty(),
        }
    }

    /// Unpacks what the source says of the offset of this index.
    pub(super) fn place(&self, index: usize) -> SourcePlace {
        let found = match self {
            LooseNames::Packed(names) => {
                let part = names.places.partition_point(|(first, _)| *first <= index).checked_sub(1);
                let part = part.and_then(|part| names.places.get(part));
                let packed = part.and_then(|(first, places)| places.get(index - first));
                let (files, symbols) = (names.files.len(), names.symbols.len());
                packed.and_then(|packed| place(packed.clone(), files, symbols).ok())
            }
            LooseNames::Unpacked(names) => names.places.get(index).cloned(),
        };
        found.unwrap_or_default()
    }

    /// The path of a source file.
    pub(super) fn file(&self, line: SourceLine) -> Option<&str> {
        let SourceFileId(file) = line.file;
        let files = match self {
            LooseNames::Packed(names) => &names.files,
            LooseNames::Unpacked(names) => &names.files,
        };
        files.get(file as usize).map(String::as_str)
    }

    /// The parts of the image that are loaded.
    pub(super) fn segments(&self) -> &[Segment] {
        match self {
            LooseNames::Packed(names) => &names.segments,
            LooseNames::Unpacked(names) => &names.segments,
        }
    }
}
