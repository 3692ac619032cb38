//! Events that an architecture defines for all its processors, which tables name without a number.

use std::sync::OnceLock;

use crate::table::{BuiltInTable, EventTable, Family, TableEvent};

/// Built-in tables that have them, the first first. Those of Arm's newest extensions are on no common list yet; every
/// RISC-V table has the events of the firmware (SBI).
const TABLES: [&str; 4] = ["common-armv9", "common-armv8", "neoverse-v3", "sifive-u74"];

/// The event of this name, in any case, and whose it is.
pub(super) fn find(name: &str) -> Option<(Family, &'static TableEvent)> {
    static ALL: OnceLock<Vec<EventTable>> = OnceLock::new();
    let all =
        ALL.get_or_init(|| TABLES.iter().filter_map(|cpu| BuiltInTable::find(cpu)?.parse().ok()).collect());
    all.iter().find_map(|table| Some((table.family, table.find(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_there() {
        for cpu in TABLES {
            assert!(BuiltInTable::find(cpu).is_some(), "{cpu}");
        }
        let terms = |name| find(name).map(|(_, event)| event.terms.as_str());
        assert_eq!((terms("br_retired"), terms("TRB_WRAP")), (Some("event=0x21"), Some("event=0x400c")));
        assert_eq!(terms("L1I_CACHE_HIT"), Some("event=0x8200"));
        assert_eq!(terms("FW_SET_TIMER"), Some("config=0x8000000000000005"));
    }
}
