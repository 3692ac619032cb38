//! The machine whose events are meant, with the tables that the user gives.

use anyhow::Result;
use oprof_events::{EventTable, System};

/// Adds tables, each `FILE` or `PMU=FILE`, which come before all other names.
///
/// # Errors
/// Where a file cannot be read or understood; the message names file, row and column.
pub(crate) fn add(mut system: System, tables: &[String]) -> Result<System> {
    for given in tables {
        let (pmu, file) = match given.split_once('=') {
            Some((pmu, file)) if !pmu.contains('/') && !file.is_empty() => (Some(pmu), file),
            _ => (None, given.as_str()),
        };
        let mut table = EventTable::load(file.as_ref())?;
        table.pmu = pmu.map(str::to_owned).or(table.pmu);
        system = system.with_table(table);
    }
    Ok(system)
}
