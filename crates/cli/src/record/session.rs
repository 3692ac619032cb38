//! One recording, from everything being open to its file being complete.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use oprof_collector::{
    Collected, CommandUser, Controller, HeldImages, Progress, Reason, Recorder, RecordingPlan,
};
use oprof_profile::recording::{Appended, Owner, RecordingFile, Unfinished};
use oprof_profile::{Calls, Event, Profile, Recording, Run, Timestamp};
use oprof_symbolizer::Symbolizer;

use crate::arguments::RecordOptions;
use crate::jit_names::JitNames;
use crate::names::{self, Resolver};
use crate::trouble::Trouble;
use crate::{cache, machine, packages, parallel, report, speak, status};

/// Late samples of a process come within this time after its end, in nanoseconds.
const AFTER_ITS_END: u64 = 2_000_000_000;
/// What follows from a file that cannot be written for now.
const GOES_ON: &str = "; recording goes on in memory";
/// Folding looks at everything that there is, and is not done again before so long.
const BETWEEN_FOLDS: Duration = Duration::from_secs(5);

/// A recording, from when everything is open.
pub(crate) struct Session<'o> {
    options: &'o RecordOptions,
    resolver: Resolver,
    recorder: Recorder,
    run: Run,
    file: RecordingFile,
    trouble: Trouble,
}

/// What was recorded, and the file that is to hold it.
pub(crate) struct Recorded {
    recording: Recording,
    file: RecordingFile,
    trouble: Trouble,
    symbolizer: Symbolizer,
}

impl<'o> Session<'o> {
    /// Opens everything, and lets nothing run yet; `notes` are sentences that the recording is to tell its reader.
    pub(crate) fn prepare(
        options: &'o RecordOptions,
        plan: RecordingPlan,
        mut notes: Vec<String>,
    ) -> Result<Session<'o>> {
        let resolver = Resolver::new(options, &mut notes)?;
        let recorder = Recorder::prepare(&plan)?;
        let run = Run {
            command: options.command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
            scope: recorder.scope(),
            target: plan.target.clone(),
            clock: plan.clock,
            notes: notes.into_iter().chain(recorder.notes().iter().cloned()).collect(),
            ..machine::run()
        };
        let owner = plan.user.as_ref().map(CommandUser::ids).map(|(uid, gid)| Owner { uid, gid });
        let events = recorder.events().to_vec();
        let file = RecordingFile::create(&options.output, owner, run.clone(), events, recorder.started())?;
        Ok(Session { options, resolver, recorder, run, file, trouble: Trouble::default() })
    }

    /// Lets the command run and puts the file in its place.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.recorder.start()?;
        // The command runs from here on: what goes wrong now is said and must not keep it, or its status, from the user.
        if let Err(error) = self.file.publish() {
            self.trouble.say(&error, "");
        }
        Ok(())
    }

    /// What tells it what to do.
    pub(crate) fn controller(&self) -> Controller {
        self.recorder.controller()
    }

    /// Says what the user should know at the start: only once there is a recording to know it of.
    pub(crate) fn say_first(&self) {
        let Session { options, recorder, run, file, .. } = self;
        if options.quiet {
            return;
        }
        run.notes.iter().for_each(|note| speak::line(note));
        if file.replaces_incomplete() {
            let name = options.output.display();
            speak::line(&format!(
                "{name} was not complete and is replaced; the recording before it stays {name}.old"
            ));
        }
        if options.verbose {
            speak::line(&format!("scope {}, {} CPUs", recorder.scope(), run.cpus));
        }
    }

    /// Records to the end. Of more than `most_processes` those that have ended are folded; `names_after`: how often names
    /// are written meanwhile, besides when somebody asks for it.
    pub(crate) fn record(self, most_processes: usize, names_after: Option<Duration>) -> Result<Recorded> {
        let Session { resolver, recorder, run, file, trouble, .. } = self;
        let events = recorder.events().to_vec();
        let now = Instant::now();
        let mut writer = Writer {
            file,
            trouble,
            jit_names: JitNames::default(),
            resolver: &resolver,
            architecture: &run.architecture,
            most_processes,
            names_after,
            last_fold: now,
            last_names: now,
        };
        let collected = recorder.record(|progress| writer.flush(progress))?;
        let Writer { file, trouble, jit_names, .. } = writer;
        let recording = complete(collected, jit_names, run, events, &resolver);
        Ok(Recorded { recording, file, trouble, symbolizer: resolver.symbolizer })
    }
}

/// Writes what a recording shows of itself.
struct Writer<'r> {
    file: RecordingFile,
    trouble: Trouble,
    jit_names: JitNames,
    resolver: &'r Resolver,
    architecture: &'r str,
    most_processes: usize,
    names_after: Option<Duration>,
    last_fold: Instant,
    last_names: Instant,
}

