//! `oprof stat`: counts events while a command runs.

mod arguments;
mod default_events;
mod output;
mod printer;

use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use oprof_collector::{CountingPlan, CountingSession};
use oprof_events::EventConfig;
use oprof_profile::{CommandEnd, CountedRun, Process, Scope, Target};
use oprof_report::Stat;

pub(crate) use arguments::StatOptions;
pub(crate) use output::Output;
use printer::Printer;

use crate::arguments::ScopeName;
use crate::function_finder::here;
use crate::{event_tables, speak, status};

/// Counts, prints the counts, and gives the command's exit status.
pub(crate) fn stat(options: &StatOptions) -> Result<ExitCode> {
    let (target, scope) = target(options);
    let (events, mut notes) = events(options, target.is_of_cpus())?;
    let output = Output::open(options.output.as_deref())?;
    let mut printer = Printer::new(options, output, described(&target, options));
    let is_quiet = options.quiet || printer.wants_silence();
    let plan = CountingPlan {
        events,
        target,
        scope,
        command: options.command.clone(),
        each_process: options.per_process,
        each_place: false,
        interval: options.interval.map(Duration::from_millis),
        most_intervals: None,
    };
    let mut session = CountingSession::new(plan)?;
    let mut runs: Vec<CountedRun> = Vec::new();
    let mut counted = Vec::new();
    let repeats = options.repeat.unwrap_or(1);
    let (mut trouble, mut not_written) = (None, None);
    while (runs.len() as u64) < repeats && !session.is_interrupted() {
        let run = run(&mut session, &mut printer, runs.is_empty(), &mut notes, &mut counted, is_quiet);
        let run = run.map(|(run, failure)| {
            not_written = not_written.take().or(failure);
            run
        });
        match run {
            Ok(run) if session.is_interrupted() && !runs.is_empty() => {
                // It was cut short, which the others were not.
                trouble = Some(status_of(std::slice::from_ref(&run)));
            }
            Ok(run) => runs.push(run),
            // What was counted until then is not lost.
            Err(error) if !runs.is_empty() => {
                trouble = Some(status::of_error(&error, status::RECORDER_FAILED))
            }
            Err(error) => return Err(error),
        }
        if trouble.is_some() {
            break;
        }
    }
    if !is_quiet {
        say_of_runs(&runs, repeats);
    }
    if options.interval.is_none() && not_written.is_none() {
        not_written = printer.stat(&Stat::of_runs(&counted, &runs), &notes).err();
    }
    let status = trouble.unwrap_or_else(|| status_of(&runs));
    let Some(error) = not_written else { return Ok(status) };
    let failed = status::of_error(&error, status::RECORDER_FAILED);
    // The command's own failure matters more.
    Ok(if status == ExitCode::SUCCESS { failed } else { status })
}

/// Counts once; what of it could not be written is no reason to leave the command alone.
fn run(
    session: &mut CountingSession,
    printer: &mut Printer,
    is_first: bool,
    notes: &mut Vec<String>,
    counted: &mut Vec<oprof_profile::CountedEvent>,
    is_quiet: bool,
) -> Result<(CountedRun, Option<anyhow::Error>)> {
    let prepared = session.prepare()?;
    if is_first {
        *counted = prepared.events().to_vec();
        notes.extend(prepared.notes().iter().cloned());
    }
    // Nothing is said of a run that is refused but why: so not before the command runs.
    let mut said = is_quiet || !is_first;
    let mut say = |notes: &[String]| {
        if !std::mem::replace(&mut said, true) {
            notes.iter().for_each(|note| speak::line(note));
        }
    };
    let mut failure = None;
    let mut has_begun = !is_first;
    let run = prepared.count(|interval| {
        say(notes);
        if failure.is_none() {
            let begun = if std::mem::replace(&mut has_begun, true) { Ok(()) } else { printer.begin() };
            failure = begun.and_then(|()| printer.interval(counted, interval)).err();
        }
        if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    say(notes);
    if !has_begun {
        failure = printer.begin().err();
    }
    Ok((run, failure))
}

/// The events to count, and sentences where they are not what the user would expect.
fn events(options: &StatOptions, of_cpus: bool) -> Result<(Vec<EventConfig>, Vec<String>)> {
    let system = event_tables::add(here(), &options.event_table)?;
    if options.events.is_empty() {
        return default_events::default_events(&system, of_cpus);
    }
    let mut events = system.resolve_all(&options.events)?;
    let mut notes = system.check_together(&mut events)?;
    // The kernel's clocks do not look at what runs: cpu_clock_event_read() and task_clock_event_read() in
    // kernel/events/core.c.
    let halves: Vec<&str> = (events.iter())
        .filter(|event| event.nanoseconds && event.user != event.kernel)
        .map(|event| event.name.as_str())
        .collect();
    if !halves.is_empty() {
        notes.push(format!(
            "{}: a clock counts user and kernel code alike; `oprof record` samples them apart",
            halves.join(", ")
        ));
    }
    Ok((events, notes))
}

/// Whose events are counted, and how a command is followed.
fn target(options: &StatOptions) -> (Target, Scope) {
    match (options.whose.target(), options.scope) {
        (Target::Command, ScopeName::System) => (Target::Cpus(None), Scope::System),
        (target, ScopeName::Cgroup) => (target, Scope::Cgroup),
        (target, _) => (target, Scope::Inherit),
    }
}

/// What is counted, for people.
fn described(target: &Target, options: &StatOptions) -> String {
    let arguments = options.command.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let command = oprof_report::command_line(&Process { arguments, ..Process::default() });
    match oprof_report::target(target) {
        None => command,
        Some(whose) if options.command.is_empty() => whose,
        Some(whose) => format!("{whose} during {command}"),
    }
}

fn say_of_runs(runs: &[CountedRun], repeats: u64) {
    let failed: Vec<&CountedRun> = runs.iter().filter(|run| !is_success(run)).collect();
    if let (Some(first), true) = (failed.first(), runs.len() > 1) {
        let how = match first.end {
            Some(CommandEnd::Exited(status)) => format!("exit status {status}"),
            Some(CommandEnd::Signalled(signal)) => format!("signal {signal}"),
            _ => "not ended".to_owned(),
        };
        speak::line(&format!("{} of {} runs failed, the first with {how}", failed.len(), runs.len()));
    }
    if (runs.len() as u64) < repeats {
        speak::line(&format!("only {} of {repeats} runs were counted", runs.len()));
    }
}

fn is_success(run: &CountedRun) -> bool {
    matches!(run.end, None | Some(CommandEnd::Exited(0)))
}

/// That of the first run that failed.
fn status_of(runs: &[CountedRun]) -> ExitCode {
    let failed = runs.iter().find(|run| !is_success(run));
    failed.and_then(|run| run.end).map_or(ExitCode::SUCCESS, status::of_command)
}
