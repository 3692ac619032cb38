//! Finds the functions of a unit that hold addresses, and what is inlined into them.

use gimli::{Abbreviation, Attribute, AttributeValue, EntriesRaw, Range, UnitOffset, UnitRef};

use super::bytes::Bytes;
use super::entry_ranges::EntryRanges;
use super::work::Work;
use crate::budget::Lease;

/// The inlined calls within one another that are followed.
const DEEPEST: u32 = 256;

/// The functions and inlined calls within one another that are read. The compiler's own limits are lower.
const MOST_OPEN: usize = 64 << 10;

/// What a node takes in memory, in a vector that doubles.
const BYTES_OF_A_NODE: u64 = 2 * size_of::<Node>() as u64;

/// What an entry takes beside its bytes and attributes, in steps.
const STEPS_OF_AN_ENTRY: u64 = 2;

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
pub(super) struct Functions<'budget> {
    pub(super) nodes: Vec<Node>,
    /// For each address the innermost node.
    pub(super) innermost: Vec<Option<usize>>,
    _lease: Option<Lease<'budget>>,
}

impl<'budget> Functions<'budget> {
    /// The functions that hold `addresses`, which ascend. What begins below `code_start` is no code: the linker
    /// dropped it and left a small address behind. A damaged entry ends the search, and what was found stands.
    pub(super) fn of(
        unit: UnitRef<'_, Bytes<'_>>,
        work: &Work<'budget>,
        addresses: &[u64],
        code_start: u64,
    ) -> Functions<'budget> {
        let mut search = Search {
            unit,
            work,
            addresses,
            code_start,
            open: Vec::new(),
            spans: vec![u64::MAX; addresses.len()],
            nodes: Vec::new(),
            innermost: vec![None; addresses.len()],
            sibling: None,
            lease: work.budget.lease(0),
        };
        _ = search.run();
        Functions { nodes: search.nodes, innermost: search.innermost, _lease: search.lease }
    }
}

/// A function or inlined call whose children are being read.
struct Open {
    depth: isize,
    /// Its node; `None` where it holds none of the addresses.
    node: Option<usize>,
}

struct Search<'a, 'bytes, 'budget> {
    unit: UnitRef<'a, Bytes<'bytes>>,
    work: &'a Work<'budget>,
    addresses: &'a [u64],
    code_start: u64,
    open: Vec<Open>,
    nodes: Vec<Node>,
    innermost: Vec<Option<usize>>,
    /// For each address how long the range of its function is, in bytes.
    spans: Vec<u64>,
    /// The entry behind the children of the one that was read, if it says (DW_AT_sibling).
    sibling: Option<UnitOffset<usize>>,
    /// Of the memory that the nodes take.
    lease: Option<Lease<'budget>>,
}

/// Where a function with code can be the child of another entry, so that this must be read even if it holds none of
/// the addresses. In C and C++ a type has declarations only; nested functions are of GNU C, Fortran, Ada and Pascal.
struct Nested {
    /// Types can be passed over.
    in_types: bool,
    /// Functions can be passed over.
    in_functions: bool,
}

impl Nested {
    fn of(unit: UnitRef<'_, Bytes<'_>>) -> Nested {
        let language = language(unit).ok().flatten();
        let is_cpp = language.is_some_and(|language| {
            matches!(
                language,
                gimli::DW_LANG_C_plus_plus
                    | gimli::DW_LANG_C_plus_plus_03
                    | gimli::DW_LANG_C_plus_plus_11
                    | gimli::DW_LANG_C_plus_plus_14
                    | gimli::DW_LANG_C_plus_plus_17
                    | gimli::DW_LANG_C_plus_plus_20
            )
        });
        let is_c = language.is_some_and(|language| {
            matches!(
                language,
                gimli::DW_LANG_C89 | gimli::DW_LANG_C | gimli::DW_LANG_C99 | gimli::DW_LANG_C11
            )
        });
        Nested { in_types: is_c || is_cpp, in_functions: is_cpp }
    }
}

/// The language that a unit says it is written in (DW_AT_language).
fn language(unit: UnitRef<'_, Bytes<'_>>) -> gimli::Result<Option<gimli::DwLang>> {
    let mut entries = unit.entries_raw(None)?;
    let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(None) };
    for attribute in abbreviation.attributes() {
        if let AttributeValue::Language(language) = entries.read_attribute(*attribute)?.value() {
            return Ok(Some(language));
        }
    }
    Ok(None)
}

