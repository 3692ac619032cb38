//! The samples of a recording that a specification is about.

use rustc_hash::FxHashMap;

use super::Specification;
use super::sampled::app_name;
use crate::{EventId, ImageId, Key, Process, ProcessId, Recording, Sampling};

/// The samples of a recording that a [`Specification`] is about: globs are matched once for each image of an app, not once
/// for each sample.
#[derive(Clone, Debug)]
pub struct Selection<'s> {
    specification: &'s Specification,
    /// The name of each process's app.
    apps: Vec<String>,
    /// The process and its number, where processes are told apart.
    tgids: Vec<Option<u64>>,
    images: Vec<String>,
    events: Vec<bool>,
    /// What was found of an image in an app.
    code: FxHashMap<(ProcessId, ImageId), bool>,
}

impl<'s> Selection<'s> {
    /// What `specification` chooses of `recording`.
    pub fn new(specification: &'s Specification, recording: &Recording) -> Selection<'s> {
        let processes = &recording.processes;
        let events = recording.events.iter().map(|event| {
            let count = match event.sampling {
                Sampling::Count(count) => Some(count),
                Sampling::Frequency(_) | Sampling::WithLeader => None,
            };
            specification.events.as_ref().is_none_or(|names| names.contains(&event.name))
                && specification.counts.contains(count)
                && specification.unit_masks.contains(Some(event.unit_mask))
        });
        let tgid = |process: &Process| Some(process.pid).filter(|pid| *pid != Process::ALL).map(u64::from);
        Selection {
            specification,
            apps: processes.iter().map(|process| app_name(recording, process)).collect(),
            tgids: processes.iter().map(tgid).collect(),
            images: recording.images.iter().map(|image| image.oprofile_name().into_owned()).collect(),
            events: events.collect(),
            code: FxHashMap::default(),
        }
    }

    /// The samples of this key are chosen.
    pub fn takes(&mut self, key: &Key) -> bool {
        self.takes_event(key.event)
            && self.takes_task(key.process, key.thread, key.cpu)
            && self.takes_code(key.process, key.image)
    }

    /// The samples of this event are.
    pub fn takes_event(&self, event: EventId) -> bool {
        self.events.get(usize::from(event.0)).copied().unwrap_or(false)
    }

    /// The samples of this app and image are, as far as these go.
    pub fn takes_code(&mut self, process: ProcessId, image: ImageId) -> bool {
        if let Some(known) = self.code.get(&(process, image)) {
            return *known;
        }
        let app = self.apps.get(process.0 as usize).map_or("", String::as_str);
        let name = self.images.get(image.0 as usize).map_or("", String::as_str);
        let takes = self.specification.takes_code(app, name);
        self.code.insert((process, image), takes);
        takes
    }

    /// The samples of this process, thread and CPU are, as far as these go.
    pub fn takes_task(&self, process: ProcessId, thread: u32, cpu: u16) -> bool {
        let Specification { cpus, tgids, tids, .. } = self.specification;
        cpus.contains(Some(cpu).filter(|cpu| *cpu != Key::ALL_CPUS).map(u64::from))
            && tgids.contains(self.tgids.get(process.0 as usize).copied().flatten())
            && tids.contains(Some(thread).filter(|thread| *thread != 0).map(u64::from))
    }
}
#[cfg(test)]
mod tests {
    use super::super::Sampled;
    use super::*;
    use crate::{Count, Event, Image, ImageIdentity, ImageKind, Process};

    fn recording() -> Recording {
        let image = |name: &str| Image {
            name: name.to_owned(),
            kind: ImageKind::File,
            identity: ImageIdentity::None,
        };
        let process = |pid, app| Process { pid, app: Some(ImageId(app)), ..Process::default() };
        let event = |name: &str, count| Event {
            name: name.to_owned(),
            description: String::new(),
            unit_mask: 0,
            unit_mask_description: String::new(),
            sampling: Sampling::Count(count),
            user: true,
            kernel: true,
            nanoseconds: false,
            group: None,
        };
        let mut recording = Recording {
            events: vec![event("A", 1), event("B", 2)],
            images: vec![image("/bin/hot"), image("/bin/cold"), image("/lib/l.so")],
            processes: vec![process(10, 0), process(20, 1)],
            ..Recording::default()
        };
        let places = [(0, 0), (0, 2), (1, 1), (1, 2)];
        for (number, (process, image)) in (0_u64..).zip(places) {
            for event in [0, 1] {
                let key = Key {
                    process: ProcessId(process),
                    image: ImageId(image),
                    event: EventId(event),
                    thread: 10 + process,
                    cpu: process as u16,
                    ..Key::default()
                };
                let samples = 1 << (2 * number + u64::from(event));
                recording.counts.add(key, Count { samples, weight: 0 });
            }
        }
        recording
    }

    /// The samples taken, as a number with a bit for each.
    fn taken(arguments: &[&str]) -> u64 {
        let specification = Specification::parse(arguments).expect("valid");
        let recording = recording();
        let mut selection = Selection::new(&specification, &recording);
        let taken: u64 = recording
            .counts
            .iter()
            .filter(|(key, _)| selection.takes(key))
            .map(|(_, count)| count.samples)
            .sum();
        // Each sample by itself says the same.
        let sampled = Sampled::all_of(&recording);
        assert_eq!(
            sampled.iter().filter(|sampled| specification.takes(sampled)).count() as u32,
            taken.count_ones()
        );
        taken
    }

    #[test]
    fn each_tag_chooses_its_samples() {
        for (arguments, samples) in [
            (vec![], 0b1111_1111),
            (vec!["event:A"], 0b0101_0101),
            (vec!["count:2"], 0b1010_1010),
            (vec!["unit-mask:1"], 0),
            (vec!["image:*hot"], 0b0000_1111),
            (vec!["image-exclude:*hot"], 0b1111_0000),
            (vec!["image-exclude:*.so"], 0b0011_0011),
            (vec!["lib-image:/lib/*"], 0b1100_1100),
            (vec!["lib-image:/lib/*", "image:*hot"], 0b0000_1100),
            (vec!["lib-image-exclude:*hot"], 0b1111_1100),
            (vec!["/bin/hot"], 0b0000_1111),
            (vec!["/lib/l.so"], 0b1100_1100),
            (vec!["/lib/l.so", "image:/bin/hot"], 0b1100_1111),
            (vec!["/bin/hot", "lib-image-exclude:*.so"], 0b0000_0011),
            (vec!["foo:bar"], 0),
            (vec!["cpu:1"], 0b1111_0000),
            (vec!["tgid:10"], 0b0000_1111),
            (vec!["tid:11"], 0b1111_0000),
            (vec!["tid:11", "event:B"], 0b1010_0000),
            (vec!["tid:all"], 0b1111_1111),
        ] {
            assert_eq!(taken(&arguments), samples, "{arguments:?}");
        }
    }
}
