//! The CPU types that tables are built in for.

use oprof_events::System;
use oprof_events::processor::title;
use oprof_events::table::BuiltInTable;

/// The lines of `oprof list --cpus`.
pub(crate) fn lines(system: &System) -> anyhow::Result<Vec<String>> {
    let here = system.cpu_types();
    let mut lines = Vec::new();
    let mut last_group = "";
    for built_in in BuiltInTable::all() {
        let table = built_in.parse()?;
        let group = built_in.vendor();
        if group != last_group {
            lines.push(format!("{group}:"));
            last_group = group;
        }
        let what = title(built_in.cpu).map_or(table.source.clone(), str::to_owned);
        let mark = if here.contains(&built_in.cpu) { "  (this machine's)" } else { "" };
        lines.push(format!("  {:28} {:5} events  {what}{mark}", built_in.cpu, table.events.len()));
    }
    Ok(lines)
}
