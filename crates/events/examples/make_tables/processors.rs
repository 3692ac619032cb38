//! Which processor has which table.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use crate::facts::{column, rows};
use crate::table::Table;

/// The file, with the processors whose table was made.
pub(crate) fn text(facts: &Path, made: &[Table]) -> Result<String, Box<dyn Error>> {
    let mut text = String::from(
        "# Which processor has which table; the first pattern that fits the whole identification counts, on hybrid \
         parts for each role.\n#identification (regular expression)\ttable\trole on hybrid parts\n",
    );
    for row in rows(&facts.join("intel/cpus.tsv"))? {
        line(&mut text, column(&row, 0), column(&row, 2), column(&row, 3));
    }
    for row in rows(&facts.join("amd/cpus.tsv"))? {
        line(&mut text, column(&row, 0), column(&row, 2), "");
    }
    for row in rows(&facts.join("arm/arm.tsv"))? {
        if let (Some(name), Some(part)) =
            (column(&row, 0).strip_prefix('@'), column(&row, 1).strip_prefix("0x"))
        {
            // Implementer and part number of the MIDR; variant and revision do not matter.
            let (implementer, part) = part.split_at(2);
            let cpu = name.replace('_', "-");
            if made.iter().any(|table| table.cpu == cpu) {
                line(&mut text, &format!("0x00000000{implementer}.f{part}."), &cpu, "");
            }
        }
    }
    for row in rows(&facts.join("arm64-linux/cpus.tsv"))? {
        let (identification, table) = (column(&row, 0), column(&row, 2));
        if !table.starts_with("arm/") {
            // The kernel's tables are made for every variant and revision; the pattern names one.
            let pattern = format!("{}.{}.", &identification[..12], &identification[13..17]);
            line(&mut text, &pattern, &table.replace('/', "-"), "");
        }
    }
    for folder in ["power", "riscv"] {
        for row in rows(&facts.join(folder).join("cpus.tsv"))? {
            line(&mut text, column(&row, 0), &column(&row, 2).replace('/', "-"), "");
        }
    }
    Ok(text)
}

fn line(text: &mut String, pattern: &str, table: &str, role: &str) {
    let line = format!("{pattern}\t{table}\t{role}");
    let _ = writeln!(text, "{}", line.trim_end());
}
