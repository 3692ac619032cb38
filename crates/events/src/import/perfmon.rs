//! Events as Intel's perfmon and the pmu-events of the kernel's perf have them.

use std::collections::HashSet;

use super::document::{Document, Form};
use super::intel_terms::{intel_terms, of_fixed_counter};
use super::row::{Row, Value};
use super::{architectural, is_frequent, text};
use crate::config::DEFAULT_COUNT_FREQUENT;
use crate::error::shortened;
use crate::table::{
    Counters, EventTable, Family, FamilyFields, RowError, TableError, TableEvent, check_name, check_terms,
};

/// Keys that Intel's rows have and no other's.
const INTEL_KEYS: &[&str] = &[
    "AnyThread",
    "CounterHTOff",
    "Data_LA",
    "MSRIndex",
    "PEBS",
    "SampleAfterValue",
    "TakenAlone",
    "UMaskExt",
];
/// Keys that other x86 processors' rows have, too.
const X86_KEYS: &[&str] = &["CounterMask", "EdgeDetect", "Invert", "UMask"];
/// Units of AMD's processors, beside the cores.
const AMD_UNITS: [&str; 3] = ["L3PMC", "DFPMC", "UMCPMC"];
/// Counters from here on are the fixed ones, where they have numbers.
const FIRST_FIXED: u64 = 32;

/// The tables: one, or one for each core PMU that rows name.
///
/// # Errors
/// [`TableError`] with the event's number and the key.
pub(super) fn tables(file: &str, cpu: &str, document: &Document) -> Result<Vec<EventTable>, TableError> {
    let top = |error| TableError::of_row(file, 0, error);
    let blank = EventTable {
        family: family(document),
        source: source(&document.top).map_err(top)?,
        ..EventTable::empty(cpu)
    };
    let fields = FamilyFields::of(blank.family, &[]);
    let mut tables: Vec<EventTable> = Vec::new();
    let mut left_out = 0;
    let mut seen = HashSet::new();
    for (number, event) in document.events.iter().enumerate() {
        let wrong = |error| TableError::of_row(file, number + 1, error);
        let Value::Object(row) = event else {
            return Err(wrong(("", "an event has to be an object such as {\"EventName\": ...}".to_owned())));
        };
        let Some((pmu, event)) = entry(row).map_err(wrong)? else {
            left_out += 1;
            continue;
        };
        if let Some(misfit) = fields.as_ref().and_then(|fields| fields.misfit(&event.terms)) {
            // What has no field is for the kernel to say: it may have gained one.
            if misfit.is_known {
                return Err(wrong((key_of(&misfit.field), misfit.reason)));
            }
        }
        if !seen.insert((pmu, event.name.clone())) {
            continue;
        }
        match tables.iter_mut().find(|table| table.pmu.as_deref() == pmu) {
            Some(table) => table.events.push(event),
            None => {
                let pmu = pmu.map(str::to_owned);
                tables.push(EventTable { pmu, events: vec![event], ..blank.clone() });
            }
        }
    }
    if tables.is_empty() {
        tables.push(blank);
    }
    for table in &mut tables {
        number_fixed_from_zero(&mut table.events);
        table.counters = highest_counter(&table.events).map(|highest| highest + 1);
    }
    tables[0].left_out = left_out;
    Ok(tables)
}

/// Who publishes the file, and which version it is.
fn source(top: &Row) -> Result<String, RowError> {
    let info = top.text("Info")?.map_or_else(|| "pmu-events JSON".to_owned(), text::brief);
    let version = match top.get("Version") {
        Some(Value::Number(number)) => number.to_string(),
        _ => top.text("Version")?.map_or_else(String::new, text::brief),
    };
    // Most say it in the other place, too: `... - V59`.
    Ok(match version.is_empty() || info.to_ascii_uppercase().ends_with(&version.to_ascii_uppercase()) {
        true => info,
        false => format!("{info}, version {version}"),
    })
}

