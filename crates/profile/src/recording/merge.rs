//! Puts several recordings together into one.

use rustc_hash::FxHashMap;

use super::Recording;
use crate::{
    Call, Coverage, EventCoverage, EventId, Image, ImageId, ImageNames, Key, ProcessId, SourceFileId,
    SourceLine, SourcePlace, SymbolId,
};

impl Recording {
    /// Adds what another recording holds, as if it had been recorded here. The circumstances stay those of this one.
    pub fn merge(&mut self, other: Recording) {
        let events: Vec<EventId> = other.events.iter().map(|event| self.event_like(event)).collect();
        self.merge_coverage(&other.coverage, &events);
        let mut known: FxHashMap<Image, ImageId> =
            self.images.iter().cloned().zip((0..).map(ImageId)).collect();
        let images: Vec<ImageId> = other
            .images
            .iter()
            .map(|image| {
                *known.entry(image.clone()).or_insert_with(|| {
                    self.images.push(image.clone());
                    ImageId(self.images.len() as u32 - 1)
                })
            })
            .collect();
        let first_process = self.processes.len() as u32;
        let number = |id: ProcessId| ProcessId(id.0 + first_process);
        let width = self.events.len();
        for totals in self.processes.iter_mut().map(|process| &mut process.event_totals) {
            if !totals.is_empty() {
                totals.resize(width, 0);
            }
        }
        for mut process in other.processes {
            process.parent = process.parent.map(number);
            process.before_exec = process.before_exec.map(number);
            process.app = process.app.and_then(|app| images.get(app.0 as usize).copied());
            if !process.event_totals.is_empty() {
                let mut totals = vec![0_u64; width];
                for (total, event) in process.event_totals.iter().zip(&events) {
                    totals[usize::from(event.0)] = *total;
                }
                process.event_totals = totals;
            }
            self.processes.push(process);
        }
        for (key, count) in other.counts.iter() {
            let (Some(image), Some(event)) =
                (images.get(key.image.0 as usize), events.get(usize::from(key.event.0)))
            else {
                continue;
            };
            self.counts.add(Key { process: number(key.process), image: *image, event: *event, ..key }, count);
        }
        for (call, times) in other.calls.iter() {
            let image = |id: ImageId| images.get(id.0 as usize).copied();
            if let (Some(caller_image), Some(callee_image), Some(event)) = (
                image(call.caller_image),
                image(call.callee_image),
                events.get(usize::from(call.event.0)).copied(),
            ) {
                let process = number(call.process);
                self.calls.add(Call { process, caller_image, callee_image, event, ..call }, times);
            }
        }
        self.names.resize_with(self.images.len(), ImageNames::default);
        for (names, image) in other.names.into_iter().zip(&images) {
            self.names[image.0 as usize].merge(names);
        }
        for (image, package) in other.packages {
            if let Some(image) = images.get(image.0 as usize) {
                self.packages.entry(*image).or_insert(package);
            }
        }
        let new_notes = other.run.notes.into_iter().filter(|note| !self.run.notes.contains(note));
        let new_notes: Vec<String> = new_notes.collect();
        self.run.notes.extend(new_notes);
        self.run.cpus = self.run.cpus.max(other.run.cpus);
        self.duration += other.duration;
        self.damage = self.damage.or(other.damage);
        self.end = self.end.and(other.end);
    }

    /// The event of this recording that is the same, added where there is none.
    fn event_like(&mut self, event: &crate::Event) -> EventId {
        let index = self.events.iter().position(|known| known == event).unwrap_or_else(|| {
            self.events.push(event.clone());
            self.events.len() - 1
        });
        EventId(index as u16)
    }

    fn merge_coverage(&mut self, other: &Coverage, events: &[EventId]) {
        let had = self.coverage.events.len();
        self.coverage.events.resize_with(self.events.len(), EventCoverage::default);
        for (theirs, event) in other.events.iter().zip(events) {
            let index = usize::from(event.0);
            let ours = &mut self.coverage.events[index];
            *ours = match index < had {
                true => sum(ours, theirs),
                false => theirs.clone(),
            };
        }
        let coverage = &mut self.coverage;
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

impl ImageNames {
    /// Adds the names of the same image from elsewhere. Where both tell of an offset, one that has a symbol wins, else ours.
    fn merge(&mut self, other: ImageNames) {
        if self.offsets.is_empty() {
            *self = other;
            return;
        }
        let first_file = self.files.len() as u32;
        let line = |line: SourceLine| SourceLine { file: SourceFileId(line.file.0 + first_file), ..line };
        let mut known: FxHashMap<(u64, String), SymbolId> = FxHashMap::default();
        for (symbol, id) in self.symbols.iter().zip((0..).map(SymbolId)) {
            known.insert((symbol.address.0, symbol.name.clone()), id);
        }
        let symbols: Vec<SymbolId> = other
            .symbols
            .into_iter()
            .map(|mut symbol| {
                *known.entry((symbol.address.0, symbol.name.clone())).or_insert_with(|| {
                    symbol.line = symbol.line.map(line);
                    self.symbols.push(symbol);
                    SymbolId(self.symbols.len() as u32 - 1)
                })
            })
            .collect();
        let has_places = !self.places.is_empty() || !other.places.is_empty();
        let ours = std::mem::take(&mut self.offsets);
        let places = std::mem::take(&mut self.places);
        let mut all: Vec<_> = ours
            .into_iter()
            .zip(places.into_iter().chain(std::iter::repeat_with(SourcePlace::default)))
            .collect();
        let symbol_of = |id: SymbolId| symbols.get(id.0 as usize).copied();
        let their_places = other.places.into_iter().chain(std::iter::repeat_with(SourcePlace::default));
        for ((offset, answer), mut place) in other.offsets.into_iter().zip(their_places) {
            let answer = answer.map(|id| symbol_of(id).unwrap_or(SymbolId(0)));
            place.line = place.line.map(line);
            for frame in &mut place.inlined {
                frame.function = symbol_of(frame.function).unwrap_or(SymbolId(0));
                frame.call = frame.call.map(line);
            }
            all.push(((offset, answer), place));
        }
        self.files.extend(other.files);
        // Stable: ours stay before theirs, unless only theirs has a symbol.
        all.sort_by_key(|((offset, answer), _)| (*offset, answer.is_err()));
        all.dedup_by_key(|((offset, _), _)| *offset);
        let (offsets, places): (Vec<_>, Vec<SourcePlace>) = all.into_iter().unzip();
        self.offsets = offsets;
        self.places = if has_places { places } else { Vec::new() };
    }
}