/// Whether entries of this kind are types that have children.
fn is_type(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_structure_type
            | gimli::DW_TAG_class_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
            | gimli::DW_TAG_array_type
            | gimli::DW_TAG_subroutine_type
    )
}

impl<'bytes> Search<'_, 'bytes, '_> {
    fn run(&mut self) -> gimli::Result<()> {
        let nested = Nested::of(self.unit);
        let mut entries = self.unit.entries_raw(None)?;
        // The depth of where `entries` begins, which counts from 0 again behind entries that were passed over.
        let mut base = 0;
        while !entries.is_empty() {
            let entry = entries.next_offset();
            let depth = base + entries.next_depth();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            // Of their own, as there are attributes without bytes (DW_FORM_flag_present), and entries of one byte.
            self.work.spend(STEPS_OF_AN_ENTRY + abbreviation.attributes().len() as u64)?;
            while self.open.pop_if(|open| open.depth >= depth).is_some() {}
            let (node, passable) = match abbreviation.tag() {
                gimli::DW_TAG_subprogram => {
                    (self.function(&mut entries, abbreviation, entry)?, nested.in_functions)
                }
                gimli::DW_TAG_inlined_subroutine => (self.inlined(&mut entries, abbreviation, entry)?, true),
                tag => {
                    let passable = is_type(tag) && nested.in_types;
                    self.sibling = None;
                    match passable && abbreviation.has_children() {
                        true => self.find_sibling(&mut entries, abbreviation)?,
                        false => entries.skip_attributes(abbreviation.attributes())?,
                    }
                    if self.sibling.is_none() {
                        continue;
                    }
                    (None, passable)
                }
            };
            if !abbreviation.has_children() {
                continue;
            }
            match self.sibling.take() {
                Some(sibling) if node.is_none() && passable && sibling > entries.next_offset() => {
                    base = depth;
                    entries = self.unit.entries_raw(Some(sibling))?;
                }
                _ if self.open.len() == MOST_OPEN => return Ok(()),
                _ => self.open.push(Open { depth, node }),
            }
        }
        Ok(())
    }

    /// Reads the attributes of an entry of which only DW_AT_sibling counts.
    fn find_sibling(
        &mut self,
        entries: &mut EntriesRaw<'_, Bytes<'bytes>>,
        abbreviation: &Abbreviation,
    ) -> gimli::Result<()> {
        for attribute in abbreviation.attributes() {
            let attribute = entries.read_attribute(*attribute)?;
            self.take_sibling(&attribute);
        }
        Ok(())
    }

    fn take_sibling(&mut self, attribute: &Attribute<Bytes<'bytes>>) {
        if let (gimli::DW_AT_sibling, AttributeValue::UnitRef(sibling)) =
            (attribute.name(), attribute.value())
        {
            self.sibling = Some(sibling);
        }
    }

    /// Reads a function; its node if it holds an address.
    fn function(
        &mut self,
        entries: &mut EntriesRaw<'_, Bytes<'bytes>>,
        abbreviation: &Abbreviation,
        entry: UnitOffset<usize>,
    ) -> gimli::Result<Option<usize>> {
        self.sibling = None;
        if !has_code(abbreviation) {
            match abbreviation.has_children() {
                true => self.find_sibling(entries, abbreviation)?,
                false => entries.skip_attributes(abbreviation.attributes())?,
            }
            return Ok(None);
        }
        let mut ranges = EntryRanges::default();
        for attribute in abbreviation.attributes() {
            let attribute = entries.read_attribute(*attribute)?;
            self.take_sibling(&attribute);
            ranges.take(self.unit, &attribute)?;
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
        self.kept(node, held)
    }

    /// Reads an inlined call; its node if it holds an address of what it is inlined into.
    fn inlined(
        &mut self,
        entries: &mut EntriesRaw<'_, Bytes<'bytes>>,
        abbreviation: &Abbreviation,
        entry: UnitOffset<usize>,
    ) -> gimli::Result<Option<usize>> {
        self.sibling = None;
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
                gimli::DW_AT_sibling => self.take_sibling(&attribute),
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
        self.kept(node, held)
    }

    /// The last node, unless nothing refers to it.
    fn kept(&mut self, node: usize, held: bool) -> gimli::Result<Option<usize>> {
        if !held {
            self.nodes.truncate(node);
            return Ok(None);
        }
        let paid = self.lease.as_mut().and_then(|lease| lease.add(BYTES_OF_A_NODE));
        paid.map(|()| Some(node)).ok_or(gimli::Error::UnexpectedEof(gimli::ReaderOffsetId(0)))
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
