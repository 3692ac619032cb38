//! Puts several recordings together into one.

mod names;
mod places;

use names::NamesIndex;
use places::Places;
use rustc_hash::FxHashMap;

use super::Recording;
use super::batch::Batch;
use super::loose::{LooseNames, LooseRecording};
use crate::profile::{Chains, Folded, Folds, Room};
use crate::{Call, Coverage, Event, EventCoverage, EventId, Image, ImageId, ImageIdentity, Key, Process};

/// How much may be apart in a merged recording before processes are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeLimits {
    /// As many sampled places and calls.
    pub places: usize,
    /// As many processes.
    pub processes: usize,
}

impl Default for MergeLimits {
    /// What takes some 50 MB.
    fn default() -> MergeLimits {
        MergeLimits { places: 450_000, processes: 20_000 }
    }
}

/// As many notes of recordings are kept.
const MOST_NOTES: usize = 100;

/// Recordings whose events are too many together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its events and those of the others are more than {MOST_EVENTS}")]
pub struct TooManyEvents;

/// A recording has at most this many events: each has a column in a report.
const MOST_EVENTS: usize = 10_000;

/// Puts recordings together, one after the other.
///
/// The circumstances are those of the first. Its size follows what is distinct in the recordings, not their number: above
/// the limits, processes that ran the same programs are folded into one, but for the busiest.
///
/// An image that several recordings have is one, by its name and identity. Where nothing but a name tells it from others
/// (the kernel, code of JIT compilers), and two recordings have different names for one of its places, it stays two.
#[derive(Debug, Default)]
pub struct Merger {
    merged: Recording,
    /// Its samples.
    places: Places,
    limits: MergeLimits,
    recordings: usize,
    /// What processes are folded into, once they are.
    folds: Option<Folds>,
    images: FxHashMap<Image, Vec<ImageId>>,
    /// What was resolved, of each image.
    names: Vec<NamesIndex>,
}

impl Recording {
    /// Adds what another recording holds, as if it had been recorded here. For more than one a [`Merger`] takes less time.
    pub fn merge(&mut self, other: Recording) {
        let mut merger = Merger::new(MergeLimits { places: usize::MAX, processes: usize::MAX });
        if merger.add(std::mem::take(self)).is_ok() {
            let _ = merger.add(other);
        }
        *self = merger.finish().unwrap_or_default();
    }
}

impl Merger {
    /// With these limits.
    pub fn new(limits: MergeLimits) -> Merger {
        Merger { limits, ..Merger::default() }
    }

    /// How many recordings were added.
    pub fn recordings(&self) -> usize {
        self.recordings
    }

    /// Processes were folded so far.
    pub fn has_folded(&self) -> bool {
        self.folds.is_some()
    }

    /// Adds a recording.
    ///
    /// # Errors
    /// Where that would be too many events. Nothing of it is added then.
    pub fn add(&mut self, other: impl Into<LooseRecording>) -> Result<(), TooManyEvents> {
        let LooseRecording { recording: other, mut batches, names } = other.into();
        let events = self.events(&other.events)?;
        self.add_circumstances(&other);
        self.add_coverage(&other.coverage, &events);
        let images = self.images(&other.images, names);
        let image = |id: ImageId| images.get(id.0 as usize).copied();
        let event = |id: EventId| events.get(usize::from(id.0)).copied();
        let theirs = self.own_words(other.processes, &images, &events);
        let folded = self.add_processes(theirs, &batches);
        // Those of one image find its places while the processor still holds them near.
        batches.sort_by_key(|batch| batch.key().image);
        for batch in &batches {
            let key = batch.key();
            if let (Some(image), Some(event)) = (image(key.image), event(key.event)) {
                let (process, thread) = folded.process_and_thread(key.process, key.thread);
                self.places.add(Key { process, thread, image, event, ..key }, batch.iter());
            }
        }
        for (call, times) in other.calls.iter() {
            if let (Some(caller_image), Some(callee_image), Some(event)) =
                (image(call.caller_image), image(call.callee_image), event(call.event))
            {
                let (process, thread) = folded.process_and_thread(call.process, call.thread);
                let call = Call { process, thread, caller_image, callee_image, event, ..call };
                self.merged.calls.add(call, times);
            }
        }
        for (id, package) in other.packages {
            if let Some(image) = image(id) {
                self.merged.packages.entry(image).or_insert(package);
            }
        }
        self.recordings += 1;
        if self.is_too_much() {
            // Some places may be there twice.
            self.places.settle();
            if self.is_too_much() {
                self.fold();
            }
        }
        Ok(())
    }

