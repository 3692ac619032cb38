//! Batches: the samples of a recording as its file has them, for who reads each once.

use std::io::Read;
use std::path::Path;

use super::{Error, Recording, columns};
use crate::{Count, Counts, ImageNames, ImageOffset, Key};

/// Samples that differ in their offsets alone, which ascend: as they stand in the file together.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Of places that differ in their offsets alone, which ascend.
    fn of(entries: &[(Key, Count)]) -> Batch {
        let key = entries.first().map(|(key, _)| *key).unwrap_or_default();
        let distances = columns::distances(entries.iter().map(|(key, _)| key.offset.0)).collect();
        let mut batch = Batch { key, distances, ..Batch::default() };
        if entries.iter().any(|(_, count)| count.samples != 1) {
            batch.samples = entries.iter().map(|(_, count)| count.samples).collect();
        }
        match common_period(entries) {
            Some(period) => batch.period = period,
            None => batch.weights = entries.iter().map(|(_, count)| count.weight).collect(),
        }
        batch
    }

    /// What all places share; the offset is not of use.
    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// How many samples there are.
    pub(super) fn samples(&self) -> u64 {
        match self.samples.as_slice() {
            [] => self.distances.len() as u64,
            samples => samples.iter().fold(0, |sum, samples| sum.saturating_add(*samples)),
        }
    }

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

/// The period by which the weight of every entry is its samples times that period, if there is one.
fn common_period(entries: &[(Key, Count)]) -> Option<u64> {
    let first = entries.first()?.1;
    let period = first.weight.checked_div(first.samples).filter(|period| *period > 0)?;
    entries.iter().all(|(_, count)| count.samples.checked_mul(period) == Some(count.weight)).then_some(period)
}

/// Puts places, which are each there once, into batches.
pub(super) fn batches(mut entries: Vec<(Key, Count)>) -> Vec<Batch> {
    let group = |key: &Key| (key.process, key.thread, key.image, key.event, key.cpu);
    entries.sort_unstable_by_key(|(key, _)| (group(key), key.offset));
    entries.chunk_by(|(a, _), (b, _)| group(a) == group(b)).map(Batch::of).collect()
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
}

impl Batches {
    /// Adds samples; gives the batch back where it is not kept.
    pub(super) fn add(&mut self, batch: Batch) -> Option<Batch> {
        match self {
            Batches::Folded(counts) => batch.iter().for_each(|(key, count)| counts.add(key, count)),
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
        }
    }

    /// Visits all samples.
    pub(super) fn for_each(&self, visit: impl FnMut((Key, Count))) {
        match self {
            Batches::Folded(counts) => counts.iter().for_each(visit),
            Batches::Kept(batches) => batches.iter().flat_map(Batch::iter).for_each(visit),
        }
    }
}
