//! `oprof record`: runs a command, or looks at what runs already, and writes a recording of it.

mod session;

use std::fs::File;
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_collector::{CommandUser, FirstSample, RecordingPlan, SamplingChoice};
use oprof_events::EventConfig;
use oprof_profile::BuildId;

use crate::arguments::RecordOptions;
use crate::control::Listener;
use crate::function_finder::here;
use crate::{default_event, event_tables};
pub(crate) use session::Session;

/// Of more processes than this, those that have ended are folded by what they ran, but for the busiest half.
const MOST_PROCESSES: usize = 20_000;

/// Records, and gives the command's exit status.
pub(crate) fn record(options: &RecordOptions) -> Result<ExitCode> {
    let (plan, notes) = plan(options)?;
    if options.output.as_os_str() == "-" {
        bail!("-o -: a recording cannot go into a pipe; name a file (./- is one of that name)");
    }
    if plan.first_sample == FirstSample::WhenTold && !plan.switches {
        bail!("--delay off: nothing would switch sampling on; add --control");
    }
    if let (FirstSample::After(delay), Some(duration)) = (plan.first_sample, plan.duration)
        && delay >= duration
    {
        bail!(
            "--delay: is not shorter than --duration, which counts from the start, so that nothing would be sampled"
        );
    }
    let listener = options.control.as_ref().map(Listener::open).transpose()?;
    let mut session = Session::prepare(options, plan, notes)?;
    session.start()?;
    if let Some(listener) = listener {
        listener.start(session.controller());
    }
    session.say_first();
    session.record(MOST_PROCESSES, None)?.finish(options)
}

/// What the options ask for, and sentences where that is not what the user would expect.
pub(crate) fn plan(options: &RecordOptions) -> Result<(RecordingPlan, Vec<String>)> {
    let (events, notes) = events(options)?;
    let plan = RecordingPlan {
        target: options.whose.target(),
        first_sample: options.delay.unwrap_or_default(),
        switches: options.control.is_some(),
        duration: options.duration,
        hides_kernel: options.no_vmlinux,
        separates_threads: options.separate_thread,
        clock: options.clock,
        user: options.user.as_deref().map(CommandUser::find).transpose()?,
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
    };
    Ok((plan, notes))
}

/// The events to sample, and sentences where they are not what the user would expect.
fn events(options: &RecordOptions) -> Result<(Vec<EventConfig>, Vec<String>)> {
    let system = event_tables::add(here(), &options.event_table)?;
    if options.events.is_empty() {
        return default_event::default_event(&system, "sampling");
    }
    let mut events = system.resolve_all(&options.events)?;
    let notes = system.check_together(&mut events)?;
    Ok((events, notes))
}
