//! The events that could be given on this machine.

use crate::System;
use crate::cache::CacheEvent;
use crate::hardware::HARDWARE_EVENTS;
use crate::software::SOFTWARE_EVENTS;

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
}

/// Where a listed event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventGroup {
    /// Generic hardware events.
    Hardware,
    /// Generic cache events.
    HardwareCache,
    /// Software events.
    Software,
    /// The named events of a PMU, by its name in sysfs.
    Pmu(String),
    /// Tracepoints, by subsystem.
    Tracepoint(String),
}

impl System {
    /// The events that could be given here: the generic ones always, those of PMUs and tracepoints as the kernel lists
    /// them; tracepoints are missing where tracefs cannot be read. In this order, so that groups are together.
    pub fn catalogue(&self) -> Vec<ListedEvent> {
        let hardware = HARDWARE_EVENTS.iter().map(|e| listed(e.names, EventGroup::Hardware, e.description));
        let cache =
            CacheEvent::all().map(|e| listed(&[&e.name()], EventGroup::HardwareCache, &e.description()));
        let software = SOFTWARE_EVENTS.iter().map(|e| listed(e.names, EventGroup::Software, e.description));
        let pmus = self.pmus().into_iter().flat_map(|pmu| {
            let events = pmu.event_names().into_iter();
            events
                .map(|name| {
                    let terms =
                        pmu.event(&name, &name).ok().flatten().map_or_else(String::new, |event| event.terms);
                    let description = terms.trim().replace(|c: char| c.is_control(), " ");
                    ListedEvent {
                        spec: format!("{}/{name}/", pmu.name),
                        count_only: pmu.count_only,
                        ..listed(&[&name], EventGroup::Pmu(pmu.name.clone()), &description)
                    }
                })
                .collect::<Vec<_>>()
        });
        let tracepoints = self.tracepoints().into_iter();
        let tracepoints =
            tracepoints.map(|(subsystem, name)| listed(&[&name], EventGroup::Tracepoint(subsystem), ""));
        hardware.chain(cache).chain(software).chain(pmus).chain(tracepoints).collect()
    }
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
    }
}
