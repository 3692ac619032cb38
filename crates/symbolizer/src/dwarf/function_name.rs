//! Finds the name of a function by its entry.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use gimli::{AttributeValue, Dwarf, Reader, UnitOffset, UnitRef};

use super::bytes::Bytes;
use super::source_path::source_path;
use super::unit::HeldUnit;
use super::unit_list::UnitList;
use super::work::Work;

/// The entries that are followed from one to the next: an inlined call names the function it is a copy of, which may
/// name its declaration, in another unit, in the supplementary file.
const MOST_STEPS: usize = 16;

/// The longest name, in bytes.
const LONGEST: usize = 64 << 10;

/// The units of other functions that are kept at hand.
const MOST_UNITS: usize = 64;

/// What an entry and those it refers to tell of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FunctionName {
    /// DW_AT_linkage_name, else DW_AT_name.
    pub(super) name: Option<String>,
    /// Where it is declared, DW_AT_decl_file and DW_AT_decl_line: the file's path and the line.
    pub(super) declaration: Option<(String, u32)>,
}

/// Which `.debug_info` a place is in.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The image's or its debug file's.
    Main,
    /// The file's that several debug files share (`.gnu_debugaltlink`).
    Supplementary,
    /// A file of split DWARF, whose units refer to none but themselves.
    Split,
}

/// A unit that was referred to; `None` for a damaged one.
type KeptUnit<'bytes> = Option<Rc<HeldUnit<'bytes>>>;

/// What the entries of a unit can refer to.
pub(super) struct Entries<'a, 'bytes> {
    /// The image's sections or its debug file's.
    main: &'a Dwarf<Bytes<'bytes>>,
    main_units: &'a UnitList,
    /// The units of the file that several debug files share.
    supplementary_units: &'a UnitList,
    /// Units that were referred to, by where they begin.
    units: RefCell<HashMap<(Place, usize), KeptUnit<'bytes>>>,
    work: &'a Work<'bytes>,
}

/// The unit that an entry is in.
#[derive(Clone, Copy)]
pub(super) struct Holder<'a, 'bytes> {
    pub(super) place: Place,
    pub(super) unit: UnitRef<'a, Bytes<'bytes>>,
    /// The unit whose line table numbers the files: the unit itself, or of a split unit its skeleton.
    pub(super) files: UnitRef<'a, Bytes<'bytes>>,
}

impl<'a, 'bytes> Entries<'a, 'bytes> {
    pub(super) fn new(
        main: &'a Dwarf<Bytes<'bytes>>,
        main_units: &'a UnitList,
        supplementary_units: &'a UnitList,
        work: &'a Work<'bytes>,
    ) -> Entries<'a, 'bytes> {
        Entries { main, main_units, supplementary_units, units: RefCell::default(), work }
    }

    /// The name of the function that `entry` is, or is a copy of. What cannot be read is left out.
    pub(super) fn name(&self, holder: Holder<'_, 'bytes>, entry: UnitOffset<usize>) -> FunctionName {
        let mut found = Found::default();
        _ = self.follow(holder, entry, MOST_STEPS, &mut found);
        FunctionName {
            name: found.linkage_name.or(found.name),
            declaration: found.file.zip(found.line.filter(|&line| line > 0)),
        }
    }

    fn follow(
        &self,
        holder: Holder<'_, 'bytes>,
        entry: UnitOffset<usize>,
        steps: usize,
        found: &mut Found,
    ) -> gimli::Result<()> {
        let unit = holder.unit;
        let mut entries = unit.entries_raw(Some(entry))?;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
        let mut next = None;
        for attribute in abbreviation.attributes() {
            let attribute = entries.read_attribute(*attribute)?;
            match attribute.name() {
                gimli::DW_AT_linkage_name | gimli::DW_AT_MIPS_linkage_name => {
                    found.linkage_name = text(unit, attribute.value());
                }
                gimli::DW_AT_name if found.name.is_none() => found.name = text(unit, attribute.value()),
                gimli::DW_AT_decl_line if found.line.is_none() => {
                    found.line = attribute.udata_value().and_then(|line| u32::try_from(line).ok());
                }
                gimli::DW_AT_decl_file if found.file.is_none() => {
                    if let (AttributeValue::FileIndex(file), Some(program)) =
                        (attribute.value(), &holder.files.line_program)
                    {
                        found.file = source_path(holder.files, program.header(), file);
                    }
                }
                gimli::DW_AT_abstract_origin | gimli::DW_AT_specification => next = Some(attribute.value()),
                _ => {}
            }
        }
        match next {
            Some(next) if found.linkage_name.is_none() && steps > 0 => {
                self.refer(holder, next, steps - 1, found)
            }
            _ => Ok(()),
        }
    }

    fn refer(
        &self,
        holder: Holder<'_, 'bytes>,
        reference: AttributeValue<Bytes<'bytes>>,
        steps: usize,
        found: &mut Found,
    ) -> gimli::Result<()> {
        let (place, dwarf, units, entry) = match (reference, holder.place) {
            (AttributeValue::UnitRef(entry), _) => return self.follow(holder, entry, steps, found),
            (AttributeValue::DebugInfoRef(entry), Place::Main) => {
                (Place::Main, Some(self.main), self.main_units, entry)
            }
            (AttributeValue::DebugInfoRef(entry), Place::Supplementary)
            | (AttributeValue::DebugInfoRefSup(entry), _) => {
                (Place::Supplementary, self.main.sup(), self.supplementary_units, entry)
            }
            _ => return Ok(()),
        };
        let (Some(dwarf), Some(start)) = (dwarf, units.holder(entry)) else { return Ok(()) };
        let Some(unit) = self.unit(place, dwarf, start) else { return Ok(()) };
        let Some(entry) = entry.to_unit_offset(&unit.header) else { return Ok(()) };
        let unit = unit.unit_ref(dwarf);
        self.follow(Holder { place, unit, files: unit }, entry, steps, found)
    }

    fn unit(&self, place: Place, dwarf: &Dwarf<Bytes<'bytes>>, start: usize) -> KeptUnit<'bytes> {
        let mut units = self.units.borrow_mut();
        let read =
            || HeldUnit::read(dwarf, start, self.work).map(|unit| Rc::new(unit.with_lines(dwarf, self.work)));
        if let Some(kept) = units.get(&(place, start)) {
            return kept.clone();
        }
        let mut unit = read();
        if units.len() >= MOST_UNITS || unit.is_none() {
            // Damaged, unless those that are kept take all memory.
            units.clear();
            unit = unit.or_else(read);
        }
        units.insert((place, start), unit.clone());
        unit
    }
}

/// What has been found on the way.
#[derive(Default)]
struct Found {
    linkage_name: Option<String>,
    name: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

fn text<'bytes>(unit: UnitRef<'_, Bytes<'bytes>>, value: AttributeValue<Bytes<'bytes>>) -> Option<String> {
    let text = unit.attr_string(value).ok()?;
    (text.len() <= LONGEST).then(|| text.to_string_lossy().ok().map(|text| text.into_owned())).flatten()
}
