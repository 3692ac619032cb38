//! Gives names to code that JIT compilers made, while a recording goes on: what they made is gone when it ends.

use std::collections::HashMap;

use oprof_collector::{JitBytes, JitFiles, JitProgram};
use oprof_profile::{
    Count, Image, JitSample, Key, ProcessId, Profile, Renumbering, Timestamp, VirtualAddress,
};
use oprof_symbolizer::{JitCode, JitDump, JitImage, PerfMap};

/// As much is read at a time of each file while the recording goes on, in bytes: meanwhile nobody empties the buffers.
const MOST_AT_ONCE: usize = 8 << 20;
/// As many samples wait for their dump to be written up to their time. It is written in blocks, some seconds late.
const MOST_WAITING: usize = 1 << 18;
/// How many processes back the code can be inherited from.
const MOST_ANCESTORS: usize = 8;

/// What compilers told of a program.
#[derive(Debug)]
struct Told {
    /// The process that began it.
    process: ProcessId,
    map: PerfMap,
    dump: JitDump,
    /// Nobody has asked for it since the last call.
    is_idle: bool,
}

/// The names of code that JIT compilers made in all processes of a recording.
#[derive(Debug, Default)]
pub(crate) struct JitNames {
    image: JitImage,
    told: HashMap<JitProgram, Told>,
    /// Samples of times to which a dump has not come yet, in the order of time.
    waiting: HashMap<ProcessId, Vec<JitSample>>,
    /// Samples that found no name so far, by the place in memory.
    nameless: HashMap<ProcessId, HashMap<(Key, VirtualAddress), Count>>,
}

impl JitNames {
    /// Names the samples since the last call; the next ones will be of times from `since` on.
    pub(crate) fn name(&mut self, profile: &mut Profile, files: &mut JitFiles, since: Timestamp) {
        self.take_samples(profile);
        self.told.values_mut().for_each(|told| told.is_idle = true);
        let mut processes: Vec<ProcessId> = self.waiting.keys().copied().collect();
        let started = self.nameless.keys().copied().chain(self.told.values().map(|told| told.process));
        let ended = started.filter(|process| profile.processes()[process.0 as usize].ended.is_some());
        processes.extend(ended);
        processes.sort_unstable();
        processes.dedup();
        for process in processes {
            let has_ended = profile.processes()[process.0 as usize].ended.is_some();
            self.name_process(profile, files, process, has_ended);
        }
        let since = oprof_collector::monotonic(since);
        self.told.retain(|&program, told| {
            told.dump.advance(told.dump.until().min(since));
            let is_over = told.is_idle && profile.processes()[told.process.0 as usize].ended.is_some();
            if is_over {
                files.close(program);
            }
            !is_over
        });
    }

    /// What was named so far.
    pub(crate) fn image(&self) -> &JitImage {
        &self.image
    }

    /// Processes have other numbers from now on.
    pub(crate) fn renumber(&mut self, numbers: &Renumbering) {
        self.told.values_mut().for_each(|told| told.process = numbers.of(told.process));
        for (process, mut samples) in std::mem::take(&mut self.waiting) {
            samples.iter_mut().for_each(|sample| sample.key.process = numbers.of(process));
            self.waiting.entry(numbers.of(process)).or_default().extend(samples);
        }
        for (process, places) in std::mem::take(&mut self.nameless) {
            let process = numbers.of(process);
            let renumbered = self.nameless.entry(process).or_default();
            for ((key, address), count) in places {
                renumbered.entry((Key { process, ..key }, address)).or_default().add(count);
            }
        }
    }

    /// Names what is left when the recording ends; gives the image of all that was named.
    pub(crate) fn finish(mut self, profile: &mut Profile, files: &mut JitFiles) -> JitImage {
        self.take_samples(profile);
        let mut processes: Vec<ProcessId> =
            self.waiting.keys().chain(self.nameless.keys()).copied().collect();
        processes.sort_unstable();
        processes.dedup();
        processes.into_iter().for_each(|process| self.name_process(profile, files, process, true));
        self.image
    }

