//! Lists the units of a `.debug_info` section.

use gimli::{DebugInfoOffset, Reader};

use super::bytes::Bytes;
use super::section::Section;
use super::work::Work;

/// The units that are looked at. Chromium has about 100,000.
const MOST_UNITS: usize = 1 << 20;

/// What is read at the beginning of a unit, in bytes: its length, and where it is short, the next one's.
const HEAD: usize = 256;

/// Where each unit begins, ascending.
#[derive(Default)]
pub(super) struct UnitList {
    starts: Vec<usize>,
    /// Where the section ends.
    end: usize,
}

impl UnitList {
    /// Follows the lengths that units begin with (section 7.5.1 of DWARF 5). What is wrong within a unit is of no
    /// account here; where a length is, the units behind it cannot be found.
    pub(super) fn of(info: &Section<'_>, work: &Work<'_>) -> UnitList {
        let mut list = UnitList { starts: Vec::new(), end: info.size() };
        let mut next = Some(0);
        while let Some(head) = next {
            let read = info.read(head, HEAD, work);
            let part = read.as_ref().map(|(bytes, _)| info.part(head, bytes));
            next = list.follow(part.as_ref().unwrap_or(info), head, work);
        }
        list
    }

    /// Adds the units from `head` on whose lengths are at hand in `part`; where the next one begins, if there is one.
    fn follow(&mut self, part: &Section<'_>, head: usize, work: &Work<'_>) -> Option<usize> {
        let mut rest = Bytes::new(part, work);
        rest.skip(head).ok()?;
        let mut start = head;
        while !rest.is_empty() && self.starts.len() < MOST_UNITS {
            let Ok((length, _)) = rest.read_initial_length() else {
                return (start > head).then_some(start);
            };
            // A last unit that was cut off still has its beginning.
            self.starts.push(start);
            rest.skip(length).ok()?;
            start = self.end - rest.len();
        }
        None
    }

    /// Where the units begin.
    pub(super) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// Where the unit begins that holds an entry.
    pub(super) fn holder(&self, entry: DebugInfoOffset<usize>) -> Option<usize> {
        let behind = self.starts.partition_point(|&start| start <= entry.0);
        Some(self.starts[behind.checked_sub(1)?])
    }

    /// The bytes of the unit that begins at `start`.
    pub(super) fn size(&self, start: usize) -> usize {
        let next = self.starts.partition_point(|&other| other <= start);
        self.starts.get(next).copied().unwrap_or(self.end) - start
    }
}
