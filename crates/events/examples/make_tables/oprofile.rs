//! OProfile's CPU types.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use crate::corrections::Corrections;
use crate::facts::{column, rows};
use crate::table::{Row, Table, counters};

/// All types, their events in OProfile's order.
pub(crate) fn types(facts: &Path, corrections: &mut Corrections) -> Result<Vec<Table>, Box<dyn Error>> {
    let folder = facts.join("oprofile");
    let types = rows(&folder.join("cpus.tsv"))?;
    let sets: HashMap<String, String> = rows(&folder.join("umasks.tsv"))?
        .iter()
        .map(|row| (column(row, 0).to_owned(), [1, 2, 3].map(|number| column(row, number)).join(":")))
        .collect();
    let kernel_numbers: HashMap<String, Vec<String>> =
        rows(&folder.join("p4.tsv"))?.into_iter().map(|row| (column(&row, 0).to_owned(), row)).collect();
    let mut tables: Vec<Table> = Vec::new();
    for row in rows(&folder.join("events.tsv"))? {
        let name = column(&row, 0);
        if let Some(cpu) = name.strip_prefix('@') {
            let facts = types.iter().find(|row| column(row, 0) == cpu).ok_or("a type that is not listed")?;
            tables.push(Table {
                folder: "oprofile",
                cpu: cpu.to_owned(),
                header: header(facts),
                ..Table::default()
            });
            continue;
        }
        let table = tables.last_mut().ok_or("events.tsv: an event before the first type")?;
        if let Some(cpu) = name.strip_prefix('+') {
            table.header.push(("include", cpu.to_owned()));
            continue;
        }
        let cpu = table.cpu.clone();
        if corrections.drops(&cpu, name) {
            continue;
        }
        let set = sets.get(column(&row, 3)).ok_or("a set of unit masks that is not listed")?;
        let set = corrections.value(&cpu, name, "unit_masks", set)?;
        let code = corrections.value(&cpu, name, "event", column(&row, 1))?;
        let list = corrections.value(&cpu, name, "counters", column(&row, 2))?;
        let minimum = corrections.value(&cpu, name, "minimum", column(&row, 4))?;
        let mut rows = table.rows.iter_mut().filter(|_| power_group_cycles(&cpu).is_some());
        if let Some(same) = rows.find(|row| row.name == name) {
            // A row for each counter, with a number of its own.
            same.counters = counters(&format!("{},{list}", same.counters));
            continue;
        }
        let kernel_number = kernel_numbers.get(name).filter(|_| is_p4(&cpu));
        let terms = terms(&cpu, name, &code, kernel_number);
        table.rows.push(Row {
            name: unused_name(table, name),
            counters: counters(&list),
            counts: format!("/{minimum}"),
            unit_masks: unit_masks(&set, refused_masks(kernel_number))?,
            // The kernel has no number for it.
            flags: if terms.contains("event=") { "" } else { "x" }.to_owned(),
            terms,
        });
    }
    Ok(tables)
}

/// The name, or if another event of the table has it, the name that libpfm4 gives to such: `PM_CYC_ALT`, `PM_CYC_ALT2`.
/// Else only the first of them could be typed.
fn unused_name(table: &Table, name: &str) -> String {
    let is_used = |name: &str| table.rows.iter().any(|row| row.name == name);
    let mut alternative = name.to_owned();
    for number in 1.. {
        if !is_used(&alternative) {
            break;
        }
        let number = if number == 1 { String::new() } else { number.to_string() };
        alternative = format!("{name}_ALT{number}");
    }
    alternative
}

fn is_p4(cpu: &str) -> bool {
    cpu.starts_with("i386/p4")
}

fn header(facts: &[String]) -> Vec<(&'static str, String)> {
    let cpu = column(facts, 0);
    let source = "OProfile 1.5git".to_owned();
    let mut header = vec![("family", family(cpu).to_owned()), ("source", source)];
    if let Some(number) = Some(column(facts, 1)).filter(|number| !matches!(*number, "-" | "0" | "")) {
        header.push(("counters", number.to_owned()));
    }
    if !column(facts, 2).is_empty() {
        header.push(("default", [column(facts, 2), column(facts, 3)].join(" ").trim_end().to_owned()));
    }
    if cpu == "ppc64/power8" {
        // The thresholds' start and stop, which the kernel has within `event` (arch/powerpc/perf/isa207-common.h).
        header.push(("field", "umask=event:32-39".to_owned()));
    }
    if is_p4(cpu) {
        // Where the kernel has its own number of an event, and the unit mask (arch/x86/include/asm/perf_event_p4.h).
        header.push(("field", "event=escr:25-30".to_owned()));
        header.push(("field", "umask=escr:9-24".to_owned()));
    }
    header
}

/// Whose fields encode it.
fn family(cpu: &str) -> &'static str {
    match cpu.split_once('/') {
        _ if is_p4(cpu) => "p4",
        Some(("i386", "athlon")) | Some(("x86-64", _)) => "amd",
        Some(("i386", _)) => "intel",
        Some(("arm", name)) if name.starts_with("armv8") => "arm",
        Some(("arm", _)) => "armv7",
        Some(("ppc64", _)) => "power",
        Some(("s390", _)) => "s390",
        _ => "other",
    }
}

