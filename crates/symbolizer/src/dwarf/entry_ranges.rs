//! Turns the attributes of an entry into the ranges of addresses that its code has.

use gimli::{Attribute, AttributeValue, Range, UnitRef};

use super::bytes::Bytes;

/// DW_AT_low_pc, DW_AT_high_pc and DW_AT_ranges (section 2.17 of DWARF 5).
#[derive(Default)]
pub(super) struct EntryRanges {
    low: Option<u64>,
    high: Option<u64>,
    size: Option<u64>,
    list: Option<gimli::RangeListsOffset<usize>>,
}

impl EntryRanges {
    /// Takes an attribute if it is about ranges.
    pub(super) fn take<'a>(
        &mut self,
        unit: UnitRef<'_, Bytes<'a>>,
        attribute: &Attribute<Bytes<'a>>,
    ) -> gimli::Result<()> {
        match attribute.name() {
            gimli::DW_AT_low_pc => self.low = unit.attr_address(attribute.value())?,
            gimli::DW_AT_high_pc => match attribute.value() {
                AttributeValue::Udata(size) => self.size = Some(size),
                value => self.high = unit.attr_address(value)?,
            },
            gimli::DW_AT_ranges => self.list = unit.attr_ranges_offset(attribute.value())?,
            _ => {}
        }
        Ok(())
    }

    /// Whether there is a list of ranges.
    pub(super) fn is_list(&self) -> bool {
        self.list.is_some()
    }

    /// The ranges that are not empty, one after the other.
    pub(super) fn each(
        &self,
        unit: UnitRef<'_, Bytes<'_>>,
        mut visit: impl FnMut(Range) -> gimli::Result<()>,
    ) -> gimli::Result<()> {
        let mut visit = |range: Range| if range.begin < range.end { visit(range) } else { Ok(()) };
        if let Some(list) = self.list {
            let mut ranges = unit.ranges(list)?;
            while let Some(range) = ranges.next()? {
                visit(range)?;
            }
            return Ok(());
        }
        let end = |begin: u64| self.high.or_else(|| self.size.map(|size| begin.saturating_add(size)));
        match self.low.and_then(|begin| Some(Range { begin, end: end(begin)? })) {
            Some(range) => visit(range),
            None => Ok(()),
        }
    }
}