/// Whose fields encode the events where the kernel's own are not at hand; told by the keys that the rows have.
fn family(document: &Document) -> Family {
    let rows = || {
        document.events.iter().filter_map(|event| match event {
            Value::Object(row) => Some(row),
            _ => None,
        })
    };
    let unit_is = |row: &Row, units: &[&str]| {
        row.text("Unit")
            .ok()
            .flatten()
            .is_some_and(|unit| units.iter().any(|one| unit.eq_ignore_ascii_case(one)))
    };
    let standard = || rows().find_map(|row| row.text("ArchStdEvent").ok().flatten());
    if rows().any(|row| unit_is(row, &AMD_UNITS)) {
        Family::Amd
    } else if document.form == Some(Form::Perfmon) || rows().any(|row| row.has_any(INTEL_KEYS)) {
        Family::Intel
    } else if rows().any(|row| row.has_any(X86_KEYS)) {
        Family::Amd
    } else if rows().any(|row| unit_is(row, &["CPU-M-CF"])) {
        Family::S390
    } else if let Some(name) = standard() {
        architectural::find(name).map_or(Family::Other, |(family, _)| family)
    } else if rows().any(|row| row.has_any(&["ConfigCode"])) {
        Family::Riscv
    } else {
        Family::Other
    }
}

/// The core PMU that a row names, if any, and its event; `None` for a row that is no core's event.
fn entry(row: &Row) -> Result<Option<(Option<&str>, TableEvent)>, RowError> {
    let pmu = match row.text("Unit")? {
        None => None,
        Some(unit @ ("cpu_core" | "cpu_atom" | "cpu_lowpower")) => Some(unit),
        Some("core" | "cpu" | "default_core" | "CPU-M-CF") => None,
        Some(_) => return Ok(None),
    };
    let standard = row.text("ArchStdEvent")?;
    let Some(name) = row.text("EventName")?.or(standard) else {
        // Metrics and the numbers of counters stand among the events.
        return match row.has_any(&["MetricName", "MetricExpr", "CountersNumGeneric"]) {
            true => Ok(None),
            false => Err(("EventName", "missing; an event needs EventName and EventCode".to_owned())),
        };
    };
    // Older files have OFFCORE_RESPONSE:request=A:response=B for what is OFFCORE_RESPONSE.A.B elsewhere.
    let name = &name.replace(":request=", ".").replace(":response=", ".");
    check_name(name).map_err(|reason| ("EventName", reason))?;
    let terms = match standard {
        Some(standard) => {
            let (_, event) = architectural::find(standard).ok_or_else(|| {
                let reason = format!("{:?} is no common event of Arm or RISC-V", shortened(standard));
                ("ArchStdEvent", format!("{reason}; give EventName and EventCode instead"))
            })?;
            event.terms.clone()
        }
        None => intel_terms(name, &terms(row, name)?),
    };
    check_terms(&terms).map_err(|reason| ("EventCode", reason))?;
    let mut event = TableEvent::new(name, &terms);
    let default = row.number("SampleAfterValue")?.filter(|&count| count > 0);
    event.set_counts(default.or_else(|| is_frequent(name).then_some(DEFAULT_COUNT_FREQUENT)), None);
    event.counters = counters(row)?;
    event.precise = match row.number("PEBS")? {
        None | Some(0) => 0,
        Some(1) => 1,
        Some(_) => 2,
    };
    event.data_address = row.flag("Data_LA")?;
    event.taken_alone = row.flag("TakenAlone")?;
    event.deprecated = row.flag("Deprecated")?;
    event.description = match (row.text("BriefDescription")?, row.text("PublicDescription")?) {
        (Some(brief), _) => text::brief(brief),
        (None, Some(public)) => text::sentence(public),
        (None, None) => String::new(),
    };
    Ok(Some((pmu, event)))
}

