//! What events count, in our own words.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::table::{Choice, EventTable, Family, TableEvent};

/// Scope, key and description; the key is an event's name, or that and a unit mask (`BRANCH_RETIRED:0x4`).
const DESCRIPTIONS: &str = include_str!("../tables/descriptions.tsv");

/// The description under a key, in any case.
fn find(scope: &str, key: &str) -> Option<&'static str> {
    static ALL: OnceLock<HashMap<(&str, String), &str>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let rows = DESCRIPTIONS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let mut columns = line.split('\t');
            let (scope, key) = (columns.next()?, columns.next()?.to_ascii_lowercase());
            Some(((scope, key), columns.next()?))
        });
        rows.collect()
    });
    all.get(&(scope, key.to_ascii_lowercase())).copied()
}

/// What an event of one of these families counts, by the name that its vendor gave it.
pub(crate) fn of_vendor(family: Family, name: &str) -> Option<&'static str> {
    let scope = match family {
        Family::Intel => "intel",
        Family::Amd => "amd",
        Family::Arm | Family::ArmV7 => "arm",
        _ => return None,
    };
    find(scope, name)
}

/// The scope of OProfile's events of a type: types share what they call by the same name.
fn oprofile_scope(cpu: &str) -> &'static str {
    match cpu.split_once('/') {
        Some(("i386", name)) if name.starts_with("p4") => "i386/p4",
        Some(("i386", _)) => "i386/arch_perfmon",
        Some(("x86-64", _)) => "x86-64/generic",
        _ => "",
    }
}

/// What an event of a table counts: the table's word, else ours; empty where nobody says.
pub(crate) fn of_event(table: &EventTable, event: &TableEvent) -> String {
    if !event.description.is_empty() {
        return event.description.clone();
    }
    let found =
        find(oprofile_scope(&table.cpu), &event.name).or_else(|| of_vendor(table.family, &event.name));
    found.unwrap_or_default().to_owned()
}

/// What an event with this unit mask counts, as its vendor names the two together (`BR_INST_RETIRED.NEAR_CALL`).
pub(crate) fn of_event_and_mask(table: &EventTable, event: &TableEvent, mask: &Choice) -> String {
    let plain_name = mask.name.strip_suffix("_pebs").unwrap_or(&mask.name);
    of_vendor(table.family, &format!("{}.{plain_name}", event.name)).unwrap_or_default().to_owned()
}

/// What a unit mask selects: ours, else its vendor's event, else its name; empty where there is nothing to say.
pub(crate) fn of_mask(table: &EventTable, event: &TableEvent, mask: &Choice) -> String {
    let Some(value) = mask.value else { return String::new() };
    let scope = oprofile_scope(&table.cpu);
    // Types that share an event's name need not share its masks.
    let own = scope == "i386/p4"
        || scope == table.cpu
        || event.unit_masks.as_ref().is_some_and(|set| set.masks.len() == 1);
    let known = own.then(|| find(scope, &format!("{}:{value:#x}", event.name))).flatten();
    match known {
        Some(known) => known.to_owned(),
        None if !mask.name.is_empty() && !mask.name.contains('+') => of_event_and_mask(table, event, mask),
        // Several together: each by itself.
        None if own => {
            let parts = event.unit_masks.iter().flat_map(|set| &set.masks);
            let parts = parts.filter(|part| part.value & !value == 0 && part.value != 0);
            let texts = parts.filter_map(|part| find(scope, &format!("{}:{:#x}", event.name, part.value)));
            texts.collect::<Vec<_>>().join("; ")
        }
        None => String::new(),
    }
}

impl EventTable {
    /// An event of this table with what is known of it in words: its own description and those of its unit masks.
    pub fn described(&self, event: &TableEvent) -> TableEvent {
        let mut described = TableEvent { description: of_event(self, event), ..event.clone() };
        for mask in described.unit_masks.iter_mut().flat_map(|set| &mut set.masks) {
            mask.description = of_mask(self, event, &Choice::of(mask));
        }
        described
    }
}
