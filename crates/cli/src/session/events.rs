//! Says in words what the events of a session count, from the tables of its CPU type.

use oprof_events::EventTable;
use oprof_events::processor::{oprofile_types_numbered, title};
use oprof_events::table::{BuiltInTable, TableEvent};
use oprof_profile::Recording;

/// Tells a recording what its CPU is called and what its events count. `cpu_type` is OProfile's number of the CPU type,
/// `codes` are its numbers of the recording's events. What is not known stays empty.
pub(crate) fn describe(recording: &mut Recording, cpu_type: Option<u32>, codes: &[u32]) {
    let Some(number) = cpu_type else { return };
    let types = oprofile_types_numbered(number);
    let tables: Vec<EventTable> =
        types.iter().filter_map(|cpu| BuiltInTable::find(cpu)?.parse().ok()).collect();
    let find = |table: &EventTable, name: &str, code: u32| {
        let has_code = |event: &TableEvent| event.code() == Some(code.into());
        table.find(name).filter(|event| has_code(event)).map(|event| table.described(event))
    };
    let table = tables.iter().find(|table| {
        recording.events.iter().zip(codes).any(|(event, code)| find(table, &event.name, *code).is_some())
    });
    let table = table.or(tables.first());
    let cpu = table.map(|table| table.cpu.as_str());
    recording.run.cpu_type = cpu.map_or_else(String::new, str::to_owned);
    recording.run.cpu = match cpu.and_then(title) {
        Some(title) => title.to_owned(),
        None if number == TIMER => "CPU with timer interrupt".to_owned(),
        None => format!("CPU type {number}"),
    };
    let Some(table) = table else { return };
    for (event, code) in recording.events.iter_mut().zip(codes) {
        let Some(known) = find(table, &event.name, *code) else { continue };
        event.description = known.description;
        let masks = known.unit_masks.iter().flat_map(|set| &set.masks);
        // Of several with one value, which was meant is not told; OProfile shows the last.
        let named = masks.filter(|mask| mask.value == event.unit_mask).next_back();
        event.unit_mask_description = named.map(|mask| mask.description.clone()).unwrap_or_default();
    }
}

/// Samples by a timer, without any counter.
const TIMER: u32 = 4;
