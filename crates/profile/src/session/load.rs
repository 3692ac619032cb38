//! Turns sample files into a recording.

use rustc_hash::FxHashMap;

use super::{Abi, Header, Listing, PathPart, Problem, SampleFile, SamplePath, Samples, Statistics};
use crate::{
    Call, CommandEnd, Count, Coverage, Event, EventCoverage, EventId, Image, ImageId, ImageIdentity,
    ImageKind, ImageOffset, Key, Process, ProcessId, Recording, Sampling, Target,
};

/// What became of sample files.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What they hold, without names: images are not looked at.
    pub recording: Recording,
    /// The number of the CPU type, as the first file states it.
    pub cpu_type: Option<u32>,
    /// OProfile's code of each event, in the order of the recording's events.
    pub event_codes: Vec<u32>,
    /// Files that were left out, each with what is wrong with it.
    pub problems: Vec<Problem>,
}

/// Loads the sample files that were chosen from a listing, in their order. What is wrong with a file leaves out that
/// file alone; so does what is wrong with the listing.
pub fn load<'a>(files: impl IntoIterator<Item = &'a SampleFile>, listing: &Listing, abi: &Abi) -> Loaded {
    let mut loader = Loader::default();
    loader.loaded.problems.clone_from(&listing.problems);
    let mut bytes = Vec::new();
    for file in files {
        if let Err(problem) = loader.add(file, abi, &mut bytes) {
            loader.loaded.problems.push(problem);
        }
    }
    let mut loaded = loader.loaded;
    let coverage = &mut loaded.recording.coverage;
    for session in &listing.sessions {
        Statistics::read(session).add_to(coverage);
    }
    coverage.files_left_out = loaded.problems.len() as u64;
    loaded
}

struct Loader {
    loaded: Loaded,
    images: FxHashMap<Image, ImageId>,
    processes: FxHashMap<(PathPart, Option<u32>), ProcessId>,
    events: FxHashMap<(String, u64, u64), EventId>,
}

impl Default for Loader {
    fn default() -> Loader {
        let mut loaded = Loaded::default();
        let recording = &mut loaded.recording;
        recording.end = Some(CommandEnd::NoCommand);
        recording.run.target = Target::Cpus(None);
        recording.coverage = Coverage::default();
        Loader {
            loaded,
            images: FxHashMap::default(),
            processes: FxHashMap::default(),
            events: FxHashMap::default(),
        }
    }
}

impl Loader {
    fn add(&mut self, file: &SampleFile, abi: &Abi, bytes: &mut Vec<u8>) -> Result<(), Problem> {
        file.read(bytes)?;
        let header = Header::parse(bytes, abi).map_err(|damage| file.damaged(damage))?;
        let samples = Samples::of_file(bytes, abi).map_err(|damage| file.damaged(damage))?;
        let event = self.event(&file.of, &header).ok_or_else(|| Problem {
            path: file.path.clone(),
            what: "one more event than can be told apart".to_owned(),
        })?;
        let process = self.process(&file.of);
        let image = self.image(&file.of.image, header.is_kernel, header.mtime);
        // Which of the two images the time is of is not told; it is the callee's where both are one.
        let callee = file.of.callee.as_ref().map(|callee| self.image(callee, header.callee_is_kernel, 0));
        let run = &mut self.loaded.recording.run;
        if run.cpu_mhz == 0.0 {
            run.cpu_mhz = header.cpu_speed;
        }
        self.loaded.cpu_type.get_or_insert(header.cpu_type);
        let (thread, cpu) = (file.of.tid.unwrap_or(0), file.of.cpu.unwrap_or(Key::ALL_CPUS));
        let recording = &mut self.loaded.recording;
        let coverage = &mut recording.coverage.events[usize::from(event.0)];
        for (key, samples) in samples {
            if samples == 0 {
                continue;
            }
            if let Some(callee) = callee {
                let call = Call {
                    process,
                    thread,
                    caller_image: image,
                    caller: ImageOffset(key >> 32),
                    callee_image: callee,
                    callee: ImageOffset(key & 0xffff_ffff),
                    event,
                    cpu,
                };
                recording.calls.add(call, samples);
                continue;
            }
            let key = Key { process, thread, image, offset: ImageOffset(key), event, cpu };
            let count = Count { samples, weight: samples.saturating_mul(file.of.count) };
            recording.counts.add(key, count);
            coverage.samples = coverage.samples.saturating_add(count.samples);
            coverage.weight = coverage.weight.saturating_add(count.weight);
        }
        Ok(())
    }

    /// The event of a file; `None` where there are too many.
    fn event(&mut self, of: &SamplePath, header: &Header) -> Option<EventId> {
        let key = (of.event.clone(), of.count, of.unit_mask);
        if let Some(event) = self.events.get(&key) {
            return Some(*event);
        }
        let events = &mut self.loaded.recording.events;
        let id = u16::try_from(events.len()).ok().map(EventId)?;
        events.push(Event {
            name: of.event.clone(),
            description: String::new(),
            unit_mask: of.unit_mask,
            unit_mask_description: String::new(),
            sampling: Sampling::Count(of.count),
            user: true,
            kernel: true,
            nanoseconds: false,
            group: None,
        });
        self.loaded.event_codes.push(header.event);
        self.loaded.recording.coverage.events.push(EventCoverage::default());
        self.events.insert(key, id);
        Some(id)
    }

    /// The process of a file: one for each app where processes are not told apart.
    fn process(&mut self, of: &SamplePath) -> ProcessId {
        let key = (of.app.clone(), of.tgid);
        if let Some(process) = self.processes.get(&key) {
            return *process;
        }
        // The program of an app is never the kernel, whatever its threads run.
        let app = self.image(&of.app, false, 0);
        let processes = &mut self.loaded.recording.processes;
        let id = ProcessId(processes.len() as u32);
        let name = of.app.name();
        let comm = name.rsplit('/').next().unwrap_or_default();
        processes.push(Process {
            pid: of.tgid.unwrap_or(Process::ALL),
            comm: comm.chars().take(15).collect(),
            app: Some(app),
            ..Process::default()
        });
        self.processes.insert(key, id);
        id
    }

    fn image(&mut self, part: &PathPart, is_kernel: bool, mtime: u64) -> ImageId {
        let image = match part {
            PathPart::File(path) => Image {
                name: path.clone(),
                kind: if is_kernel { ImageKind::Kernel } else { ImageKind::File },
                identity: ImageIdentity::None,
            },
            PathPart::Kernel(name) => Image {
                name: name.clone(),
                kind: if name == NO_VMLINUX { ImageKind::Kernel } else { ImageKind::KernelModule },
                identity: ImageIdentity::None,
            },
            PathPart::Memory { name, region } => Image {
                name: name.clone(),
                kind: if name == "[vdso]" { ImageKind::Vdso } else { ImageKind::Anonymous },
                identity: ImageIdentity::Region(*region),
            },
        };
        let images = &mut self.loaded.recording.images;
        let id = *self.images.entry(image).or_insert_with_key(|image| {
            images.push(image.clone());
            ImageId(images.len() as u32 - 1)
        });
        let known = &mut images[id.0 as usize].identity;
        if mtime != 0 && matches!(part, PathPart::File(_)) && *known == ImageIdentity::None {
            *known = ImageIdentity::Modified(mtime);
        }
        id
    }
}

/// The name of the kernel where its code is not told apart.
const NO_VMLINUX: &str = "no-vmlinux";
