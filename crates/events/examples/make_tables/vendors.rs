//! The tables that come from the vendors of processors and from the kernel's sources.

use std::error::Error;
use std::path::Path;

use oprof_events::import::{intel_terms, is_frequent};

use crate::TAKEN;
use crate::corrections::Corrections;
use crate::facts::{self, column, rows};
use crate::table::{Row, Table, counters};

type Tables = Result<Vec<Table>, Box<dyn Error>>;

/// Intel's core tables.
pub(crate) fn intel(facts: &Path) -> Tables {
    let folder = facts.join("intel");
    let versions = rows(&folder.join("cpus.tsv"))?;
    let mut tables = Vec::new();
    for name in facts::tables(&folder)? {
        let version = versions.iter().find(|row| column(row, 2) == name).map_or("", |row| column(row, 1));
        let mut table = Table {
            folder: "intel",
            cpu: name.clone(),
            header: vec![
                ("family", "intel".to_owned()),
                ("source", format!("Intel perfmon {version}, BSD-3-Clause, {TAKEN}")),
            ],
            ..Table::default()
        };
        let mut most = 0;
        let facts = rows(&folder.join(format!("{name}.tsv")))?;
        // The oldest tables number the fixed counters from 1, of which this event has the first.
        let from_one =
            facts.iter().any(|row| column(row, 0) == "INST_RETIRED.ANY" && column(row, 2) == "Fixedcounter1");
        for row in facts {
            let list = fixed_from_zero(column(&row, 2), from_one);
            let list = list.as_str();
            most = most.max(list.split(',').filter_map(|number| number.parse().ok()).max().unwrap_or(0));
            let pebs = match column(&row, 4) {
                "0" | "" => "",
                "1" => "1",
                _ => "2",
            };
            table.rows.push(Row {
                name: column(&row, 0).to_owned(),
                terms: intel_terms(column(&row, 0), column(&row, 1)),
                counters: counters(list),
                counts: column(&row, 3).to_owned(),
                unit_masks: String::new(),
                flags: format!("{pebs}{}", column(&row, 5)),
            });
        }
        table.header.push(("counters", (most + 1).to_string()));
        sort(&mut table);
        tables.push(table);
    }
    Ok(tables)
}

/// The fixed counter by the number that Intel's manual and the kernel have; other lists as they are.
fn fixed_from_zero(list: &str, from_one: bool) -> String {
    let number: Option<u32> = list.strip_prefix("Fixedcounter").and_then(|number| number.parse().ok());
    number
        .filter(|_| from_one)
        .map_or_else(|| list.to_owned(), |number| format!("Fixedcounter{}", number - 1))
}

/// AMD's, as the kernel's sources have them.
pub(crate) fn amd(facts: &Path) -> Tables {
    kernel_tables(facts, "amd", "amd", "amd", Some(6), |_| true)
}

/// Arm's own cores, and those of others who build Arm cores.
pub(crate) fn arm(facts: &Path) -> Tables {
    let mut tables: Vec<Table> = Vec::new();
    for row in rows(&facts.join("arm/arm.tsv"))? {
        let name = column(&row, 0);
        if let Some(name) = name.strip_prefix('@') {
            let mut header = vec![
                ("family", if column(&row, 2) == "pmuv3" { "arm" } else { "armv7" }.to_owned()),
                ("source", "ARM-software/data, Apache-2.0, 2025-01".to_owned()),
            ];
            if !column(&row, 3).is_empty() {
                header.push(("counters", column(&row, 3).to_owned()));
            }
            let cpu = name.replace('_', "-");
            tables.push(Table { folder: "arm", cpu, header, ..Table::default() });
            continue;
        }
        let table = tables.last_mut().ok_or("arm.tsv: an event before the first core")?;
        let terms = format!("event={}", column(&row, 1));
        table.rows.push(Row { name: name.to_owned(), terms, counts: counts(name), ..Row::default() });
    }
    tables.iter_mut().for_each(sort);
    // The kernel's tables of Arm's own cores say nothing that Arm's do not.
    tables.extend(kernel_tables(facts, "arm64-linux", "arm", "arm", None, |name| !name.starts_with("arm-"))?);
    Ok(tables)
}

/// IBM's.
pub(crate) fn power(facts: &Path, corrections: &mut Corrections) -> Tables {
    let mut tables = kernel_tables(facts, "power", "power", "power", Some(6), |_| true)?;
    for table in &mut tables {
        for row in &mut table.rows {
            row.terms = corrections.value(&table.cpu, &row.name, "terms", &row.terms)?;
        }
    }
    Ok(tables)
}

/// RISC-V cores.
pub(crate) fn riscv(facts: &Path) -> Tables {
    kernel_tables(facts, "riscv", "riscv", "riscv", None, |_| true)
}

/// Tables with the columns name, terms, sample-after value.
fn kernel_tables(
    facts: &Path,
    from: &str,
    folder: &'static str,
    family: &str,
    number_of_counters: Option<u32>,
    wanted: impl Fn(&str) -> bool,
) -> Tables {
    let folder_path = facts.join(from);
    let mut tables = Vec::new();
    for name in facts::tables(&folder_path)?.into_iter().filter(|name| wanted(name)) {
        let source = format!("Linux 6.12.95 pmu-events, {TAKEN}");
        let mut header = vec![("family", family.to_owned()), ("source", source)];
        header.extend(number_of_counters.map(|number| ("counters", number.to_string())));
        let mut table = Table { folder, cpu: name.clone(), header, ..Table::default() };
        for row in rows(&folder_path.join(format!("{name}.tsv")))? {
            let given = column(&row, 2);
            table.rows.push(Row {
                name: column(&row, 0).to_owned(),
                terms: column(&row, 1).to_owned(),
                counts: if given.is_empty() { counts(column(&row, 0)) } else { given.to_owned() },
                ..Row::default()
            });
        }
        sort(&mut table);
        tables.push(table);
    }
    Ok(tables)
}

/// The default count of an event whose source has none, where it is not that of most events.
fn counts(name: &str) -> String {
    if is_frequent(name) { "2000003".to_owned() } else { String::new() }
}

/// By name, without the rows that say the same twice.
fn sort(table: &mut Table) {
    table.rows.sort_by(|a, b| a.name.cmp(&b.name));
    table.rows.dedup_by(|a, b| a.name == b.name && a.terms == b.terms);
}