    /// Takes over the samples since the last call.
    fn take_samples(&mut self, profile: &mut Profile) {
        for mut sample in profile.take_jit_samples() {
            sample.time = oprof_collector::monotonic(sample.time);
            self.waiting.entry(sample.key.process).or_default().push(sample);
        }
    }

    /// Names samples of a process, all of them where `is_last`.
    fn name_process(
        &mut self,
        profile: &mut Profile,
        files: &mut JitFiles,
        process: ProcessId,
        is_last: bool,
    ) {
        let lineage = lineage(profile, files, process);
        // Up to when it is known what was where.
        let mut until = Timestamp(u64::MAX);
        for &(program, process) in &lineage {
            while self.read(profile, files, program, process) && is_last {}
            if files.has_dump(program) {
                until = self.told.get(&program).map_or(until, |told| told.dump.until().min(until));
            }
        }
        let mut samples = self.waiting.remove(&process).unwrap_or_default();
        let rest =
            if is_last { samples.len() } else { samples.partition_point(|sample| sample.time <= until) };
        let rest = samples.split_off(rest.max(samples.len().saturating_sub(MOST_WAITING)));
        for sample in samples {
            let code = lineage.iter().find_map(|(program, _)| {
                let told = self.told.get_mut(program)?;
                let code = told.dump.lookup(sample.address, sample.time);
                code.or_else(|| told.map.lookup(sample.address))
            });
            match code {
                Some(code) => self.move_samples(profile, sample.key, sample.count, &code),
                None => {
                    let places = self.nameless.entry(process).or_default();
                    places.entry((sample.key, sample.address)).or_default().add(sample.count);
                }
            }
        }
        if !rest.is_empty() {
            self.waiting.insert(process, rest);
        }
        if is_last {
            self.name_late(profile, &lineage, process);
        }
    }

    /// Names what is left of a process by all that was told of it: some compilers write their map when they end.
    fn name_late(&mut self, profile: &mut Profile, lineage: &[(JitProgram, ProcessId)], process: ProcessId) {
        for ((key, address), count) in self.nameless.remove(&process).into_iter().flatten() {
            let code = lineage.iter().find_map(|(program, _)| {
                let told = self.told.get_mut(program)?;
                told.dump.lookup_only(address).or_else(|| told.map.lookup(address))
            });
            if let Some(code) = code {
                self.move_samples(profile, key, count, &code);
            }
        }
    }

    /// Reads on in what is told of a program that `process` began; gives whether there is more.
    fn read(
        &mut self,
        profile: &Profile,
        files: &mut JitFiles,
        program: JitProgram,
        process: ProcessId,
    ) -> bool {
        let told = self.told.entry(program).or_insert_with(|| Told {
            process,
            map: PerfMap::default(),
            dump: JitDump::default(),
            is_idle: false,
        });
        told.is_idle = false;
        let process = &profile.processes()[process.0 as usize];
        files.read(program, process, MOST_AT_ONCE, |bytes| match bytes {
            JitBytes::MapRestarted => told.map = PerfMap::default(),
            JitBytes::Map(bytes) => told.map.feed(bytes),
            JitBytes::Dump(bytes) => told.dump.feed(bytes),
        })
    }

    fn move_samples(&mut self, profile: &mut Profile, key: Key, count: Count, code: &JitCode) {
        profile.move_samples(key, count, Image::jit(), self.image.place(code));
    }
}

/// The programs whose code a process can run, its own first, each with the process that began it: a process that was
/// forked has inherited its parent's code.
fn lineage(profile: &Profile, files: &mut JitFiles, process: ProcessId) -> Vec<(JitProgram, ProcessId)> {
    let mut lineage = Vec::new();
    let mut next = Some(process);
    while let Some(id) = next.filter(|_| lineage.len() < MOST_ANCESTORS) {
        let process = &profile.processes()[id.0 as usize];
        lineage.push((files.program(process), id));
        next = process.parent.filter(|_| process.before_exec.is_none());
    }
    lineage
}