/// What encodes the event, as [`intel_terms`] takes it.
fn terms(row: &Row, name: &str) -> Result<String, RowError> {
    if let Some(config) = row.number("ConfigCode")? {
        return Ok(format!("config={config:#x}"));
    }
    let mask = row.first_number("UMask")?;
    // Events of fixed counters have a unit mask alone.
    let known = mask.is_some() || of_fixed_counter(name).is_some();
    let code = row.first_number("EventCode")?.or(known.then_some(0));
    let code =
        code.ok_or_else(|| ("EventCode", "missing; the event's number such as \"0xC5\"".to_owned()))?;
    let mut terms = format!("event={code:#x}");
    let mut add = |term: &str, value: u64| {
        if value > 0 {
            terms.push_str(&format!(",{term}={value:#x}"));
        }
    };
    add("umask", mask.unwrap_or(0));
    let more = row.number("UMaskExt")?.unwrap_or(0);
    if more >> (u64::BITS - 8) > 0 {
        return Err(("UMaskExt", format!("{more:#x} is too large for what stands above UMask")));
    }
    add("umask_ext", more);
    add("cmask", row.number("CounterMask")?.unwrap_or(0));
    for (key, term) in [("Invert", "inv"), ("EdgeDetect", "edge"), ("AnyThread", "any"), ("Equal", "eq")] {
        add(term, row.flag(key)?.into());
    }
    // Of the two registers of an offcore event the kernel finds the free one by itself.
    if let Some(register) = row.first_number("MSRIndex")?.filter(|&register| register > 0) {
        let value = row.number("MSRValue")?;
        let value =
            value.ok_or_else(|| ("MSRValue", format!("missing; what goes into MSR {register:#x}")))?;
        terms.push_str(&format!(",msr{register:#x}={value:#x}"));
    }
    Ok(terms)
}

/// The key that a field's value comes from.
fn key_of(field: &str) -> &'static str {
    match field {
        "umask" => "UMask",
        "cmask" => "CounterMask",
        "offcore_rsp" | "ldlat" | "frontend" => "MSRValue",
        _ => "EventCode",
    }
}

/// `0,1,2,3`, `Fixed counter 1`, or by the fixed ones' numbers, `33`.
fn counters(row: &Row) -> Result<Counters, RowError> {
    let wrong = |text: &str| {
        let wanted = "counters are wanted, such as \"0,1,2,3\" or \"Fixed counter 1\"";
        ("Counter", format!("{:?}: {wanted}", shortened(text)))
    };
    let number;
    let list = match row.get("Counter") {
        Some(Value::Number(given)) => {
            number = given.to_string();
            Some(number.as_str())
        }
        _ => row.text("Counter")?,
    };
    let (mut mask, mut fixed) = (0_u64, None);
    for item in list.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let lower = item.to_ascii_lowercase();
        match lower.strip_prefix("fixed counter").map(|number| crate::number::parse(number.trim())) {
            Some(Some(number)) if number < FIRST_FIXED => fixed = fixed.or(Some(number)),
            Some(_) => return Err(wrong(item)),
            None => match crate::number::parse(item) {
                Some(number) if number < FIRST_FIXED => mask |= 1 << number,
                Some(number) if number < 2 * FIRST_FIXED => fixed = fixed.or(Some(number - FIRST_FIXED)),
                _ => return Err(wrong(item)),
            },
        }
    }
    Ok(match fixed.and_then(|number| u8::try_from(number).ok()) {
        // An event that general counters take, too, is not bound to the fixed one.
        _ if mask != 0 => Counters::Some(mask),
        Some(number) => Counters::Fixed(number),
        None => Counters::Any,
    })
}

/// Numbers the fixed counters as Intel's manual and the kernel do. The oldest tables begin at 1, with this event.
fn number_fixed_from_zero(events: &mut [TableEvent]) {
    if !events.iter().any(|event| event.name == "INST_RETIRED.ANY" && event.counters == Counters::Fixed(1)) {
        return;
    }
    for event in events {
        if let Counters::Fixed(number) = &mut event.counters {
            *number = number.saturating_sub(1);
        }
    }
}

/// The highest general counter that an event names.
fn highest_counter(events: &[TableEvent]) -> Option<u32> {
    let masks = events.iter().filter_map(|event| match event.counters {
        Counters::Some(mask) => mask.checked_ilog2(),
        _ => None,
    });
    masks.max()
}
