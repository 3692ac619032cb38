//! Reads some units of an image, one after the other.

use std::cell::Cell;
use std::fs::File;
use std::ops::Range;

use gimli::{DebugInfo, Dwarf, Unit, UnitType};

use super::aranges::Aranges;
use super::bytes::Bytes;
use super::entry_ranges::EntryRanges;
use super::function_name::{Entries, Holder, Place};
use super::functions::{Functions, places};
use super::lines::{Row, rows};
use super::section::Section;
use super::sections::{PackageSections, Sections};
use super::split::{SplitFiles, split_sections, split_unit};
use super::unit::HeldUnit;
use super::unit_answer::{UnitAnswer, Writer};
use super::unit_list::UnitList;
use super::work::Work;
use crate::file_bytes::FileBytes;

/// What is asked, and where answers are: the same for all tasks of an image.
pub(super) struct Question<'a> {
    pub(super) main: &'a Sections<'a>,
    pub(super) main_units: UnitList,
    /// The file that several debug files share (`.gnu_debugaltlink`).
    pub(super) supplementary: Option<&'a Sections<'a>>,
    pub(super) supplementary_units: UnitList,
    /// The package of split DWARF.
    pub(super) package: Option<&'a PackageSections<'a>>,
    pub(super) split: SplitFiles,
    pub(super) aranges: Aranges,
    /// The addresses, ascending and distinct.
    pub(super) addresses: Vec<u64>,
    /// Where the image's code begins.
    pub(super) code_start: u64,
}

/// What is read of a unit to see whether it holds any of the addresses, in bytes: its first entry.
const HEAD: usize = 512;

