//! The list as JSON.
//!
//! Fields are only ever added; what has another meaning gets another `schema`. `docs/list-json.md` beside this crate's
//! sources says what each means.

use oprof_events::table::{Counters, UnitMaskKind, UnitMasks};
use oprof_events::{EventConfig, Origin};
use serde::Serialize;

use super::entry::{Entry, State};

/// The whole list.
#[derive(Serialize)]
pub(crate) struct List<'a> {
    schema: &'static str,
    cpu_types: Vec<String>,
    events: Vec<Event<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    aliases: &'a [String],
    description: &'a str,
    group: &'a str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<CounterSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    precise: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deprecated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_masks: Option<Masks<'a>>,
    encodings: Vec<Encoding>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CounterSet {
    Named(String),
    Numbers(Vec<u8>),
}

#[derive(Serialize)]
struct Masks<'a> {
    kind: &'static str,
    default: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    default_name: &'a str,
    masks: Vec<Mask<'a>>,
}

#[derive(Serialize)]
struct Mask<'a> {
    value: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    terms: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
}

#[derive(Serialize)]
struct Encoding {
    r#type: u32,
    config: String,
    config1: String,
    config2: String,
    origin: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    table: String,
}

impl<'a> List<'a> {
    /// Of these entries; `cpu_types` are those of the processor that was listed.
    pub(crate) fn new(cpu_types: Vec<String>, entries: &'a [Entry]) -> Self {
        Self { schema: "oprof-list/1", cpu_types, events: entries.iter().map(event).collect() }
    }
}

fn event(entry: &Entry) -> Event<'_> {
    let table = entry.table_event.as_ref();
    let config = entry.configs.first();
    let (state, reason) = match &entry.state {
        State::Samples => ("samples", None),
        State::UserSamples => ("user-samples", None),
        State::Counts => ("counts", None),
        State::Refused(reason) => ("refused", Some(reason.as_str())),
        State::Untried => ("untried", None),
    };
    Event {
        name: &entry.name,
        aliases: &entry.aliases,
        description: &entry.description,
        group: &entry.group,
        state,
        reason,
        terms: table.map(|event| event.terms.as_str()),
        counters: table.map(|event| match (event.counters, event.counters.numbers()) {
            (_, Some(numbers)) => CounterSet::Numbers(numbers),
            (Counters::Fixed(number), None) => CounterSet::Named(format!("fixed{number}")),
            _ => CounterSet::Named("any".to_owned()),
        }),
        minimum_count: table.map(|event| event.min_count).or(config.map(|config| config.min_count)),
        default_count: table.map(|event| event.default_count).or(config.map(|config| config.default_count)),
        precise: table.and_then(|event| match event.precise {
            0 => None,
            1 => Some("possible"),
            _ => Some("always"),
        }),
        deprecated: table.is_some_and(|event| event.deprecated),
        unit_masks: table.and_then(|event| event.unit_masks.as_ref()).map(masks),
        encodings: entry.configs.iter().map(encoding).collect(),
    }
}

fn masks(set: &UnitMasks) -> Masks<'_> {
    Masks {
        kind: match set.kind {
            UnitMaskKind::Mandatory => "mandatory",
            UnitMaskKind::Bitmask => "bitmask",
            UnitMaskKind::Exclusive => "exclusive",
        },
        default: format!("{:#x}", set.default),
        default_name: &set.default_name,
        masks: set
            .masks
            .iter()
            .map(|mask| Mask {
                value: format!("{:#x}", mask.value),
                name: &mask.name,
                terms: &mask.terms,
                description: &mask.description,
            })
            .collect(),
    }
}

fn encoding(config: &EventConfig) -> Encoding {
    let (origin, table) = match &config.origin {
        Origin::Explicit => ("explicit", ""),
        Origin::UserTable(table) => ("user-table", table.as_str()),
        Origin::Sysfs => ("sysfs", ""),
        Origin::Vendor(cpu) => ("vendor", cpu.as_str()),
        Origin::OProfile(cpu) => ("oprofile", cpu.as_str()),
        Origin::Libpfm(pmu) => ("libpfm", pmu.as_str()),
        _ => ("generic", ""),
    };
    Encoding {
        r#type: config.pmu_type,
        config: format!("{:#x}", config.config),
        config1: format!("{:#x}", config.config1),
        config2: format!("{:#x}", config.config2),
        origin,
        table: table.to_owned(),
    }
}
