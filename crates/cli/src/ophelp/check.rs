//! What `ophelp -e`, `-u` and `-E` say of events.

use anyhow::{Result, bail};
use oprof_events::{EventTable, System, assign};

use super::arguments::OphelpOptions;

/// Fifteen times the minimum count is wanted where stacks are taken, too (OProfile's `OP_MIN_COUNT` rule).
const CALL_GRAPH_FACTOR: u64 = 15;
/// How OProfile encodes what a named unit mask adds: `edge`, `any`, `inv`, `cmask`, and its own marks of precise events.
const EDGE: u64 = 1 << 18;
const PRECISE: u64 = 1 << 19;
const ANY: u64 = 1 << 21;
const NOTHING: u64 = 1 << 22;
const INVERTED: u64 = 1 << 23;
const CMASK_SHIFT: u32 = 24;

/// Checks events and gives each a counter: the counters' numbers, each followed by a blank.
///
/// # Errors
/// For the first event that is not valid, and for events that cannot be counted together.
pub(super) fn counters(table: &EventTable, options: &OphelpOptions) -> Result<String> {
    if options.events.is_empty() {
        bail!("-e needs events, as NAME:COUNT:UNITMASK:KERNEL:USER");
    }
    let system = System::foreign(table.clone());
    let mut wanted = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    for spec in &options.events {
        let row = super::event(table, spec.split(':').next().unwrap_or_default())?;
        let spec = if options.ignore_count { &without_count(spec) } else { spec };
        let resolved = match system.resolve(spec) {
            Ok(configs) => configs,
            // Events of a processor whose fields are not built in are checked all the same.
            Err(oprof_events::Error::UnknownTerm { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let count = resolved.first().and_then(|config| config.count);
        let minimum = row.min_count * if options.callgraph > 0 { CALL_GRAPH_FACTOR } else { 1 };
        match count {
            _ if options.ignore_count => {}
            None if !resolved.is_empty() => {
                bail!("event '{spec}': a count is missing (NAME:COUNT:UNITMASK:KERNEL:USER)")
            }
            Some(count) if count < minimum => {
                bail!("event '{spec}': a count of {count} is too small, the minimum is {minimum}")
            }
            _ => {}
        }
        if known.contains(&spec.as_str()) {
            bail!("event '{spec}' is given twice");
        }
        known.push(options.events[known.len()].as_str());
        let all = u64::MAX >> (64 - table.counters.unwrap_or(64).clamp(1, 64));
        wanted.push(match row.counters.numbers() {
            Some(numbers) => numbers.iter().fold(0, |mask, number| mask | 1 << number),
            None => all,
        });
    }
    match assign(&wanted) {
        Some(counters) => Ok(counters.iter().map(|counter| format!("{counter} ")).collect()),
        None => bail!(
            "these {} events cannot be counted at once on the {} counters of {}",
            wanted.len(),
            table.counters.map_or_else(|| "few".to_owned(), |number| number.to_string()),
            table.cpu
        ),
    }
}

/// With `-i`, what stands behind the name is the unit mask and the spaces.
fn without_count(spec: &str) -> String {
    match spec.split_once(':') {
        // A count that nobody looks at has to be above every minimum.
        Some((name, rest)) => format!("{name}:{}:{rest}", u64::MAX),
        None => spec.to_owned(),
    }
}

/// The default unit mask of an event, or what its unit mask adds.
pub(super) fn mask(table: &EventTable, spec: &str, options: &OphelpOptions) -> Result<String> {
    let mut parts = spec.split(':');
    let event = super::event(table, parts.next().unwrap_or_default())?;
    let Some(masks) = &event.unit_masks else { return Ok("0".to_owned()) };
    if !options.extra_mask {
        return Ok(match masks.default_name.as_str() {
            "" => masks.default.to_string(),
            name => name.to_owned(),
        });
    }
    let typed = parts.nth(1).unwrap_or_default();
    let terms = table.terms_of(event, typed)?;
    let value = |name: &str| {
        terms.split(',').find_map(|term| match term.split_once('=') {
            Some((key, value)) if key == name => value
                .strip_prefix("0x")
                .map_or(value.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok()),
            None if term == name => Some(1),
            _ => None,
        })
    };
    let flag = |name: &str, bit: u64| if value(name).is_some_and(|value| value != 0) { bit } else { 0 };
    let precise = masks.named(typed).is_some_and(|mask| mask.precise);
    let extra = flag("edge", EDGE)
        | flag("any", ANY)
        | flag("inv", INVERTED)
        | value("cmask").unwrap_or(0) << CMASK_SHIFT
        | if precise { PRECISE } else { 0 };
    Ok(match extra {
        0 if masks.named(typed).is_some() => NOTHING,
        0 => 0,
        extra => extra | (value("umask").unwrap_or(0) & 0xff) << 8,
    }
    .to_string())
}
