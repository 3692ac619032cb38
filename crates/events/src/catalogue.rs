//! The events that could be given on this machine.

use std::collections::HashSet;

use crate::System;
use crate::cache::CacheEvent;
use crate::hardware::HARDWARE_EVENTS;
use crate::software::SOFTWARE_EVENTS;
use crate::table::{EventTable, TableEvent};
use crate::unprintable::is_unprintable;

/// An event that could be given. That it is listed does not mean that the kernel opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedEvent {
    /// The canonical name.
    pub name: String,
    /// Other names for the same event.
    pub aliases: Vec<String>,
    /// Where the event comes from.
    pub group: EventGroup,
    /// What is counted, in a few words; for PMU events the terms that sysfs has; empty for tracepoints.
    pub description: String,
    /// What to type for it; [`System::resolve`] takes it.
    pub spec: String,
    /// The event counts but never samples.
    pub count_only: bool,
    /// What a table says of it: unit masks, counters, counts.
    pub table_event: Option<TableEvent>,
}

/// Where a listed event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventGroup {
    /// A table that the user gave, by its CPU type.
    UserTable(String),
    /// Generic hardware events.
    Hardware,
    /// Generic cache events.
    HardwareCache,
    /// Software events.
    Software,
    /// The built-in table of the processor's vendor, by its CPU type.
    Vendor(String),
    /// OProfile's names for the processor, by its CPU type.
    OProfile(String),
    /// The named events of a PMU, by its name in sysfs.
    Pmu(String),
    /// Tracepoints, by subsystem.
    Tracepoint(String),
}

impl System {
    /// The events that could be given here: those of the user's tables, the generic ones always, those that tables have
    /// for the core PMUs, those of PMUs and tracepoints as the kernel lists them; tracepoints are missing where tracefs
    /// cannot be read. In this order, so that groups are together, and without those whose name stands for another's.
    /// Another machine's processor has those of its table.
    pub fn catalogue(&self) -> Vec<ListedEvent> {
        let user = self.user_tables().iter().flat_map(|table| of_table(table, &EventGroup::UserTable));
        let mut events: Vec<_> = user.collect();
        if !self.is_foreign() {
            let user = names(self.user_tables().iter().filter(|table| table.pmu.is_none()));
            events.extend(generic().filter(|event| !user.contains(&event.name.to_ascii_lowercase())));
        }
        let (mut vendors, mut oprofiles) = (Vec::new(), Vec::new());
        for (pmu, tables) in self.core_pmus().into_iter().zip(self.core_tables()) {
            // What comes first under a name is what the name stands for.
            let mut taken = names(self.user_tables().iter().filter(|table| table.is_for(&pmu.name)));
            let is_free = |event: &ListedEvent, taken: &HashSet<String>| {
                !taken.contains(&event.name.to_ascii_lowercase())
            };
            let vendor = tables.vendor.iter().flat_map(|table| of_table(table, &EventGroup::Vendor));
            vendors.extend(vendor.filter(|event| is_free(event, &taken)));
            taken.extend(names(&tables.vendor));
            let oprofile = tables.oprofile.iter().flat_map(|table| of_table(table, &EventGroup::OProfile));
            oprofiles.extend(oprofile.filter(|event| is_free(event, &taken)));
        }
        events.append(&mut vendors);
        events.append(&mut oprofiles);
        for pmu in self.pmus() {
            events.extend(pmu.event_names().iter().map(|name| {
                let event = pmu.event(name, name).ok().flatten();
                let terms = event.map_or_else(String::new, |event| event.terms);
                let description = terms.trim().replace(is_unprintable, " ");
                ListedEvent {
                    spec: format!("{}/{name}/", pmu.name),
                    count_only: pmu.count_only,
                    ..listed(&[name], EventGroup::Pmu(pmu.name.clone()), &description)
                }
            }));
        }
        if !self.is_foreign() {
            let tracepoints = self.tracepoints().into_iter();
            events.extend(
                tracepoints.map(|(subsystem, name)| listed(&[&name], EventGroup::Tracepoint(subsystem), "")),
            );
        }
        events
    }
}

/// The names of all events of some tables, in lower case.
fn names<'t>(tables: impl IntoIterator<Item = &'t EventTable>) -> HashSet<String> {
    tables.into_iter().flat_map(|table| &table.events).map(|event| event.name.to_ascii_lowercase()).collect()
}

fn generic() -> impl Iterator<Item = ListedEvent> {
    let hardware = HARDWARE_EVENTS.iter().map(|e| listed(e.names, EventGroup::Hardware, e.description));
    let cache = CacheEvent::all().map(|e| listed(&[&e.name()], EventGroup::HardwareCache, &e.description()));
    let software = SOFTWARE_EVENTS.iter().map(|e| listed(e.names, EventGroup::Software, e.description));
    hardware.chain(cache).chain(software)
}

fn of_table(table: &EventTable, group: impl Fn(String) -> EventGroup) -> impl Iterator<Item = ListedEvent> {
    table.events.iter().map(move |event| {
        let event = table.described(event);
        ListedEvent {
            table_event: Some(event.clone()),
            ..listed(&[&event.name], group(table.cpu.clone()), &event.description)
        }
    })
}

/// An event whose specification is its name.
fn listed(names: &[&str], group: EventGroup, description: &str) -> ListedEvent {
    ListedEvent {
        name: names[0].to_owned(),
        aliases: names[1..].iter().map(|&name| name.to_owned()).collect(),
        group,
        description: description.to_owned(),
        spec: names[0].to_owned(),
        count_only: false,
        table_event: None,
    }
}
