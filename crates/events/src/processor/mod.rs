//! Which processor this is, and which tables are its.

mod identification;
mod oprofile_number;
mod oprofile_type;
mod title;

pub use identification::Identification;
pub use oprofile_number::oprofile_types_numbered;
pub use oprofile_type::oprofile_type;
pub use title::title;

use regex_lite::Regex;

/// Which processor has which table: identification, table, role.
const PROCESSORS: &str = include_str!("../../tables/processors.tsv");

/// A table of the vendor's that is a processor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VendorTable {
    /// The table's CPU type.
    pub(crate) cpu: &'static str,
    /// The role of the cores that have it, on a hybrid part: `Core`, `Atom`, `LowPower_Atom`; else empty.
    pub(crate) role: &'static str,
}

/// The vendor's tables of a processor, one for each role. Of the patterns, the first that fits counts.
pub(crate) fn vendor_tables(identification: &Identification) -> Vec<VendorTable> {
    let mut found: Vec<VendorTable> = Vec::new();
    for line in PROCESSORS.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (Some(pattern), Some(cpu)) = (columns.next(), columns.next()) else { continue };
        let role = columns.next().unwrap_or_default();
        if identification.fits(pattern)
            && found.iter().all(|table| table.role != role && !table.role.is_empty())
        {
            found.push(VendorTable { cpu, role });
        }
    }
    found
}

impl Identification {
    /// Whether the pattern describes all of it, or all but the stepping.
    fn fits(&self, pattern: &str) -> bool {
        // Compiling a pattern costs more than all else here.
        let plain = pattern.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(pattern.len());
        if !self.text().starts_with(&pattern[..plain.min(8)]) {
            return false;
        }
        let Ok(regex) = Regex::new(&format!("^(?:{pattern})$")) else { return false };
        regex.is_match(self.text()) || regex.is_match(self.without_stepping())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::BuiltInTable;

    fn tables(identification: &str) -> Vec<(&'static str, &'static str)> {
        let identification = Identification::new(identification);
        vendor_tables(&identification).iter().map(|table| (table.cpu, table.role)).collect()
    }

    #[test]
    fn processors_have_their_tables() {
        assert_eq!(tables("GenuineIntel-6-4E-3"), [("skylake", "")]);
        assert_eq!(tables("GenuineIntel-6-55-4"), [("skylakex", "")]);
        assert_eq!(tables("GenuineIntel-6-55-7"), [("cascadelakex", "")]);
        assert_eq!(tables("AuthenticAMD-23-1-2"), [("amdzen1", "")]);
        assert_eq!(tables("AuthenticAMD-23-31-0"), [("amdzen2", "")]);
        assert_eq!(tables("AuthenticAMD-25-21-0"), [("amdzen3", "")]);
        assert_eq!(tables("AuthenticAMD-25-61-2"), [("amdzen4", "")]);
        assert_eq!(tables("AuthenticAMD-26-44-0"), [("amdzen5", "")]);
        assert_eq!(
            tables("GenuineIntel-6-97-2"),
            [("alderlake_goldencove", "Core"), ("alderlake_gracemont", "Atom")]
        );
        assert_eq!(tables("GenuineIntel-6-C5-1").len(), 3, "two kinds of Atom");
        assert_eq!(tables("0x00000000413fd0c1"), [("neoverse-n1", "")]);
        assert_eq!(tables("0x00000000431f0af1"), [("cavium-thunderx2", "")]);
        assert_eq!(tables("0x00801200"), [("power10", "")]);
        assert_eq!(tables("0x489-0x8000000000000007-0x20181004"), [("sifive-u74", "")]);
        assert!(tables("GenuineIntel-15-2-7").is_empty());
        assert!(tables("").is_empty());
    }

    #[test]
    fn every_table_that_is_named_is_there_and_every_pattern_can_be_read() {
        for line in PROCESSORS.lines().filter(|line| !line.starts_with('#')) {
            let columns: Vec<_> = line.split('\t').collect();
            assert!(Regex::new(columns[0]).is_ok(), "{line}");
            assert!(BuiltInTable::find(columns[1]).is_some(), "{line}");
        }
    }
}
