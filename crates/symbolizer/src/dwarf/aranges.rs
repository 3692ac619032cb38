//! Lists the sets of address ranges that `.debug_aranges` has (section 6.1.2 of DWARF 5).

use gimli::{DebugArangesOffset, Dwarf};

use super::bytes::Bytes;

/// The sets that are listed: one for each unit.
const MOST_SETS: usize = 1 << 20;

/// Each set with the beginning of the unit that it is of, ascending.
#[derive(Default)]
pub(super) struct Aranges(Vec<(usize, DebugArangesOffset<usize>)>);

impl Aranges {
    /// The sets of a file. What is behind a damaged one is left out.
    pub(super) fn of(dwarf: &Dwarf<Bytes<'_>>) -> Aranges {
        let mut sets = Vec::new();
        let mut headers = dwarf.debug_aranges.headers();
        while let Ok(Some(header)) = headers.next() {
            if sets.len() == MOST_SETS {
                break;
            }
            sets.push((header.debug_info_offset().0, header.offset()));
        }
        sets.sort_unstable_by_key(|(unit, set)| (*unit, set.0));
        Aranges(sets)
    }

    /// The sets of the unit that begins at `start`.
    pub(super) fn of_unit(&self, start: usize) -> impl Iterator<Item = DebugArangesOffset<usize>> + '_ {
        let first = self.0.partition_point(|(unit, _)| *unit < start);
        self.0[first..].iter().take_while(move |(unit, _)| *unit == start).map(|(_, set)| *set)
    }
}
