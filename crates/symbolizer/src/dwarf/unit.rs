//! Reads what the first entry of a unit tells of the whole unit.

use std::ops::Deref;

use gimli::{
    Attribute, AttributeValue, DebugAddrBase, DebugInfoOffset, DebugLineOffset, DebugLocListsBase,
    DebugRngListsBase, DebugStrOffsetsBase, Dwarf, Unit, UnitType,
};

use super::bytes::Bytes;
use super::work::Work;
use crate::budget::Lease;

/// The steps that the head of a unit or of its line table may take: one is tried after the other, as what it takes in
/// memory is not known before. A unit with 5,000 files takes 20,000 steps.
const STEPS: [u64; 3] = [1 << 12, 1 << 15, 1 << 18];

/// The most bytes of memory that a step of reading fills: it may be a file's whole entry, in a vector that doubles.
const BYTES_OF_A_STEP: u64 = 2 * size_of::<gimli::FileEntry<Bytes<'_>>>() as u64;

/// The same of a table of abbreviations, where one takes five steps at least.
const BYTES_OF_AN_ABBREVIATION_STEP: u64 = 64;

/// A unit and what it takes in memory.
pub(super) struct HeldUnit<'a> {
    unit: Unit<Bytes<'a>>,
    root: Root<'a>,
    leases: Vec<Lease<'a>>,
}

/// What stands in the first entry beside what the reader of units knows of.
#[derive(Default)]
struct Root<'a> {
    name: Option<AttributeValue<Bytes<'a>>>,
    folder: Option<AttributeValue<Bytes<'a>>>,
    low_address: Option<AttributeValue<Bytes<'a>>>,
    lines: Option<DebugLineOffset<usize>>,
}

impl<'a> Deref for HeldUnit<'a> {
    type Target = Unit<Bytes<'a>>;

    fn deref(&self) -> &Self::Target {
        &self.unit
    }
}

impl<'a> HeldUnit<'a> {
    /// The unit that begins at `start`, without its line table; `None` where it is damaged.
    pub(super) fn read(dwarf: &Dwarf<Bytes<'a>>, start: usize, work: &Work<'a>) -> Option<HeldUnit<'a>> {
        let header = || dwarf.unit_header(DebugInfoOffset(start));
        HeldUnit::of(dwarf, header, work)
    }

    /// The unit of this header.
    pub(super) fn of(
        dwarf: &Dwarf<Bytes<'a>>,
        header: impl Fn() -> gimli::Result<gimli::UnitHeader<Bytes<'a>>>,
        work: &Work<'a>,
    ) -> Option<HeldUnit<'a>> {
        let read = || {
            let header = header()?;
            let (encoding, kind) = (header.encoding(), dwarf.file_type);
            let mut unit = Unit {
                abbreviations: dwarf.abbreviations(&header)?,
                name: None,
                comp_dir: None,
                low_pc: 0,
                str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, kind),
                addr_base: DebugAddrBase(0),
                loclists_base: DebugLocListsBase::default_for_encoding_and_file(encoding, kind),
                rnglists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, kind),
                line_program: None,
                dwo_id: match header.type_() {
                    UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id),
                    _ => None,
                },
                header,
            };
            let mut root = Root::default();
            let mut attributes = Vec::new();
            let mut entries = unit.entries_raw(None)?;
            if let Some(abbreviation) = entries.read_abbreviation()? {
                for attribute in abbreviation.attributes() {
                    attributes.push(entries.read_attribute(*attribute)?);
                }
            }
            for attribute in &attributes {
                root.take(&mut unit, attribute);
            }
            if let Some(address) = root.low_address {
                unit.low_pc = dwarf.attr_address(&unit, address)?.unwrap_or(0);
            }
            Ok((unit, root))
        };
        let (unit, root, lease) = bounded(work, read, |_, spent| spent * BYTES_OF_AN_ABBREVIATION_STEP)
            .map(|((unit, root), lease)| (unit, root, lease))?;
        Some(HeldUnit { unit, root, leases: vec![lease] })
    }

    /// Adds the unit's line table and what the paths in it are relative to. A damaged one is none.
    pub(super) fn with_lines(mut self, dwarf: &Dwarf<Bytes<'a>>, work: &Work<'a>) -> HeldUnit<'a> {
        let text = |value: Option<_>| dwarf.attr_string(&self.unit, value?).ok();
        (self.unit.name, self.unit.comp_dir) = (text(self.root.name), text(self.root.folder));
        let Some(offset) = self.root.lines else { return self };
        let read = || {
            let (folder, name) = (self.unit.comp_dir, self.unit.name);
            dwarf.debug_line.program(offset, self.unit.header.address_size(), folder, name)
        };
        let size = |program: &gimli::IncompleteLineProgram<Bytes<'a>>, _| {
            let header = program.header();
            let files = size_of_val(header.file_names()) + size_of_val(header.include_directories());
            2 * files as u64
        };
        if let Some((program, lease)) = bounded(work, read, size) {
            self.unit.line_program = Some(program);
            self.leases.push(lease);
        }
        self
    }

    /// The other half of a unit whose debugging information was split off knows where its addresses are.
    pub(super) fn copy_relocated_attributes(&mut self, skeleton: &Unit<Bytes<'a>>) {
        self.unit.copy_relocated_attributes(skeleton);
    }
}

impl<'a> Root<'a> {
    fn take(&mut self, unit: &mut Unit<Bytes<'a>>, attribute: &Attribute<Bytes<'a>>) {
        let value = attribute.value();
        match (attribute.name(), value) {
            (gimli::DW_AT_name, _) => self.name = Some(value),
            (gimli::DW_AT_comp_dir, _) => self.folder = Some(value),
            (gimli::DW_AT_low_pc, _) => self.low_address = Some(value),
            (gimli::DW_AT_stmt_list, AttributeValue::DebugLineRef(offset)) => self.lines = Some(offset),
            (gimli::DW_AT_str_offsets_base, AttributeValue::DebugStrOffsetsBase(base)) => {
                unit.str_offsets_base = base;
            }
            (gimli::DW_AT_addr_base | gimli::DW_AT_GNU_addr_base, AttributeValue::DebugAddrBase(base)) => {
                unit.addr_base = base;
            }
            (
                gimli::DW_AT_rnglists_base | gimli::DW_AT_GNU_ranges_base,
                AttributeValue::DebugRngListsBase(base),
            ) => unit.rnglists_base = base,
            (gimli::DW_AT_GNU_dwo_id, AttributeValue::DwoId(id)) if unit.dwo_id.is_none() => {
                unit.dwo_id = Some(id);
            }
            _ => {}
        }
    }
}

/// What `read` gives, with a lease of the memory that it takes according to `size` of it and of its steps.
fn bounded<'a, T>(
    work: &Work<'a>,
    read: impl Fn() -> gimli::Result<T>,
    size: impl Fn(&T, u64) -> u64,
) -> Option<(T, Lease<'a>)> {
    for steps in STEPS {
        let mut lease = work.budget.lease(steps * BYTES_OF_A_STEP)?;
        let within = work.within(steps, &read)?;
        if let Ok(result) = within.result {
            lease.shrink_to(size(&result, within.spent));
            return Some((result, lease));
        }
        if !within.ran_out {
            return None;
        }
    }
    None
}