    fn is_too_much(&self) -> bool {
        let places = self.places.len() + self.merged.calls.len();
        places > self.limits.places || self.merged.processes.len() > self.limits.processes
    }

    /// Processes of another recording, with the images and events of this one. Their numbers are still their own.
    fn own_words(
        &mut self,
        mut processes: Vec<Process>,
        images: &[ImageId],
        events: &[EventId],
    ) -> Vec<Process> {
        let width = self.merged.events.len();
        self.widen_totals(width);
        for process in &mut processes {
            process.app = process.app.and_then(|app| images.get(app.0 as usize).copied());
            if !process.event_totals.is_empty() {
                let mut totals = vec![0_u64; width];
                for (total, event) in process.event_totals.iter().zip(events) {
                    totals[usize::from(event.0)] = *total;
                }
                process.event_totals = totals;
            }
        }
        processes
    }

    /// Adds processes, folded once others were; gives the numbers that they get.
    fn add_processes(&mut self, theirs: Vec<Process>, batches: &[Batch]) -> Folded {
        let ours = std::mem::take(&mut self.merged.processes);
        let mut chains = Chains::new(&theirs, batches.iter().flat_map(Batch::iter));
        let mut folded = match &mut self.folds {
            Some(folds) => chains.fold_into(theirs, ours, folds),
            None => {
                chains.keep_all();
                chains.fold_into(theirs, ours, &mut Folds::default())
            }
        };
        self.merged.processes = std::mem::take(&mut folded.processes);
        folded
    }

    /// The sum of all that was added; `None` where nothing was.
    pub fn finish(self) -> Option<Recording> {
        let Merger { mut merged, names, places, recordings, .. } = self;
        merged.counts = places.finish();
        merged.names = names.into_iter().map(NamesIndex::finish).collect();
        (recordings > 0).then_some(merged)
    }

    /// The number that each event has in the sum. An event that was recorded twice at a time is two.
    fn events(&mut self, theirs: &[Event]) -> Result<Vec<EventId>, TooManyEvents> {
        let mut numbers: Vec<EventId> = Vec::with_capacity(theirs.len());
        let ours = &mut self.merged.events;
        let had = ours.len();
        for event in theirs {
            let index = (0..ours.len())
                .find(|&index| ours[index] == *event && !numbers.contains(&EventId(index as u16)));
            let index = index.unwrap_or(ours.len());
            if index >= MOST_EVENTS {
                ours.truncate(had);
                return Err(TooManyEvents);
            }
            if index == ours.len() {
                ours.push(event.clone());
            }
            numbers.push(EventId(index as u16));
        }
        Ok(numbers)
    }

    fn add_circumstances(&mut self, other: &Recording) {
        let merged = &mut self.merged;
        if self.recordings == 0 {
            merged.run.clone_from(&other.run);
            merged.run.notes.clear();
            merged.end = other.end;
        }
        for note in &other.run.notes {
            if merged.run.notes.len() < MOST_NOTES && !merged.run.notes.contains(note) {
                merged.run.notes.push(note.clone());
            }
        }
        merged.run.cpus = merged.run.cpus.max(other.run.cpus);
        merged.run.started_unix = merged.run.started_unix.min(other.run.started_unix);
        merged.duration = merged.duration.saturating_add(other.duration);
        merged.damage = merged.damage.or(other.damage);
        merged.end = merged.end.and(other.end);
    }

