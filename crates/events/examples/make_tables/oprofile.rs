//! OProfile's CPU types.

use std::collections::HashMap;
use std::error::Error;
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
        table.rows.push(Row {
            name: name.to_owned(),
            terms: terms(&cpu, &code, kernel_numbers.get(name)),
            counters: counters(&list),
            counts: format!("/{minimum}"),
            unit_masks: unit_masks(&set, refused_masks(&cpu, kernel_numbers.get(name)))?,
            flags: refused(&cpu, kernel_numbers.get(name)),
        });
    }
    Ok(tables)
}

fn is_p4(cpu: &str) -> bool {
    cpu.starts_with("i386/p4")
}

fn header(facts: &[String]) -> Vec<(&'static str, String)> {
    let cpu = column(facts, 0);
    let source = "OProfile 1.5git (names, codes, masks, counters and minimum counts alone)".to_owned();
    let mut header = vec![("family", family(cpu).to_owned()), ("source", source)];
    if let Some(number) = Some(column(facts, 1)).filter(|number| !matches!(*number, "-" | "0" | "")) {
        header.push(("counters", number.to_owned()));
    }
    if !column(facts, 2).is_empty() {
        header.push(("default", [column(facts, 2), column(facts, 3)].join(" ").trim_end().to_owned()));
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

/// The Pentium 4 is encoded by the kernel's number; `code` is what sample files of OProfile hold.
fn terms(cpu: &str, code: &str, kernel_number: Option<&Vec<String>>) -> String {
    match kernel_number.filter(|_| is_p4(cpu)).map(|row| column(row, 1)) {
        None => format!("event=0x{code}"),
        Some("-") => format!("code=0x{code}"),
        Some(number) => {
            format!("code=0x{code},event={:#x}", number.parse::<u64>().expect("the kernel's number"))
        }
    }
}

/// `x` for an event that the kernel has no number for.
fn refused(cpu: &str, kernel_number: Option<&Vec<String>>) -> String {
    let none = kernel_number.filter(|_| is_p4(cpu)).is_some_and(|row| column(row, 1) == "-");
    if none { "x" } else { "" }.to_owned()
}

/// The unit masks of a Pentium 4 event that the kernel refuses, in hexadecimal.
fn refused_masks<'k>(cpu: &str, kernel_number: Option<&'k Vec<String>>) -> Vec<&'k str> {
    let list = kernel_number.filter(|_| is_p4(cpu)).map_or("", |row| column(row, 4));
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
    let values: Vec<_> = values
        .split(',')
        .map(|value| format!("0x{value}{}", if refused.contains(&value) { "!refused" } else { "" }))
        .collect();
    Ok(format!("{kind}:{default}:{}", values.join(",")))
}
