//! `ophelp`: OProfile's list of events and its checks, by OProfile's options and in its layouts.

mod arguments;
mod check;
mod xml;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use oprof_events::processor::title;
use oprof_events::table::TableEvent;
use oprof_events::{EventTable, System};

use crate::list::{of_table_event, table_of};
use crate::{oprofile_tool, status};
use arguments::OphelpOptions;

/// Events per sample where OProfile's default event has no count of its own.
const DEFAULT_COUNT: u64 = 100_000;
/// The same on IBM Z (OProfile's `op_default_event`).
const DEFAULT_COUNT_S390: u64 = 4_127_518;

/// Runs with the command line that the program was called with.
pub(crate) fn main() -> ExitCode {
    let options: OphelpOptions = match oprofile_tool::options("ophelp") {
        Ok(options) => options,
        Err(status) => return status,
    };
    let done = lines(&options).and_then(|lines| {
        let mut out = BufWriter::new(io::stdout().lock());
        lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    });
    done.unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}

/// What `ophelp` prints.
fn lines(options: &OphelpOptions) -> Result<Vec<String>> {
    let table = table(options)?;
    if options.get_cpu_type {
        return Ok(vec![title(&table.cpu).unwrap_or(&table.cpu).to_owned()]);
    }
    if options.get_default_event {
        return Ok(vec![default_event(&table)?]);
    }
    if options.xml {
        return Ok(xml::lines(&table));
    }
    if options.check_events {
        return Ok(vec![check::counters(&table, options)?]);
    }
    match options.events.as_slice() {
        [] => Ok(list(&table)),
        [spec] if options.unit_mask || options.extra_mask => Ok(vec![check::mask(&table, spec, options)?]),
        [name] => Ok(vec![event(&table, name)?.code().unwrap_or(0).to_string()]),
        _ => bail!("one event at a time, or several with -e"),
    }
}

/// The table of the CPU type that was named, or of this machine's.
fn table(options: &OphelpOptions) -> Result<EventTable> {
    if let Some(cpu) = &options.cpu_type {
        return table_of(cpu);
    }
    match System::here().cpu_types().into_iter().find(|cpu| cpu.contains('/')) {
        Some(cpu) => table_of(cpu),
        None => {
            bail!("OProfile has no type for this processor; name one with -c, `oprof list --cpus` shows them")
        }
    }
}

/// An event of the table, by its name.
fn event<'t>(table: &'t EventTable, name: &str) -> Result<&'t TableEvent> {
    match table.find(name) {
        Some(event) => Ok(event),
        None => bail!(
            "{} has no event '{}'; ophelp -c {0} lists those that it has",
            table.cpu,
            oprof_report::printable(name)
        ),
    }
}

fn default_event(table: &EventTable) -> Result<String> {
    let Some(default) = &table.default_event else { bail!("{} has no default event", table.cpu) };
    let count = if table.cpu.starts_with("s390/") { DEFAULT_COUNT_S390 } else { DEFAULT_COUNT };
    Ok(format!("{}:{count}:{}:1:1", default.name, default.unit_mask))
}

/// The list, with the heading that OProfile gives it.
pub(crate) fn list(table: &EventTable) -> Vec<String> {
    let mut lines = vec![
        format!("oprofile: available events for CPU type \"{}\"", title(&table.cpu).unwrap_or(&table.cpu)),
        String::new(),
        "The processor's manual says more of each. An event is given as NAME:COUNT:UNITMASK:KERNEL:USER;"
            .to_owned(),
        "a unit mask with a name can be given by that, and has to be where its number is not its own."
            .to_owned(),
        String::new(),
    ];
    let events = table.events.iter().map(|event| table.described(event));
    lines.extend(events.flat_map(|event| of_table_event(&event, table.counters)));
    lines
}

/// `opcontrol --list-events`: the same list for this machine.
pub(crate) fn list_events() -> ExitCode {
    let options = OphelpOptions::default();
    let printed = table(&options).and_then(|table| {
        let mut out = BufWriter::new(io::stdout().lock());
        list(&table).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        out.flush()?;
        Ok(ExitCode::SUCCESS)
    });
    printed.unwrap_or_else(|error| status::of_error(&error, status::FAILED))
}
