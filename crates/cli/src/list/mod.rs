//! `oprof list`: the events that can be opened on this machine, found by trial, and why others cannot.

mod entry;
mod group;
mod layout;
mod refusal;
mod tracepoints;
mod trial;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_events::System;

use crate::arguments::ListOptions;
use crate::terminal;
use group::groups;
use tracepoints::Tracepoints;

pub(crate) use layout::wrapped;
pub(crate) use refusal::Machine;

/// Prints the events that there are, or those that hold the word.
pub(crate) fn list(options: &ListOptions) -> Result<ExitCode> {
    let system = System::here();
    let machine = Machine::here(&system);
    let word = options.word.as_deref().unwrap_or_default();
    let (tracepoints, others) = trial::catalogue(&system, word);
    let tracepoints = Tracepoints::read(&system, &machine, tracepoints);
    let mut entries = trial::entries(&system, &machine, &others);
    if entries.is_empty() && tracepoints.is_empty() && !word.is_empty() {
        // What can be typed is more than what can be listed: modifiers, raw events, terms.
        match system.resolve(word) {
            Ok(configs) => entries.push(trial::typed(word, &configs, &machine)),
            Err(error) => bail!(nothing(word, &error, &tracepoints)),
        }
    }
    let stdout = io::stdout();
    let width = terminal::terminal(&stdout).and_then(|terminal| terminal.width).map(usize::from);
    let mut lines = layout::remark(&entries, &machine, width);
    lines.extend(layout::groups(&groups(entries), width));
    // Who looks for an event does not want to hear of tracepoints that cannot be read.
    if word.is_empty() || !tracepoints.is_empty() {
        lines.extend(tracepoints.lines(!word.is_empty(), width));
    }
    let mut out = BufWriter::new(stdout.lock());
    for line in lines {
        writeln!(out, "{}", oprof_report::printable(&line))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
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
