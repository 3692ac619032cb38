//! Batches: the samples of a recording as its file has them, for who reads each once.

use std::io::Read;
use std::path::Path;

use super::{Error, Recording};
use crate::{Count, Counts, ImageNames, ImageOffset, Key};

/// Samples that differ in their offsets alone, which ascend: as they stand in the file together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Of the first place; the offset is not of use.
    pub(super) key: Key,
    /// The distance of each offset from the one before. Their sum is an offset: it is looked at when they are read.
    pub(super) distances: Vec<u64>,
    /// How many samples each place has; empty for one each.
    pub(super) samples: Vec<u64>,
    /// What they stand for; empty where that is the period, each.
    pub(super) weights: Vec<u64>,
    pub(super) period: u64,
}

impl Batch {
    /// The places, with what was added to each.
    pub fn iter(&self) -> impl Iterator<Item = (Key, Count)> + '_ {
        let mut offset = 0_u64;
        self.distances.iter().enumerate().map(move |(index, distance)| {
            offset = offset.saturating_add(*distance);
            let samples = self.samples.get(index).copied().unwrap_or(1);
            let weight = match self.weights.get(index) {
                Some(weight) => *weight,
                None => samples.saturating_mul(self.period),
            };
            (Key { offset: ImageOffset(offset), ..self.key }, Count { samples, weight })
        })
    }
}

/// A recording with its samples in batches: a place may be in several of them, each with a part of its samples. Reading it
/// takes a fraction of the time and memory that it takes to find each place among all others, as [`Recording::open`] does.
#[derive(Clone, Debug, Default)]
pub struct BatchedRecording {
    /// The recording, without its samples.
    pub recording: Recording,
    /// Its samples.
    pub batches: Vec<Batch>,
}

impl BatchedRecording {
    /// Reads a recording from a file, as [`Recording::open`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> Result<BatchedRecording, Error> {
        BatchedRecording::read(super::read::open(path)?, path)
    }

    /// Reads a recording from bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn read(input: impl Read, path: &Path) -> Result<BatchedRecording, Error> {
        let mut batches = Batches::Kept(Vec::new());
        let mut names: Vec<ImageNames> = Vec::new();
        let recording = super::read::read(input, path, &mut batches, &mut names)?;
        let recording = Recording { names, ..recording };
        let Batches::Kept(batches) = batches else { return Ok(BatchedRecording::default()) };
        Ok(BatchedRecording { recording, batches })
    }

    /// Every place with a part of its samples, or all.
    pub fn iter(&self) -> impl Iterator<Item = (Key, Count)> + '_ {
        self.batches.iter().flat_map(Batch::iter)
    }
}

/// What becomes of the samples that are read.
pub(super) enum Batches {
    /// They are folded by place.
    Folded(Counts),
    /// They stay as they are.
    Kept(Vec<Batch>),
    /// They are listed.
    Listed(Vec<(Key, Count)>),
}

impl Batches {
    /// Adds samples; gives the batch back where it is not kept.
    pub(super) fn add(&mut self, batch: Batch) -> Option<Batch> {
        match self {
            Batches::Folded(counts) => batch.iter().for_each(|(key, count)| counts.add(key, count)),
            Batches::Listed(places) => places.extend(batch.iter()),
            Batches::Kept(_) if batch.distances.is_empty() => {}
            Batches::Kept(batches) => {
                batches.push(batch);
                return None;
            }
        }
        Some(batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Batches::Folded(counts) => counts.is_empty(),
            Batches::Kept(batches) => batches.is_empty(),
            Batches::Listed(places) => places.is_empty(),
        }
    }

    /// Visits all samples.
    pub(super) fn for_each(&self, visit: impl FnMut((Key, Count))) {
        match self {
            Batches::Folded(counts) => counts.iter().for_each(visit),
            Batches::Kept(batches) => batches.iter().flat_map(Batch::iter).for_each(visit),
            Batches::Listed(places) => places.iter().copied().for_each(visit),
        }
    }
}
