//! `oprof record`: runs a command and writes a recording of it.

use std::fs::File;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_collector::{
    Collected, CommandUser, FirstSample, Progress, Reason, Recorder, RecordingPlan, SamplingChoice,
};
use oprof_events::{EventConfig, System};
use oprof_profile::recording::{Appended, Owner, RecordingFile, Unfinished};
use oprof_profile::{BuildId, Recording, Run, Target};

use crate::arguments::RecordOptions;
use crate::control::Listener;
use crate::jit_names::JitNames;
use crate::names::{self, Resolver};
use crate::trouble::Trouble;
use crate::{cache, default_event, event_tables, machine, packages, report, speak, status};

/// Runs the command, writes the recording, and gives the command's exit status.
pub(crate) fn record(options: &RecordOptions) -> Result<ExitCode> {
    let (events, mut notes) = events(options)?;
    let resolver = Resolver::new(options, &mut notes)?;
    let user = options.user.as_deref().map(CommandUser::find).transpose()?;
    let plan = plan(options, user, events);
    if plan.first_sample == FirstSample::WhenTold && !plan.switches {
        bail!("--delay off: nothing would switch sampling on; add --control");
    }
    let listener = options.control.as_ref().map(Listener::open).transpose()?;
    let mut recorder = Recorder::prepare(&plan)?;
    let run = run(options, &plan.target, &recorder, notes);
    let owner = plan.user.as_ref().map(CommandUser::ids).map(|(uid, gid)| Owner { uid, gid });
    let mut file = RecordingFile::create(
        &options.output,
        owner,
        run.clone(),
        recorder.events().to_vec(),
        recorder.started(),
    )?;
    recorder.start()?;
    if let Some(listener) = listener {
        listener.start(recorder.controller());
    }
    // The command runs from here on: what goes wrong now is said and must not keep it, or its status, from the user.
    let mut trouble = Trouble::default();
    if let Err(error) = file.publish() {
        trouble.say(&error, "");
    }
    say_first(options, &recorder, &run, &file);
    let events = recorder.events().to_vec();
    let mut jit_names = JitNames::default();
    let collected = recorder.record(|progress| flush(&mut file, &mut jit_names, progress, &mut trouble))?;
    let recording = complete(collected, jit_names, run, events, &resolver);
    let status = finish(file, &recording, options, &trouble)?;
    cache::fill(&resolver.symbolizer, recording.duration, options.verbose);
    Ok(status)
}

/// What the user should know at the start: only once there is a recording to know it of.
fn say_first(options: &RecordOptions, recorder: &Recorder, run: &Run, file: &RecordingFile) {
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

/// The events to sample, and sentences where they are not what the user would expect.
fn events(options: &RecordOptions) -> Result<(Vec<EventConfig>, Vec<String>)> {
    let system = event_tables::add(System::here(), &options.event_table)?;
    if options.events.is_empty() {
        return default_event::default_event(&system, "sampling");
    }
    let events = system.resolve_all(&options.events)?;
    let notes = system.check_together(&events)?;
    Ok((events, notes))
}

fn plan(options: &RecordOptions, user: Option<CommandUser>, events: Vec<EventConfig>) -> RecordingPlan {
    RecordingPlan {
        target: options.whose.target(),
        first_sample: options.delay.unwrap_or_default(),
        switches: options.control.is_some(),
        duration: options.duration,
        user,
        command: options.command.clone(),
        events,
        sampling: match (options.count, options.frequency) {
            (Some(count), _) => SamplingChoice::Count(count),
            (None, Some(frequency)) => SamplingChoice::Frequency(frequency),
            (None, None) => SamplingChoice::Default,
        },
        scope: options.scope.choice(),
        buffer: options.buffer,
        build_id_of: |file: &File| -> Option<BuildId> { oprof_symbolizer::build_id(file).ok().flatten() },
    }
}

fn run(options: &RecordOptions, target: &Target, recorder: &Recorder, event_notes: Vec<String>) -> Run {
    Run {
        command: options.command.iter().map(|part| part.to_string_lossy().into_owned()).collect(),
        scope: recorder.scope(),
        target: target.clone(),
        notes: event_notes.into_iter().chain(recorder.notes().iter().cloned()).collect(),
        ..machine::run()
    }
}

/// Writes what was folded since the last time; says it once when that begins to fail.
fn flush(file: &mut RecordingFile, jit_names: &mut JitNames, progress: Progress<'_>, trouble: &mut Trouble) {
    let Progress { profile, jit_files, since, now, reason } = progress;
    jit_names.name(profile, jit_files, since);
    match file.append(profile, since, now) {
        Ok(Appended::Written) => trouble.end(),
        Ok(Appended::Later) => {}
        // What fails at the end is said with what became of the file.
        Err(_) if reason == Reason::Last => {}
        Err(error) => trouble.say(&error, "; recording goes on in memory"),
    }
}

/// Names what was sampled and puts the recording together.
fn complete(
    collected: Collected,
    jit_names: JitNames,
    run: Run,
    events: Vec<oprof_profile::Event>,
    resolver: &Resolver,
) -> Recording {
    let Collected { mut profile, mut images, mut jit_files, end, duration } = collected;
    let jit = jit_names.finish(&mut profile, &mut jit_files);
    let names = names::resolve(&mut profile, &mut images, &jit, resolver);
    let (images, processes, counts, coverage) = profile.into_parts();
    let packages = packages::packages(&images, &names, &run.architecture);
    let end = Some(end);
    Recording {
        run,
        events,
        images,
        processes,
        counts,
        names,
        packages,
        coverage,
        duration,
        end,
        damage: None,
    }
}

/// Writes the end of the recording and says what it is worth.
fn finish(
    file: RecordingFile,
    recording: &Recording,
    options: &RecordOptions,
    trouble: &Trouble,
) -> Result<ExitCode> {
    let written = file.finish(recording);
    if !options.quiet {
        let samples: u64 = recording.coverage.events.iter().map(|event| event.samples).sum();
        if written.is_ok() {
            let size = options.output.metadata().map_or(0, |metadata| metadata.len());
            speak::line(&format!(
                "{} samples in {} ({} KB)",
                oprof_report::grouped(samples),
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
        // It goes to stderr: where that cannot be written there is nobody to tell, and the status stays the command's.
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
