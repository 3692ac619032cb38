//! The catalogues: PMUs, their events, and the events' unit masks.

use std::ffi::c_uint;

use super::abi;
use super::library::{EventId, Library, PmuInfo};

/// Bound on PMUs, of which libpfm 4.13 numbers 517.
const PMUS: c_uint = 4096;
/// Bound on events of one PMU, the kernel's tracepoints included, which libpfm4 lists as a PMU's events.
const EVENTS: usize = 65_536;
/// Bound on masks and modifiers of one event, which in libpfm 4.13 has 100 at most.
const ATTRIBUTES: i32 = 1024;

/// A PMU that libpfm4 has a catalogue of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PfmPmu {
    /// libpfm4's name, such as `skl`, which is not the kernel's.
    pub name: String,
    /// Its name in words, such as `Intel Skylake`.
    pub description: String,
    /// This machine has it.
    pub present: bool,
    /// How many events are in the catalogue.
    pub events: usize,
}

/// An event in the catalogue of a PMU.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PfmListed {
    /// The name without the PMU's.
    pub name: String,
    /// What it counts. May be several sentences.
    pub description: String,
    /// The number that selects the event, without masks; this is not the encoding.
    pub code: u64,
    /// The unit masks that may follow the name.
    pub masks: Vec<PfmMask>,
}

/// A unit mask of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PfmMask {
    /// The name.
    pub name: String,
    /// What it selects.
    pub description: String,
    /// The number.
    pub code: u64,
    /// Stands when no mask is given. An event may have several such masks, or none and then needs one given.
    pub default: bool,
}

/// Every PMU.
pub(super) fn pmus(library: &mut Library) -> Vec<PfmPmu> {
    each_pmu(library)
        .map(|PmuInfo { name, description, present, events, .. }| PfmPmu {
            name,
            description,
            present,
            events,
        })
        .collect()
}

/// The events of the PMU of this name.
pub(super) fn events(library: &mut Library, pmu: &str) -> Vec<PfmListed> {
    let Some(info) = each_pmu(library).find(|info| info.name.eq_ignore_ascii_case(pmu)) else {
        return Vec::new();
    };
    let mut listed = Vec::new();
    let mut next = info.first;
    for _ in 0..info.events.min(EVENTS) {
        let Some(event) = next else { break };
        listed.extend(one(library, event));
        next = library.next(event);
    }
    listed
}

/// The PMUs by rising number. Numbers without a PMU lie between them.
fn each_pmu(library: &mut Library) -> impl Iterator<Item = PmuInfo> {
    (0..PMUS)
        .map(|number| library.pmu(number))
        .take_while(|answer| !matches!(answer, Err(code) if code.0 == abi::ERR_INVAL))
        .flatten()
}

/// What is known of one event.
fn one(library: &mut Library, event: EventId) -> Option<PfmListed> {
    let info = library.event(event).ok()?;
    let masks = (0..info.attributes.min(ATTRIBUTES))
        .filter_map(|number| library.attribute(event, number).ok())
        .filter(|attribute| attribute.is_mask)
        .map(|mask| PfmMask {
            name: mask.name,
            description: mask.description,
            code: mask.code,
            default: mask.default,
        })
        .collect();
    Some(PfmListed { name: info.name, description: info.description, code: info.code, masks })
}
