//! Finds the functions of a unit that hold addresses, and what is inlined into them.

use gimli::{Abbreviation, AttributeValue, EntriesRaw, Range, UnitOffset, UnitRef};

use super::bytes::Bytes;
use super::entry_ranges::EntryRanges;
use super::work::Work;

/// The inlined calls within one another that are followed.
const DEEPEST: u32 = 256;

/// A function with code of its own, or an inlined call.
pub(super) struct Node {
    /// Its entry (DW_TAG_subprogram or DW_TAG_inlined_subroutine).
    pub(super) entry: UnitOffset<usize>,
    /// What it is inlined into, among the nodes; `None` for a function with code of its own.
    pub(super) parent: Option<usize>,
    /// Where it is called.
    pub(super) call: Call,
    /// How many calls it is inlined through.
    depth: u32,
}

/// Where an inlined function is called: DW_AT_call_file, DW_AT_call_line and DW_AT_call_column.
#[derive(Clone, Copy, Default)]
pub(super) struct Call {
    /// The number of the file in the unit's line table.
    pub(super) file: Option<u64>,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The functions of a unit that hold at least one address.
pub(super) struct Functions {
    pub(super) nodes: Vec<Node>,
    /// For each address the innermost node.
    pub(super) innermost: Vec<Option<usize>>,
}

impl Functions {
    /// The functions that hold `addresses`, which ascend. What begins below `code_start` is no code: the linker
    /// dropped it and left a small address behind. A damaged entry ends the search, and what was found stands.
    pub(super) fn of(
        unit: UnitRef<'_, Bytes<'_>>,
        work: &Work<'_>,
        addresses: &[u64],
        code_start: u64,
    ) -> Functions {
        let mut search = Search {
            unit,
            work,
            addresses,
            code_start,
            open: Vec::new(),
            spans: vec![u64::MAX; addresses.len()],
            nodes: Vec::new(),
            innermost: vec![None; addresses.len()],
        };
        _ = search.run();
        Functions { nodes: search.nodes, innermost: search.innermost }
    }
}

/// A function or inlined call whose children are being read.
struct Open {
    depth: isize,
    /// Its node; `None` where it holds none of the addresses.
    node: Option<usize>,
}

struct Search<'a, 'bytes> {
    unit: UnitRef<'a, Bytes<'bytes>>,
    work: &'a Work<'a>,
    addresses: &'a [u64],
    code_start: u64,
    open: Vec<Open>,
    nodes: Vec<Node>,
    innermost: Vec<Option<usize>>,
    /// For each address how long the range of its function is, in bytes.
    spans: Vec<u64>,
}

impl<'bytes> Search<'_, 'bytes> {
    fn run(&mut self) -> gimli::Result<()> {
        let mut entries = self.unit.entries_raw(None)?;
        while !entries.is_empty() {
            let entry = entries.next_offset();
            let depth = entries.next_depth();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            // Of its own, as there are attributes without bytes (DW_FORM_flag_present).
            self.work.spend(abbreviation.attributes().len() as u64)?;
            while self.open.pop_if(|open| open.depth >= depth).is_some() {}
            let node = match abbreviation.tag() {
                gimli::DW_TAG_subprogram => self.function(&mut entries, abbreviation, entry)?,
                gimli::DW_TAG_inlined_subroutine => self.inlined(&mut entries, abbreviation, entry)?,
                _ => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    continue;
                }
            };
            if abbreviation.has_children() {
                self.open.push(Open { depth, node });
            }
        }
        Ok(())
    }

    /// Reads a function; its node if it holds an address.
    fn function(
        &mut self,
        entries: &mut EntriesRaw<'_, Bytes<'bytes>>,
        abbreviation: &Abbreviation,
        entry: UnitOffset<usize>,
    ) -> gimli::Result<Option<usize>> {
        if !has_code(abbreviation) {
            entries.skip_attributes(abbreviation.attributes())?;
            return Ok(None);
        }
        let mut ranges = EntryRanges::default();
        for attribute in abbreviation.attributes() {
            ranges.take(self.unit, &entries.read_attribute(*attribute)?)?;
        }
        let node = self.nodes.len();
        self.nodes.push(Node { entry, parent: None, call: Call::default(), depth: 0 });
        let mut held = false;
        ranges.each(self.unit, |range| {
            let span = range.end - range.begin;
            for place in places(self.addresses, range, self.code_start, self.work)? {
                // Where several hold it, the narrowest: one can be nested in another. Equal ones were folded by the
                // linker, and the first is as good as any.
                if span < self.spans[place] {
                    self.spans[place] = span;
                    self.innermost[place] = Some(node);
                    held = true;
                }
            }
            Ok(())
        })?;
        Ok(self.kept(node, held))
    }

    /// Reads an inlined call; its node if it holds an address of what it is inlined into.
    fn inlined(
        &mut self,
        entries: &mut EntriesRaw<'_, Bytes<'bytes>>,
        abbreviation: &Abbreviation,
        entry: UnitOffset<usize>,
    ) -> gimli::Result<Option<usize>> {
        let parent = self.open.last().and_then(|open| open.node);
        let Some(parent) = parent.filter(|&parent| self.nodes[parent].depth < DEEPEST) else {
            entries.skip_attributes(abbreviation.attributes())?;
            return Ok(None);
        };
        let mut ranges = EntryRanges::default();
        let mut call = Call::default();
        for attribute in abbreviation.attributes() {
            let attribute = entries.read_attribute(*attribute)?;
            match attribute.name() {
                gimli::DW_AT_call_file => {
                    if let AttributeValue::FileIndex(file) = attribute.value() {
                        // Before DWARF 5 files are counted from 1 (section 6.2.4 of DWARF 4).
                        call.file = (file > 0 || self.unit.header.version() >= 5).then_some(file);
                    }
                }
                gimli::DW_AT_call_line => call.line = number(attribute.udata_value()),
                gimli::DW_AT_call_column => call.column = number(attribute.udata_value()),
                _ => ranges.take(self.unit, &attribute)?,
            }
        }
        let node = self.nodes.len();
        // Before its ranges are read: where they are damaged, those before have been given to it.
        let depth = self.nodes[parent].depth + 1;
        self.nodes.push(Node { entry, parent: Some(parent), call, depth });
        let mut held = false;
        ranges.each(self.unit, |range| {
            for place in places(self.addresses, range, self.code_start, self.work)? {
                if self.innermost[place] == Some(parent) {
                    self.innermost[place] = Some(node);
                    held = true;
                }
            }
            Ok(())
        })?;
        Ok(self.kept(node, held))
    }

    /// The last node, unless nothing refers to it.
    fn kept(&mut self, node: usize, held: bool) -> Option<usize> {
        if !held {
            self.nodes.truncate(node);
        }
        held.then_some(node)
    }
}

/// Whether entries of this form can have code: declarations and functions that were only ever inlined do not.
fn has_code(abbreviation: &Abbreviation) -> bool {
    let of_code = |name| name == gimli::DW_AT_low_pc || name == gimli::DW_AT_ranges;
    abbreviation.attributes().iter().any(|attribute| of_code(attribute.name()))
}

fn number(value: Option<u64>) -> u32 {
    value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0)
}

/// The places of the `addresses` in a range of code.
pub(super) fn places(
    addresses: &[u64],
    range: Range,
    code_start: u64,
    work: &Work<'_>,
) -> gimli::Result<std::ops::Range<usize>> {
    if range.begin < code_start {
        return Ok(0..0);
    }
    let first = addresses.partition_point(|&address| address < range.begin);
    let count = addresses[first..].partition_point(|&address| address < range.end);
    work.spend(count as u64)?;
    Ok(first..first + count)
}
