//! `oprof list`: the events that can be opened on this machine, found by trial, and why others cannot; and those of any
//! other processor that a table is built in for.

mod block;
mod entry;
mod group;
mod json;
mod layout;
mod refusal;
mod tracepoints;
mod trial;
mod types;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_events::processor::title;
use oprof_events::table::BuiltInTable;
use oprof_events::{EventTable, System};

use crate::arguments::ListOptions;
use crate::paragraph::wrapped;
use crate::{event_tables, terminal};
use entry::Entry;
use group::groups;
use tracepoints::Tracepoints;

pub(crate) use block::of_table_event;
pub(crate) use refusal::Machine;

/// Prints the events that there are, or those that hold the word.
pub(crate) fn list(options: &ListOptions) -> Result<ExitCode> {
    let lines = match &options.cpu {
        _ if options.cpus => types::lines(&System::here())?,
        Some(cpu) => foreign(cpu, options)?,
        None => here(options)?,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The table of a CPU type.
///
/// # Errors
/// Where there is none, with those that are close.
pub(crate) fn table_of(cpu: &str) -> Result<EventTable> {
    if let Some(table) = BuiltInTable::find(cpu) {
        return Ok(table.parse()?);
    }
    let close = oprof_events::closest(cpu, BuiltInTable::all().map(|table| table.cpu.to_owned()));
    let close = match close.as_slice() {
        [] => String::new(),
        close => format!(", close to it are {}", close.join(", ")),
    };
    bail!("no CPU type '{}' is known{close}; `oprof list --cpus` shows all", oprof_report::printable(cpu))
}

/// The events of another processor.
fn foreign(cpu: &str, options: &ListOptions) -> Result<Vec<String>> {
    let table = table_of(cpu)?;
    let (cpu, counters, source) = (table.cpu.clone(), table.counters, table.source.clone());
    let system = event_tables::add(System::foreign(table), &options.event_table)?;
    let word = options.word.as_deref().unwrap_or_default();
    let (_, listed) = trial::catalogue(&system, word);
    let entries = trial::untried(&system, &listed);
    if entries.is_empty() {
        let close = closest(word, listed_names(&system));
        bail!("no event of {cpu} matches '{}'{close}", oprof_report::printable(word));
    }
    if options.json {
        return json(vec![cpu], &entries);
    }
    let heading = match (title(&cpu), counters) {
        (Some(title), _) => format!("available events for CPU type \"{title}\""),
        (None, Some(counters)) => format!("events of {cpu}, {counters} counters ({source})"),
        (None, None) => format!("events of {cpu} ({source})"),
    };
    let mut lines = wrapped(&heading, 4, width());
    lines.push(String::new());
    if options.verbose {
        lines.extend(entries.iter().flat_map(|entry| block::of_entry(entry, counters)));
    } else if cpu.contains('/') {
        // OProfile's events say little without their unit masks.
        let events = entries.iter().filter_map(|entry| entry.table_event.as_ref());
        lines.extend(events.flat_map(|event| block::of_table_event(event, counters)));
    } else {
        let groups = groups(entries);
        // The heading has said what the only group is.
        lines.extend(layout::groups(&groups, width()).into_iter().skip(usize::from(groups.len() == 1)));
    }
    Ok(lines)
}

fn listed_names(system: &System) -> impl Iterator<Item = String> {
    system.catalogue().into_iter().map(|event| event.name)
}

/// `, closest: a, b` for what is close to a word.
fn closest(word: &str, names: impl Iterator<Item = String>) -> String {
    match oprof_events::closest(word, names).as_slice() {
        [] => String::new(),
        closest => format!("; closest: {}", closest.join(", ")),
    }
}

/// The events of this machine.
fn here(options: &ListOptions) -> Result<Vec<String>> {
    let system = event_tables::add(System::here(), &options.event_table)?;
    let machine = Machine::here(&system);
    let word = options.word.as_deref().unwrap_or_default();
    let (tracepoints, others) = trial::catalogue(&system, word);
    let tracepoints = Tracepoints::read(&system, &machine, tracepoints);
    let mut entries = trial::entries(&system, &machine, &others);
    let width = width();
    let out_of_reach =
        if machine.core_pmu { Vec::new() } else { out_of_reach(&system, &machine, word, width) };
    if entries.is_empty() && tracepoints.is_empty() && out_of_reach.is_empty() {
        // What can be typed is more than what can be listed: modifiers, raw events, terms.
        match system.resolve(word) {
            Ok(configs) => entries.push(trial::typed(word, configs, &machine)),
            Err(error) => bail!(nothing(word, &error, &tracepoints)),
        }
    }
    if options.json {
        entries.extend(tracepoints.entries());
        return json(system.cpu_types().into_iter().map(str::to_owned).collect(), &entries);
    }
    let mut lines = layout::remark(&entries, &machine, width);
    lines.extend(out_of_reach);
    if options.verbose {
        let mut last_group = "";
        for entry in &entries {
            if entry.group != last_group {
                lines.push(format!("{} events:", entry.group));
                last_group = &entry.group;
            }
            lines.extend(block::of_entry(entry, None));
        }
    } else {
        lines.extend(layout::groups(&groups(entries), width));
    }
    // Who looks for an event does not want to hear of tracepoints that cannot be read.
    if word.is_empty() || !tracepoints.is_empty() {
        lines.extend(tracepoints.lines(!word.is_empty(), width));
    }
    Ok(lines.iter().map(|line| shown(line)).collect())
}

/// The line without what a terminal would act on, but for the tab that leads it.
fn shown(line: &str) -> String {
    match line.strip_prefix('\t') {
        Some(rest) => format!("\t{}", oprof_report::printable(rest)),
        None => oprof_report::printable(line).into_owned(),
    }
}

/// The processor's own events that match, where there is no PMU to count them on.
fn out_of_reach(system: &System, machine: &Machine, word: &str, width: Option<usize>) -> Vec<String> {
    let mut told = false;
    let of_type = |cpu: &'static str| {
        let table = BuiltInTable::find(cpu)?.parse().ok()?;
        let (_, listed) = trial::catalogue(&System::foreign(table), word);
        let asked = if word.is_empty() { cpu.to_owned() } else { format!("{cpu} {word}") };
        (!listed.is_empty()).then(|| {
            let number = listed.len();
            match std::mem::replace(&mut told, true) {
                false => format!(
                    "{cpu} events: {number} that cannot be opened: {}; oprof list --cpu {asked}",
                    machine.no_such_counter()
                ),
                true => format!("{cpu} events: {number} that cannot either; oprof list --cpu {asked}"),
            }
        })
    };
    let lines = system.cpu_types().into_iter().filter_map(of_type);
    lines.flat_map(|line| wrapped(&line, 4, width)).collect()
}

fn width() -> Option<usize> {
    terminal::terminal(&io::stdout()).and_then(|terminal| terminal.width).map(usize::from)
}

fn json(cpu_types: Vec<String>, entries: &[Entry]) -> Result<Vec<String>> {
    Ok(vec![serde_json::to_string_pretty(&json::List::new(cpu_types, entries))?])
}

/// Why nothing is listed.
fn nothing(word: &str, error: &oprof_events::Error, tracepoints: &Tracepoints) -> String {
    use oprof_events::Error;
    let closest = match error {
        Error::UnknownEvent { suggestions, .. } | Error::UnknownTracepoint { suggestions, .. } => {
            suggestions.as_slice()
        }
        _ => &[],
    };
    match (closest, tracepoints) {
        ([], Tracepoints::Unreadable(reason)) => {
            format!("no event matches '{word}', and tracepoints cannot be listed: {reason}")
        }
        ([], _) => format!("no event matches '{word}', nor is one close to it; `oprof list` shows all"),
        (closest, _) => format!("no event matches '{word}'; closest: {}", closest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_matches_the_closest_name_is_said() {
        let error = |suggestions: &[&str]| {
            oprof_events::System::at("/nowhere", "/nowhere")
                .resolve(suggestions[0])
                .expect_err("no such event")
        };
        let none = Tracepoints::Open(Vec::new());
        assert_eq!(
            nothing("cylces", &error(&["cylces"]), &none),
            "no event matches 'cylces'; closest: cycles"
        );
        let far = nothing("qqqqqq", &error(&["qqqqqq"]), &none);
        assert_eq!(far, "no event matches 'qqqqqq', nor is one close to it; `oprof list` shows all");
        let hidden = Tracepoints::Unreadable("tracefs is not mounted".to_owned());
        let unknown = nothing("qqqqqq", &error(&["qqqqqq"]), &hidden);
        assert!(unknown.ends_with("tracefs is not mounted"), "{unknown}");
    }
}