    /// The number that each image has in the sum, with its names. What stays apart within a recording does so in the sum.
    fn images(&mut self, images: &[Image], names: Vec<LooseNames>) -> Vec<ImageId> {
        let mut numbers = Vec::with_capacity(images.len());
        let names = names.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        for (image, names) in images.iter().zip(names) {
            let alike = self.images.entry(image.clone()).or_default();
            let has_content = matches!(image.identity, ImageIdentity::BuildId(_));
            let has_identity = image.identity != ImageIdentity::None;
            let known = alike.iter().copied().find(|id| {
                let ours = &self.names[id.0 as usize];
                match &names {
                    Some(names) if !names.offsets().is_empty() => {
                        has_content || ours.agrees(names, !has_identity) && (has_identity || !ours.is_empty())
                    }
                    // Nothing was resolved: where only the name is the same, what it is called elsewhere may be something else.
                    _ => has_identity || ours.is_empty(),
                }
            });
            let id = known.unwrap_or_else(|| {
                let id = ImageId(self.merged.images.len() as u32);
                alike.push(id);
                self.merged.images.push(image.clone());
                self.names.push(NamesIndex::default());
                id
            });
            if let Some(names) = names {
                self.names[id.0 as usize].add(&names);
            }
            numbers.push(id);
        }
        numbers
    }

    /// Every total is there for each of as many events.
    fn widen_totals(&mut self, width: usize) {
        for totals in self.merged.processes.iter_mut().map(|process| &mut process.event_totals) {
            if !totals.is_empty() {
                totals.resize(width, 0);
            }
        }
    }

    /// Folds processes that ran the same programs: all but the busiest at first, all others as they come, and those, too,
    /// where it is too much again.
    fn fold(&mut self) {
        let merged = &mut self.merged;
        let room = match &self.folds {
            None => Room { entries: self.limits.processes / 4, places: self.limits.places / 4 },
            Some(_) => Room { entries: 0, places: 0 },
        };
        let mut chains = Chains::new(&merged.processes, self.places.iter());
        if chains.choose(&merged.processes, room).is_some() {
            let mut folds = Folds::default();
            let mut folded = chains.fold_into(std::mem::take(&mut merged.processes), Vec::new(), &mut folds);
            self.folds = Some(folds);
            merged.processes = std::mem::take(&mut folded.processes);
            self.places.change_keys(|key| {
                let (process, thread) = folded.process_and_thread(key.process, key.thread);
                Key { process, thread, ..key }
            });
            let calls = std::mem::take(&mut merged.calls);
            for (call, times) in calls.iter() {
                let (process, thread) = folded.process_and_thread(call.process, call.thread);
                merged.calls.add(Call { process, thread, ..call }, times);
            }
        }
        // What is distinct all the same is not to be gone through again with each recording.
        let places = self.places.len() + merged.calls.len();
        self.limits.places = self.limits.places.max(places.saturating_mul(2));
        self.limits.processes = self.limits.processes.max(merged.processes.len().saturating_mul(2));
    }

    fn add_coverage(&mut self, other: &Coverage, events: &[EventId]) {
        let width = self.merged.events.len();
        let coverage = &mut self.merged.coverage;
        let had = coverage.events.len();
        coverage.events.resize_with(width, EventCoverage::default);
        for (theirs, event) in other.events.iter().zip(events) {
            let index = usize::from(event.0);
            let ours = &mut coverage.events[index];
            *ours = match index < had {
                true => sum(ours, theirs),
                false => theirs.clone(),
            };
        }
        coverage.lost_records = coverage.lost_records.saturating_add(other.lost_records);
        coverage.lost_samples = coverage.lost_samples.saturating_add(other.lost_samples);
        coverage.throttled = coverage.throttled.saturating_add(other.throttled);
        coverage.idle_time = coverage.idle_time.saturating_add(other.idle_time);
        coverage.paused_time = coverage.paused_time.saturating_add(other.paused_time);
        coverage.files_left_out = coverage.files_left_out.saturating_add(other.files_left_out);
        coverage.left_running = coverage.left_running.saturating_add(other.left_running);
    }
}

fn sum(ours: &EventCoverage, theirs: &EventCoverage) -> EventCoverage {
    EventCoverage {
        // What one of the two does not know, both together do not.
        counted: ours.counted.zip(theirs.counted).map(|(ours, theirs)| ours.saturating_add(theirs)),
        samples: ours.samples.saturating_add(theirs.samples),
        weight: ours.weight.saturating_add(theirs.weight),
        outside_samples: ours.outside_samples.saturating_add(theirs.outside_samples),
        outside_weight: ours.outside_weight.saturating_add(theirs.outside_weight),
        time_enabled: ours.time_enabled.saturating_add(theirs.time_enabled),
        time_running: ours.time_running.saturating_add(theirs.time_running),
    }
}
