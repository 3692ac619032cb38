//! `ocount`: OProfile's counting of events, by its options and in its layouts.

mod arguments;

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use oprof_collector::{CountingPlan, CountingSession};
use oprof_events::EventConfig;
use oprof_profile::{Scope, Target};
use oprof_report::render::stat::{Ocount, PlaceKind};

use crate::function_finder::here;
use crate::stat::Output;
use crate::target::distinct;
use crate::{default_event, oprofile_tool, speak, status};
use arguments::OcountOptions;

/// Events per sample, where a specification wants some before its unit mask; nothing is sampled.
const ANY_COUNT: u64 = 1_000_000_000;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OcountOptions = match oprofile_tool::options("ocount") {
        Ok(options) => options,
        Err(status) => return status,
    };
    // Whatever is wrong, OProfile's status for it is 1.
    ocount(&options).map_or_else(
        |error| match status::of_error(&error, status::FAILED) {
            success if success == ExitCode::SUCCESS => success,
            _ => ExitCode::from(status::FAILED),
        },
        |()| ExitCode::SUCCESS,
    )
}

/// Counts and prints.
fn ocount(options: &OcountOptions) -> Result<()> {
    let (events, names, mut notes) = events(options)?;
    let target = target(options);
    let places = match target {
        Target::Cpus(_) if options.separate_cpu => Some(PlaceKind::Cpu),
        Target::Processes(_) | Target::Threads(_) if options.separate_thread => Some(PlaceKind::Task),
        _ => None,
    };
    let mut layout = Ocount::new(&names, &whose(options), places);
    if options.brief_format {
        layout = layout.brief();
    }
    let mut output = match &options.output_file {
        Some(path) => Output::open(Some(path))?,
        None => Output::stdout(),
    };
    let plan = CountingPlan {
        events,
        target,
        scope: Scope::Inherit,
        command: options.command.clone(),
        each_process: false,
        each_place: places.is_some(),
        interval: options.time_interval.map(|interval| Duration::from_millis(interval.milliseconds)),
        most_intervals: options.time_interval.and_then(|interval| interval.most),
    };
    let mut session = CountingSession::new(plan)?;
    let prepared = session.prepare()?;
    notes.extend(prepared.notes().iter().cloned());
    notes.iter().for_each(|note| speak::line(note));
    output.begin()?;
    let of_command = !options.command.is_empty();
    let mut failure = None;
    let run = prepared.count(|interval| {
        if failure.is_none() {
            let written = output.write(|mut out| {
                layout.time(tenths_since_epoch(), of_command, &mut out)?;
                layout.counts(&interval.counts, &interval.places, None, &mut out)
            });
            failure = written.err();
        }
        if failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if options.verbose
        && let Some(end) = run.end
    {
        speak::line(&format!("the command has ended: {end:?}"));
    }
    match failure {
        Some(failure) => Err(failure),
        None if options.time_interval.is_some() => Ok(()),
        None => {
            output.write(|mut out| layout.counts(&run.counts, &run.places, Some(run.wall_time), &mut out))
        }
    }
}

fn tenths_since_epoch() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis() / 100).unwrap_or(u64::MAX)
}

/// The events, the name of each as it was typed, and sentences where they are not what the user would expect.
fn events(options: &OcountOptions) -> Result<(Vec<EventConfig>, Vec<String>, Vec<String>)> {
    let system = here();
    if options.events.is_empty() {
        let (events, notes) = default_event::default_event(&system, "counting")?;
        let names = events.iter().map(|event| event.name.clone()).collect();
        return Ok((events, names, notes));
    }
    let (mut events, mut names) = (Vec::new(), Vec::new());
    for list in &options.events {
        // A comma between slashes or brackets is the event's own, which takes our own reading of lists.
        let specs = match list.contains(['/', '{']) {
            true => vec![list.as_str()],
            false => list.split(',').collect(),
        };
        for spec in specs {
            let resolved = system.resolve_all(&[with_count(spec)])?;
            match resolved.as_slice() {
                [_] => names.push(spec.to_owned()),
                several => names.extend(several.iter().map(|event| event.name.clone())),
            }
            events.extend(resolved);
        }
    }
    let notes = system.check_together(&mut events)?;
    Ok((events, names, notes))
}

/// OProfile's counting has no count before the unit mask.
fn with_count(spec: &str) -> String {
    match spec.split_once(':') {
        Some((name, rest)) if !name.contains('/') && has_number(rest) => format!("{name}:{ANY_COUNT}:{rest}"),
        _ => spec.to_owned(),
    }
}

fn has_number(fields: &str) -> bool {
    fields.split(':').any(|field| field.starts_with(|first: char| first.is_ascii_digit()))
}

fn target(options: &OcountOptions) -> Target {
    match &options.cpu_list {
        Some(cpus) => Target::Cpus(Some(cpus.0.clone())),
        None if options.system_wide => Target::Cpus(None),
        None if !options.process_list.is_empty() => Target::Processes(distinct(&options.process_list)),
        None if !options.thread_list.is_empty() => Target::Threads(distinct(&options.thread_list)),
        None => Target::Command,
    }
}

/// What is counted, as OProfile says it.
fn whose(options: &OcountOptions) -> String {
    match options.command.first() {
        Some(program) => path(program).display().to_string(),
        None if options.system_wide => "the whole system".to_owned(),
        None if options.cpu_list.is_some() => "the specified CPU(s)".to_owned(),
        None if !options.thread_list.is_empty() => "the specified thread(s)".to_owned(),
        None => "the specified process(es)".to_owned(),
    }
}

/// Where the program is.
fn path(program: &OsStr) -> PathBuf {
    if program.as_bytes().contains(&b'/') {
        return Path::new(program).canonicalize().unwrap_or_else(|_| PathBuf::from(program));
    }
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&directories).map(|directory| directory.join(program));
    found.into_iter().find(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_mask_comes_right_behind_the_name() {
        assert_eq!(with_count("BRANCH_RETIRED:0xc"), "BRANCH_RETIRED:1000000000:0xc");
        assert_eq!(with_count("E:mask:1:0"), "E:1000000000:mask:1:0");
        for as_it_is in ["cycles", "cycles:u", "sched:sched_switch", "cpu/event=0x3c/u", "E:mask"] {
            assert_eq!(with_count(as_it_is), as_it_is);
        }
    }
}