impl Question<'_> {
    /// The answers of the units that begin at `starts`.
    pub(super) fn ask<'a>(&'a self, starts: &[usize], work: &'a Work<'a>) -> Vec<UnitAnswer> {
        let answers = starts.iter().filter_map(|&start| self.unit(start, work));
        answers.filter(|answer| !answer.told.is_empty()).collect()
    }

    /// The answer of one unit. Of one that holds none of the addresses no more than the beginning is read, and no unit
    /// stays in memory.
    fn unit(&self, start: usize, work: &Work<'_>) -> Option<UnitAnswer> {
        let info = self.main.info()?;
        if let Some((head, _lease)) = info.read(start, HEAD, work) {
            let part = info.part(start, &head);
            let mut dwarf = self.main.reader(self.supplementary, work);
            dwarf.debug_info = DebugInfo::from(Bytes::new(&part, work));
            let held = HeldUnit::read(&dwarf, start, work)
                .map(|unit| has_code(&unit) && self.held(&dwarf, &unit, start, work) != Ok(Some(Vec::new())));
            if held == Some(false) {
                return None;
            }
        }
        let read = info.read(start, self.main_units.size(start), work);
        let part = read.as_ref().map(|(bytes, _)| info.part(start, bytes));
        self.whole_unit(part.as_ref().unwrap_or(info), start, work)
    }

    /// The answer of the unit that begins at `start` of `info`.
    fn whole_unit<'a>(
        &'a self,
        info: &'a Section<'a>,
        start: usize,
        work: &'a Work<'a>,
    ) -> Option<UnitAnswer> {
        let main = self.main.reader(self.supplementary, work);
        let mut dwarf = self.main.reader(self.supplementary, work);
        dwarf.debug_info = DebugInfo::from(Bytes::new(info, work));
        let dwarf = &dwarf;
        let entries = &Entries::new(&main, &self.main_units, &self.supplementary_units, work);
        let unit = HeldUnit::read(dwarf, start, work).filter(has_code)?;
        let held = self.held(dwarf, &unit, start, work).ok()?;
        let has_ranges = held.is_some();
        let held = held.unwrap_or_else(|| (0..self.addresses.len()).collect());
        if held.is_empty() {
            return None;
        }
        let unit = unit.with_lines(dwarf, work);
        let addresses: Vec<u64> = held.iter().map(|&place| self.addresses[place]).collect();
        let program = unit.line_program.clone();
        let rows = program.map(|program| rows(program, &addresses, self.code_start, work));
        let rows = rows.unwrap_or_else(|| vec![None; addresses.len()]);
        // A unit that does not say what it holds is known by its lines.
        if !has_ranges && rows.iter().all(Option::is_none) {
            return None;
        }
        let asked = Asked { places: held, addresses, rows, code_start: self.code_start };

        let files = unit.unit_ref(dwarf);
        if let Some(id) = unit.dwo_id {
            if let Some(package) = self.package
                && let Ok(package) = package.reader(work)
                && let Ok(Some(split)) = package.find_cu(id, dwarf)
                && let Some(half) = split_unit(&split, id, &unit, work)
            {
                let holder = Holder { place: Place::Split, unit: half.unit_ref(&split), files };
                return Some(asked.answer(entries, holder, work));
            }
            if let Some(file) = self.split.open(dwarf, &unit)
                && let Some(answer) = self.split_file(&file, info, start, &asked, work)
            {
                return Some(answer);
            }
        }
        Some(asked.answer(entries, Holder { place: Place::Main, unit: files, files }, work))
    }

    /// The answer of the unit that begins at `start` of `info` and has its other half in a file of its own.
    fn split_file(
        &self,
        file: &File,
        info: &Section<'_>,
        start: usize,
        asked: &Asked,
        work: &Work<'_>,
    ) -> Option<UnitAnswer> {
        let bytes = FileBytes::new(file, work.budget);
        let sections = split_sections(&bytes)?;
        work.budget.add_steps(sections.size);
        // Again, as readers are of one lifetime.
        let main = self.main.reader(self.supplementary, work);
        let mut dwarf = self.main.reader(self.supplementary, work);
        dwarf.debug_info = DebugInfo::from(Bytes::new(info, work));
        let skeleton = HeldUnit::read(&dwarf, start, work)?.with_lines(&dwarf, work);
        let mut split = sections.reader(None, work);
        split.make_dwo(&dwarf);
        let half = split_unit(&split, skeleton.dwo_id?, &skeleton, work)?;
        let entries = Entries::new(&main, &self.main_units, &self.supplementary_units, work);
        let (unit, files) = (half.unit_ref(&split), skeleton.unit_ref(&dwarf));
        Some(asked.answer(&entries, Holder { place: Place::Split, unit, files }, work))
    }

    /// The places of the addresses that the unit says it holds; `None` where it says nothing of what it holds.
    ///
    /// Its own list of ranges goes before `.debug_aranges`, and that before its lowest and highest address, between
    /// which there can be other units.
    fn held(
        &self,
        dwarf: &Dwarf<Bytes<'_>>,
        unit: &Unit<Bytes<'_>>,
        start: usize,
        work: &Work<'_>,
    ) -> gimli::Result<Option<Vec<usize>>> {
        let unit = unit.unit_ref(dwarf);
        let mut entries = unit.entries_raw(None)?;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(Some(Vec::new())) };
        let mut ranges = EntryRanges::default();
        for attribute in abbreviation.attributes() {
            ranges.take(unit, &entries.read_attribute(*attribute)?)?;
        }
        let any = Cell::new(false);
        let mut held: Vec<Range<usize>> = Vec::new();
        let mut visit = |range: gimli::Range| {
            any.set(true);
            let places = places(&self.addresses, range, self.code_start, work)?;
            if !places.is_empty() && held.last() != Some(&places) {
                held.push(places);
            }
            Ok(())
        };
        if !ranges.is_list() {
            for set in self.aranges.of_unit(start) {
                let mut set = dwarf.debug_aranges.header(set)?.entries();
                // An entry whose end passes the end of memory is skipped.
                while let Some(entry) = set.next().transpose() {
                    entry.map_or(Ok(()), |entry| visit(entry.range()))?;
                }
            }
        }
        if !any.get() {
            ranges.each(unit, visit)?;
        }
        let mut held: Vec<usize> = held.into_iter().flatten().collect();
        held.sort_unstable();
        held.dedup();
        Ok(any.get().then_some(held))
    }
}

/// Whether a unit can have code: partial units have only what others refer to, and units of types none.
fn has_code(unit: &HeldUnit<'_>) -> bool {
    matches!(unit.header.type_(), UnitType::Compilation | UnitType::Skeleton(_))
}

/// The addresses that a unit holds.
struct Asked {
    /// Their places among all that are asked for.
    places: Vec<usize>,
    addresses: Vec<u64>,
    rows: Vec<Option<Row>>,
    code_start: u64,
}

impl Asked {
    fn answer<'a>(&self, entries: &Entries<'_, 'a>, holder: Holder<'_, 'a>, work: &Work<'_>) -> UnitAnswer {
        let functions = Functions::of(holder.unit, work, &self.addresses, self.code_start);
        Writer::new(entries, holder, work).write(&self.places, &self.rows, &functions)
    }
}
