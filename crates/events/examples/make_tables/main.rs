//! Makes the event tables under `tables/` from the facts of their sources.
//!
//!     cargo run -p oprof-events --example make_tables -- FACTS [TABLES]
//!
//! `FACTS` holds one folder a source (`intel`, `amd`, `arm`, `arm64-linux`, `power`, `riscv`, `oprofile`), each with
//! tab-separated files whose first line names the columns. `TABLES` is the folder to write, by default this crate's.
//! What is known to be wrong in a source is put right by `corrections.tsv` in that folder, which is never written.

mod corrections;
mod facts;
mod oprofile;
mod processors;
mod table;
mod vendors;

use std::error::Error;
use std::path::{Path, PathBuf};

use corrections::Corrections;
use table::Table;

/// When the facts were taken from their sources.
const TAKEN: &str = "2026-08";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let facts = arguments.next().ok_or("usage: make_tables FACTS [TABLES]")?;
    let tables = arguments.next().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tables"));
    let mut corrections = Corrections::read(&tables.join("corrections.tsv"))?;

    let mut made: Vec<Table> = Vec::new();
    made.extend(vendors::intel(&facts)?);
    made.extend(vendors::amd(&facts)?);
    made.extend(vendors::arm(&facts)?);
    made.extend(vendors::power(&facts, &mut corrections)?);
    made.extend(vendors::riscv(&facts)?);
    made.extend(oprofile::types(&facts, &mut corrections)?);
    corrections.all_used()?;
    // Of some cores the source has the name alone.
    made.retain(|table| !table.rows.is_empty() || table.header.iter().any(|(key, _)| *key == "include"));
    made.sort_by_key(Table::path);
    for table in &made {
        let path = tables.join(table.path());
        std::fs::create_dir_all(path.parent().expect("in a family's folder"))?;
        std::fs::write(&path, table.text())?;
    }
    std::fs::write(tables.join("processors.tsv"), processors::text(&facts, &made)?)?;
    std::fs::write(tables.join("../src/table/embedded.rs"), table::embedded(&made))?;
    let events: usize = made.iter().map(|table| table.rows.len()).sum();
    println!("{} tables with {events} events", made.len());
    Ok(())
}
