//! Events as Arm publishes them: `pmu/*.json` of ARM-software/data, and `data/pmu/cpu` of the telemetry solution.

use std::collections::HashSet;

use super::document::Document;
use super::row::{Row, Value};
use super::{is_frequent, text};
use crate::config::DEFAULT_COUNT_FREQUENT;
use crate::table::{EventTable, Family, FamilyFields, RowError, TableError, TableEvent, check_name};

/// The table.
///
/// # Errors
/// [`TableError`] with the event's number and the key.
pub(super) fn table(file: &str, cpu: &str, document: &Document) -> Result<EventTable, TableError> {
    let top = &document.top;
    let beside = |error| TableError::of_row(file, 0, error);
    let cpu = top.text("cpu").map_err(beside)?.or(top.text("product_name").map_err(beside)?).unwrap_or(cpu);
    let mut table = EventTable {
        family: family(top).map_err(beside)?,
        source: "Arm's JSON".to_owned(),
        counters: counters(top).map_err(beside)?,
        ..EventTable::empty(&text::brief(cpu))
    };
    let fields = FamilyFields::of(table.family, &[]);
    let mut seen = HashSet::new();
    for (number, event) in document.events.iter().enumerate() {
        let wrong = |error| TableError::of_row(file, number + 1, error);
        let Value::Object(row) = event else {
            return Err(wrong((
                "",
                "an event has to be an object such as {\"name\": ..., \"code\": 17}".to_owned(),
            )));
        };
        let entry = entry(row).map_err(wrong)?;
        let misfit =
            fields.as_ref().zip(entry.as_ref()).and_then(|(fields, event)| fields.misfit(&event.terms));
        if let Some(misfit) = misfit {
            return Err(wrong(("code", misfit.reason)));
        }
        match entry {
            None => table.left_out += 1,
            Some(event) if seen.insert(event.name.clone()) => table.events.push(event),
            Some(_) => {}
        }
    }
    Ok(table)
}

/// Armv8 and later have PMUv3; what came before has other fields.
fn family(top: &Row) -> Result<Family, RowError> {
    let before = match top.text("pmu_architecture")? {
        Some(pmu) => !pmu.to_ascii_lowercase().contains("v3"),
        None => top
            .text("architecture")?
            .is_some_and(|name| name.starts_with("armv7") || name.starts_with("armv6")),
    };
    Ok(if before { Family::ArmV7 } else { Family::Arm })
}

fn counters(top: &Row) -> Result<Option<u32>, RowError> {
    match top.number("counters")? {
        None => Ok(None),
        Some(number @ 1..=64) => Ok(u32::try_from(number).ok()),
        Some(number) => Err(("counters", format!("{number} counters: 1 to 64 can be"))),
    }
}

/// The event of a row; `None` for one that cannot be asked for.
fn entry(row: &Row) -> Result<Option<TableEvent>, RowError> {
    let (name, code) = (row.text("name")?, row.number("code")?);
    // Some events have a number alone, and some are those of the trace unit.
    let traced =
        matches!(row.get("accesses"), Some(Value::List(list)) if !list.iter().any(|one| one == "PMU"));
    let (name, code) = match (name, code) {
        (None, Some(_)) => return Ok(None),
        (Some(_), _) if traced => return Ok(None),
        (Some(name), Some(code)) => (name, code),
        (Some(_), None) => {
            return Err(("code", "missing; the event's number such as 17 or \"0x11\"".to_owned()));
        }
        (None, None) => return Err(("name", "missing; an event needs name and code".to_owned())),
    };
    check_name(name).map_err(|reason| ("name", reason))?;
    let mut event = TableEvent::new(name, &format!("event={code:#x}"));
    event.set_counts(is_frequent(name).then_some(DEFAULT_COUNT_FREQUENT), None);
    event.description = match (row.text("title")?, row.text("description")?) {
        (Some(title), _) => text::brief(title),
        (None, Some(description)) => text::sentence(description),
        (None, None) => String::new(),
    };
    Ok(Some(event))
}