impl Writer<'_> {
    /// Writes what was folded since the last time; says it once when that begins to fail, and gives it each time.
    fn flush(&mut self, progress: Progress<'_>) -> Result<(), String> {
        let Progress { profile, images, jit_files, since, now, reason } = progress;
        self.jit_names.name(profile, jit_files, since);
        self.fold(profile, now);
        let is_time = self.names_after.is_some_and(|after| self.last_names.elapsed() >= after);
        let written = match reason {
            Reason::Dump => self.write_names(profile, images, now),
            Reason::Routine if is_time => self.write_names(profile, images, now),
            Reason::Routine | Reason::Last => self.file.append(profile, since, now),
        };
        match written {
            Ok(Appended::Written) => self.trouble.end(),
            Ok(Appended::Later) => {}
            // What fails at the end is said with what became of the file.
            Err(_) if reason == Reason::Last => {}
            Err(error) => {
                self.trouble.say(&error, GOES_ON);
                return Err(format!("{error}{GOES_ON}"));
            }
        }
        Ok(())
    }

    fn fold(&mut self, profile: &mut Profile, now: Timestamp) {
        if profile.processes().len() <= self.most_processes || self.last_fold.elapsed() < BETWEEN_FOLDS {
            return;
        }
        self.last_fold = Instant::now();
        if let Some(numbers) =
            profile.fold_ended(Timestamp(now.0.saturating_sub(AFTER_ITS_END)), self.most_processes / 2)
        {
            self.jit_names.renumber(&numbers);
        }
    }

    fn write_names(
        &mut self,
        profile: &mut Profile,
        images: &HeldImages,
        now: Timestamp,
    ) -> Result<Appended, oprof_profile::recording::Error> {
        self.last_names = Instant::now();
        let jit = self.jit_names.image();
        let resolver = self.resolver;
        let names = parallel::run(|| names::resolve(profile, |image| images.open(image), jit, resolver));
        let packages = packages::packages(profile.images(), &names, self.architecture);
        self.file.write_names(profile, now, &names, &packages).map(|()| Appended::Written)
    }
}

/// Names what was sampled and puts the recording together.
fn complete(
    collected: Collected,
    jit_names: JitNames,
    run: Run,
    events: Vec<Event>,
    resolver: &Resolver,
) -> Recording {
    let Collected { mut profile, mut images, mut jit_files, end, duration } = collected;
    let jit = jit_names.finish(&mut profile, &mut jit_files);
    let names = parallel::run(|| names::resolve(&mut profile, |image| images.take(image), &jit, resolver));
    let (images, processes, counts, coverage) = profile.into_parts();
    let packages = packages::packages(&images, &names, &run.architecture);
    let end = Some(end);
    Recording {
        run,
        events,
        images,
        processes,
        counts,
        calls: Calls::default(),
        names,
        packages,
        coverage,
        duration,
        end,
        damage: None,
    }
}

impl Recorded {
    /// Writes the end of the recording and says what it is worth; then keeps what would have been useful in the cache.
    /// Gives the command's status.
    pub(crate) fn finish(self, options: &RecordOptions) -> Result<ExitCode> {
        let Recorded { recording, file, trouble, symbolizer } = self;
        let status = write(&recording, file, &trouble, options);
        cache::fill(&symbolizer, recording.duration, options.verbose);
        status
    }
}

fn write(
    recording: &Recording,
    file: RecordingFile,
    trouble: &Trouble,
    options: &RecordOptions,
) -> Result<ExitCode> {
    let written = file.finish(recording);
    if !options.quiet {
        // What is read with the samples of another event is no sample more.
        let samples: u64 = (recording.events.iter().zip(&recording.coverage.events))
            .filter(|(event, _)| event.is_sampled())
            .map(|(_, coverage)| coverage.samples)
            .sum();
        if written.is_ok() {
            let size = options.output.metadata().map_or(0, |metadata| metadata.len());
            speak::line(&format!(
                "{} in {} ({} KB)",
                oprof_report::counted(samples, "sample", "samples"),
                options.output.display(),
                size.div_ceil(1024)
            ));
        }
        // Of a recording that nobody will see there is nothing to say but that.
        if options.report || written.as_ref().map_or_else(|unfinished| unfinished.is_left, |()| true) {
            oprof_report::coverage_lines(recording).iter().for_each(|line| speak::line(line));
        }
    }
    if options.verbose {
        let said = &recording.run.notes;
        let notes = oprof_report::notes(recording);
        notes.iter().filter(|note| !said.contains(note)).for_each(|note| speak::line(note));
    }
    if options.report {
        // It goes to stderr: where that cannot be written there is nobody to tell, and the status stays the
        // command's.
        let _ = report::after_recording(recording, &options.output);
    }
    let status = status::of_command(recording.end.unwrap_or(oprof_profile::CommandEnd::StillRunning));
    let Err(Unfinished { error, is_left }) = written else { return Ok(status) };
    let rest = match is_left {
        true => "the recording holds what was written before",
        false => "nothing is left of the recording",
    };
    if trouble.was_said(&error) {
        speak::line(&format!("{}: still not written; {rest}", options.output.display()));
    } else {
        speak::line(&format!("{error}; {rest}"));
    }
    // The command's own failure matters more.
    Ok(if status == ExitCode::SUCCESS { ExitCode::from(status::RECORDER_FAILED) } else { status })
}
