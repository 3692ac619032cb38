//! What samples are of, as far as a specification looks at it.

use super::{Glob, Specification};
use crate::session::SamplePath;
use crate::{Key, Process, Recording, Sampling};

/// What samples are of, as far as a specification looks at it: those of one sample file, or of a recording those that only
/// their addresses tell apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sampled {
    /// The app, by the name that OProfile shows.
    pub app: String,
    /// The image; of calls the caller's.
    pub image: String,
    /// The event.
    pub event: String,
    /// Its count; `None` where it has no fixed one.
    pub count: Option<u64>,
    /// Its unit mask.
    pub unit_mask: u64,
    /// The CPU, where CPUs are told apart.
    pub cpu: Option<u64>,
    /// The process, where they are.
    pub tgid: Option<u64>,
    /// The thread, where they are.
    pub tid: Option<u64>,
}

impl From<&SamplePath> for Sampled {
    fn from(path: &SamplePath) -> Sampled {
        Sampled {
            app: path.app.name().into_owned(),
            image: path.image.name().into_owned(),
            event: path.event.clone(),
            count: Some(path.count),
            unit_mask: path.unit_mask,
            cpu: path.cpu.map(u64::from),
            tgid: path.tgid.map(u64::from),
            tid: path.tid.map(u64::from),
        }
    }
}

impl Sampled {
    /// Everything that the samples of a recording are of.
    pub fn all_of(recording: &Recording) -> Vec<Sampled> {
        let mut keys: Vec<Key> = recording.counts.iter().map(|(key, _)| key).collect();
        for key in &mut keys {
            key.offset = crate::ImageOffset(0);
        }
        keys.sort_unstable();
        keys.dedup();
        keys.iter().filter_map(|key| Sampled::of(recording, key)).collect()
    }

    fn of(recording: &Recording, key: &Key) -> Option<Sampled> {
        let event = recording.events.get(usize::from(key.event.0))?;
        let process = recording.process(key.process)?;
        Some(Sampled {
            app: app_name(recording, process),
            image: recording.image(key.image)?.oprofile_name().into_owned(),
            event: event.name.clone(),
            count: match event.sampling {
                Sampling::Count(count) => Some(count),
                Sampling::Frequency(_) | Sampling::WithLeader => None,
            },
            unit_mask: event.unit_mask,
            cpu: Some(key.cpu).filter(|cpu| *cpu != Key::ALL_CPUS).map(u64::from),
            tgid: Some(process.pid).filter(|pid| *pid != Process::ALL).map(u64::from),
            tid: Some(key.thread).filter(|thread| *thread != 0).map(u64::from),
        })
    }
}

/// The name of a process's app; of a kernel thread, or where the app was never seen, its own.
pub(super) fn app_name(recording: &Recording, process: &Process) -> String {
    let app = process.app.and_then(|app| recording.image(app));
    app.map_or_else(|| process.comm.clone(), |app| app.oprofile_name().into_owned())
}

pub(super) fn any(globs: &[Glob], name: &str) -> bool {
    globs.iter().any(|glob| glob.matches(name))
}

impl Specification {
    /// The samples are chosen.
    pub fn takes(&self, sampled: &Sampled) -> bool {
        self.takes_code(&sampled.app, &sampled.image)
            && self.events.as_ref().is_none_or(|names| names.contains(&sampled.event))
            && self.counts.contains(sampled.count)
            && self.unit_masks.contains(Some(sampled.unit_mask))
            && self.cpus.contains(sampled.cpu)
            && self.tgids.contains(sampled.tgid)
            && self.tids.contains(sampled.tid)
    }

    /// The samples of an image in an app are chosen, as far as these go.
    pub(super) fn takes_code(&self, app: &str, image: &str) -> bool {
        let tags = !self.images.is_empty() || !self.lib_images.is_empty();
        let by_tags = || {
            (self.images.is_empty() || any(&self.images, app))
                && (self.lib_images.is_empty() || any(&self.lib_images, image))
        };
        let by_file = || {
            let files = self.files.iter().map(|file| Glob::new(file));
            files.into_iter().any(|glob| glob.matches(app) || glob.matches(image))
        };
        let chosen = match (self.files.is_empty(), tags) {
            (true, _) => by_tags(),
            (false, true) => by_file() || by_tags(),
            (false, false) => by_file(),
        };
        chosen
            && !any(&self.images_excluded, app)
            && !any(&self.images_excluded, image)
            && !any(&self.lib_images_excluded, image)
    }
}
