//! Lists the units of a `.debug_info` section.

use gimli::{DebugInfoOffset, Reader, Unit};

use super::bytes::Bytes;

/// The units that are looked at. Chromium has about 100,000.
const MOST_UNITS: usize = 4 << 20;

/// Where each unit begins, ascending.
#[derive(Default)]
pub(super) struct UnitList(Vec<usize>);

impl UnitList {
    /// Follows the lengths that units begin with (section 7.5.1 of DWARF 5). What is wrong within a unit is of no
    /// account here; where a length is, the units behind it cannot be found.
    pub(super) fn of(info: Bytes<'_>) -> UnitList {
        let mut starts = Vec::new();
        let mut rest = info;
        while !rest.is_empty() && starts.len() < MOST_UNITS {
            let start = rest.offset_from(&info);
            let Ok((length, _)) = rest.read_initial_length() else { break };
            starts.push(start);
            // A last unit that was cut off still has its beginning.
            if rest.skip(length).is_err() {
                break;
            }
        }
        UnitList(starts)
    }

    /// Where the units begin.
    pub(super) fn starts(&self) -> &[usize] {
        &self.0
    }

    /// Where the unit begins that holds an entry.
    pub(super) fn holder(&self, entry: DebugInfoOffset<usize>) -> Option<usize> {
        let behind = self.0.partition_point(|&start| start <= entry.0);
        Some(self.0[behind.checked_sub(1)?])
    }
}

/// The unit that begins here; `None` where it is damaged.
pub(super) fn unit_at<'a>(dwarf: &gimli::Dwarf<Bytes<'a>>, start: usize) -> Option<Unit<Bytes<'a>>> {
    dwarf.unit(dwarf.unit_header(DebugInfoOffset(start)).ok()?).ok()
}
