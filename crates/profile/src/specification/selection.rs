//! The samples of a recording that a specification is about.

use super::{Glob, Specification};
use crate::{EventId, ImageId, Key, ProcessId, Recording, Sampling};

/// The samples of a recording that a [`Specification`] is about: the globs are matched once for each image, not once
/// for each sample.
#[derive(Clone, Debug)]
pub struct Selection<'s> {
    specification: &'s Specification,
    /// For each process: a file name chooses its app; `image:` does; it is not left out.
    processes: Vec<App>,
    /// For each image: a file name chooses it; `lib-image:` does; it is not left out.
    images: Vec<App>,
    events: Vec<bool>,
    separates: Separates,
}

/// What a recording tells apart: what it does not, has no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Separates {
    cpus: bool,
    processes: bool,
    threads: bool,
}

/// What globs say of an app or an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct App {
    by_file: bool,
    by_tag: bool,
    kept: bool,
    tgid: u32,
}

fn any(globs: &[Glob], name: &str) -> bool {
    globs.iter().any(|glob| glob.matches(name))
}

impl<'s> Selection<'s> {
    /// What `specification` chooses of `recording`.
    pub fn new(specification: &'s Specification, recording: &Recording) -> Selection<'s> {
        let files: Vec<Glob> = specification.files.iter().map(|file| Glob::new(file)).collect();
        let images = recording.images.iter().map(|image| App {
            by_file: any(&files, &image.name),
            by_tag: any(&specification.lib_images, &image.name),
            kept: !any(&specification.images_excluded, &image.name)
                && !any(&specification.lib_images_excluded, &image.name),
            tgid: 0,
        });
        let processes = recording.processes.iter().map(|process| {
            let app = process.app.and_then(|app| recording.image(app));
            let name = app.map_or(process.comm.as_str(), |app| &app.name);
            App {
                by_file: any(&files, name),
                by_tag: any(&specification.images, name),
                kept: !any(&specification.images_excluded, name),
                tgid: process.pid,
            }
        });
        let events = recording.events.iter().map(|event| {
            let count = match event.sampling {
                Sampling::Count(count) => Some(count),
                Sampling::Frequency(_) | Sampling::WithLeader => None,
            };
            specification.events.as_ref().is_none_or(|names| names.contains(&event.name))
                && specification.counts.contains(count)
                && specification.unit_masks.contains(Some(event.unit_mask))
        });
        Selection {
            specification,
            processes: processes.collect(),
            images: images.collect(),
            events: events.collect(),
            separates: Separates { cpus: true, processes: true, threads: recording.separates_threads() },
        }
    }

    /// The samples of this key are chosen.
    pub fn takes(&self, key: &Key) -> bool {
        self.takes_event(key.event)
            && self.takes_code(key.process, key.image)
            && self.takes_task(key.process, key.thread, key.cpu)
    }

    /// The samples of this event are.
    pub fn takes_event(&self, event: EventId) -> bool {
        self.events.get(usize::from(event.0)).copied().unwrap_or(false)
    }

    /// The samples of this app and image are, as far as these go.
    pub fn takes_code(&self, process: ProcessId, image: ImageId) -> bool {
        let app = self.processes.get(process.0 as usize).copied().unwrap_or_default();
        let image = self.images.get(image.0 as usize).copied().unwrap_or_default();
        let Specification { images, lib_images, files, .. } = self.specification;
        let by_file = app.by_file || image.by_file;
        let tags = !images.is_empty() || !lib_images.is_empty();
        let by_tags = (images.is_empty() || app.by_tag) && (lib_images.is_empty() || image.by_tag);
        let chosen = match (files.is_empty(), tags) {
            (true, _) => by_tags,
            (false, true) => by_file || by_tags,
            (false, false) => by_file,
        };
        chosen && app.kept && image.kept
    }

    /// The samples of this process, thread and CPU are, as far as these go.
    pub fn takes_task(&self, process: ProcessId, thread: u32, cpu: u16) -> bool {
        let Specification { cpus, tgids, tids, .. } = self.specification;
        let tgid = self.processes.get(process.0 as usize).map(|process| u64::from(process.tgid));
        cpus.contains(Some(u64::from(cpu)).filter(|_| self.separates.cpus))
            && tgids.contains(tgid.filter(|_| self.separates.processes))
            && tids.contains(Some(u64::from(thread)).filter(|_| self.separates.threads))
    }
}

#[cfg(test)]
mod tests {
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
        let selection = Selection::new(&specification, &recording);
        recording.counts.iter().filter(|(key, _)| selection.takes(key)).map(|(_, count)| count.samples).sum()
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
