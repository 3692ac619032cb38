//! The tables that are built in.

use super::embedded::TABLES;
use super::{EventTable, TableError};

/// A table that is built in; it is parsed only when asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInTable {
    /// The CPU type: `skylake`, `neoverse-n1`, `i386/p4`.
    pub cpu: &'static str,
    text: &'static str,
}

impl BuiltInTable {
    /// All of them, sorted by family and name, OProfile's types among them (with a slash in their name).
    pub fn all() -> impl Iterator<Item = Self> {
        TABLES.iter().map(|&(cpu, text)| Self { cpu, text })
    }

    /// The table of this CPU type, in any case; an underscore and a hyphen are the same.
    pub fn find(cpu: &str) -> Option<Self> {
        let same = |known: &str| {
            let plain = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
            known.chars().map(plain).eq(cpu.chars().map(plain))
        };
        Self::all().find(|table| same(table.cpu))
    }

    /// Its text.
    pub(super) fn text(cpu: &str) -> Option<&'static str> {
        Self::find(cpu).map(|table| table.text)
    }

    /// Whose it is, for people: `Intel`, `OProfile`.
    pub fn vendor(&self) -> &'static str {
        let family = self.text.lines().find_map(|line| line.strip_prefix("#family "));
        match family {
            _ if self.is_oprofile() => "OProfile",
            Some("intel") => "Intel",
            Some("amd") => "AMD",
            Some("arm" | "armv7") => "Arm",
            Some("power") => "POWER",
            Some("riscv") => "RISC-V",
            _ => "others",
        }
    }

    /// It is one of OProfile's.
    pub fn is_oprofile(&self) -> bool {
        self.cpu.contains('/')
    }

    /// Reads it.
    ///
    /// # Errors
    /// None: that every built-in table can be read is tested.
    pub fn parse(&self) -> Result<EventTable, TableError> {
        EventTable::parse(self.cpu, self.text)
    }
}