/// The kernel's number of cycles on the POWER processors whose events OProfile numbers by group and counter, which means
/// nothing to the kernel (`generic_events` of arch/powerpc/perf/power7-pmu.c and its siblings).
fn power_group_cycles(cpu: &str) -> Option<u64> {
    match cpu.strip_prefix("ppc64/")? {
        "970" | "970MP" | "power4" => Some(0x7),
        "power5" | "power5+" | "power5++" => Some(0xf),
        "power6" | "power7" => Some(0x1e),
        _ => None,
    }
}

/// What encodes an event. Where that is not OProfile's number, `code` is, since its sample files hold it.
fn terms(cpu: &str, name: &str, code: &str, kernel_number: Option<&Vec<String>>) -> String {
    if let Some(number) = kernel_number.map(|row| column(row, 1)) {
        return match number.parse::<u64>() {
            Ok(number) => format!("code=0x{code},event={number:#x}"),
            Err(_) => format!("code=0x{code}"),
        };
    }
    match (power_group_cycles(cpu), family(cpu)) {
        (Some(cycles), _) if name == "CYCLES" => format!("code=0x{code},event={cycles:#x}"),
        (Some(_), _) => format!("code=0x{code}"),
        (None, "intel") => intel_register(code).unwrap_or_else(|| format!("event=0x{code}")),
        (None, _) => format!("event=0x{code}"),
    }
}

/// A code with more than the event in it is Intel's register as it stands (IA32_PERFEVTSELx in Intel's manual).
fn intel_register(code: &str) -> Option<String> {
    let register = u64::from_str_radix(code, 16).ok().filter(|register| *register > 0xff)?;
    let field = |shift: u32| register >> shift & 0xff;
    let flag = |bit: u32| register >> bit & 1 == 1;
    let mut terms = format!("code=0x{code},event={:#x}", field(0));
    for (name, shift) in [("umask", 8), ("cmask", 24)] {
        if field(shift) != 0 {
            let _ = write!(terms, ",{name}={:#x}", field(shift));
        }
    }
    for (name, bit) in [("edge", 18), ("any", 21), ("inv", 23)] {
        if flag(bit) {
            let _ = write!(terms, ",{name}");
        }
    }
    Some(terms)
}

/// The unit masks of a Pentium 4 event that the kernel refuses, in hexadecimal.
fn refused_masks(kernel_number: Option<&Vec<String>>) -> Vec<&str> {
    let list = kernel_number.map_or("", |row| column(row, 4));
    list.split(',').filter(|mask| !mask.is_empty()).collect()
}

/// `b:c:1,2` as `b:0xc:0x1,0x2`; the set that says "none" becomes none.
fn unit_masks(set: &str, refused: Vec<&str>) -> Result<String, Box<dyn Error>> {
    if set == "m:0:0" {
        return Ok(String::new());
    }
    let [kind, default, values] = set.splitn(3, ':').collect::<Vec<_>>()[..] else {
        return Err(format!("a set of unit masks needs three parts: {set}").into());
    };
    let hexadecimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let named = |name: &str| values.split(',').any(|value| value.split(['=', '!']).nth(1) == Some(name));
    let default = match hexadecimal(default) && !named(default) {
        true => format!("0x{default}"),
        false => default.to_owned(),
    };
    let mut masks: Vec<Mask<'_>> = values.split(',').map(Mask::parse).collect();
    for at in 0..masks.len() {
        let (before, rest) = masks.split_at_mut(at);
        let mask = &mut rest[0];
        if before.iter().any(|earlier| !mask.name.is_empty() && earlier.name == mask.name) {
            // Else only the first could be chosen by its name.
            mask.name = format!("{}_0x{}", mask.name, mask.value);
        } else if mask.value == "0" && mask.name.is_empty() && default != "0x0" {
            // The number 0 stands for the default.
            mask.name = "none".to_owned();
        }
    }
    let values: Vec<_> = masks.iter().map(|mask| mask.text(refused.contains(&mask.value))).collect();
    Ok(format!("{kind}:{default}:{}", values.join(",")))
}

/// One unit mask: `VALUE[=NAME][!TERMS]`.
struct Mask<'a> {
    value: &'a str,
    name: String,
    extra: &'a str,
}

impl<'a> Mask<'a> {
    fn parse(text: &'a str) -> Self {
        let (head, extra) = text.split_at(text.find('!').unwrap_or(text.len()));
        let (value, name) = head.split_once('=').unwrap_or((head, ""));
        Self { value, name: name.to_owned(), extra }
    }

    fn text(&self, refused: bool) -> String {
        let equals = if self.name.is_empty() { "" } else { "=" };
        let refused = if refused { "!refused" } else { "" };
        format!("0x{}{equals}{}{}{refused}", self.value, self.name, self.extra)
    }
}
