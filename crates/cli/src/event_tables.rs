//! The machine whose events are meant, with the tables that the user gives.

use anyhow::{Result, bail};
use oprof_events::{EventTable, System};

/// Adds tables, each `FILE` or `PMU=FILE`, which come before all other names.
///
/// # Errors
/// Where a file cannot be read or understood; the message names file, row and column. Where it is for a PMU that the
/// machine does not have.
pub(crate) fn add(mut system: System, tables: &[String]) -> Result<System> {
    for given in tables {
        let (pmu, file) = match given.split_once('=') {
            Some((pmu, file)) if !pmu.contains('/') && !file.is_empty() => (Some(pmu), file),
            _ => (None, given.as_str()),
        };
        for table in tables_of(pmu, file)? {
            system = system.with_checked_table(table)?;
        }
    }
    Ok(system)
}

/// The file's tables for the given PMU, or for those that the file names.
fn tables_of(pmu: Option<&str>, file: &str) -> Result<Vec<EventTable>> {
    let mut tables = EventTable::load(file.as_ref())?;
    let Some(pmu) = pmu else { return Ok(tables) };
    if let [table] = tables.as_mut_slice() {
        table.pmu = Some(pmu.to_owned());
        return Ok(tables);
    }
    let named: Vec<_> = tables.iter().filter_map(|table| table.pmu.clone()).collect();
    tables.retain(|table| table.pmu.as_deref() == Some(pmu));
    if tables.is_empty() {
        bail!("{file} has no events of {pmu}; it has those of {}", named.join(" and "));
    }
    Ok(tables)
}
