//! Says in words what the events of a session count, from the tables of its CPU type.

use oprof_events::EventTable;
use oprof_events::processor::{oprofile_types_numbered, title};
use oprof_events::table::{BuiltInTable, TableEvent, UnitMask};
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
        let masks: Vec<&UnitMask> = known.unit_masks.iter().flat_map(|set| &set.masks).collect();
        event.unit_mask_description = unit_mask_words(&masks, event.unit_mask);
    }
}

/// What a session's number for a unit mask selects, in words: of several masks with that value all of them, as the number does
/// not tell which was meant (OProfile shows the last).
fn unit_mask_words(masks: &[&UnitMask], number: u64) -> String {
    let of_value = masks.iter().filter(|mask| mask.value == number && mask.terms.is_empty());
    let of_word = masks.iter().filter(|mask| word(mask) == Some(number & !NOT_COMPARED));
    let mut words: Vec<&str> = Vec::new();
    for mask in of_value.chain(of_word) {
        let text = if mask.description.is_empty() { &mask.name } else { &mask.description };
        if !words.contains(&text.as_str()) {
            words.push(text);
        }
    }
    words.join(" or ")
}

/// Bits of a unit mask with further terms that do not select events: that there are none, and that samples are precise.
const NOT_COMPARED: u64 = 1 << 22 | 1 << 19;

/// The number under which OProfile's recorder keeps a unit mask that has a name: the value in the second byte, further terms
/// above it (EXTRA_EDGE and its like in libop/op_events.h).
fn word(mask: &UnitMask) -> Option<u64> {
    let mut word = (mask.value & 0xff) << 8;
    for term in mask.terms.split(',').filter(|term| !term.is_empty()) {
        word |= match term.split_once('=').unwrap_or((term, "1")) {
            ("edge", _) => 1 << 18,
            ("any", _) => 1 << 21,
            ("inv", _) => 1 << 23,
            ("cmask", value) => (u64::from_str_radix(value.trim_start_matches("0x"), 16).ok()? & 0xff) << 24,
            _ => return None,
        };
    }
    (!mask.name.is_empty()).then_some(word)
}

/// Samples by a timer, without any counter.
const TIMER: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// Haswell has unit masks of one value that differ in further terms, and OProfile describes them all as the last.
    #[test]
    fn a_unit_mask_is_described_by_what_was_meant() {
        let table = BuiltInTable::find("i386/haswell").expect("a table").parse().expect("readable");
        let event = table.find("uops_issued").expect("an event");
        let known = table.described(event);
        let masks: Vec<&UnitMask> = known.unit_masks.iter().flat_map(|set| &set.masks).collect();
        let named = |name: &str| *masks.iter().find(|mask| mask.name == name).expect("a mask");
        let (any, stalls) = (named("any"), named("stall_cycles"));
        assert_eq!((any.value, stalls.value), (1, 1), "they share a value");
        // A count of cycles, inverted: where none was issued.
        assert_eq!(unit_mask_words(&masks, 0x1c0_0100), stalls.description);
        assert_ne!(any.description, stalls.description);
        assert!(unit_mask_words(&masks, 1).contains(&any.description));
        assert_eq!(unit_mask_words(&masks, 0xff), "");
    }
}
