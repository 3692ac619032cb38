//! Reads some units of an image, one after the other.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;

use gimli::{DebugArangesOffset, Dwarf, UnitRef, UnitType};

use super::bytes::Bytes;
use super::entry_ranges::EntryRanges;
use super::function_name::{Entries, Holder, Place};
use super::functions::{Functions, places};
use super::lines::{Row, rows};
use super::sections::{PackageSections, Sections};
use super::split::{SplitFiles, split_unit};
use super::unit_answer::{UnitAnswer, Writer};
use super::unit_list::{UnitList, unit_at};
use super::work::Work;

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
    /// The sets of `.debug_aranges`, by the beginning of their unit.
    pub(super) aranges: HashMap<usize, Vec<DebugArangesOffset<usize>>>,
    /// The addresses, ascending and distinct.
    pub(super) addresses: Vec<u64>,
    /// Where the image's code begins.
    pub(super) code_start: u64,
}

impl Question<'_> {
    /// The answers of the units that begin at `starts`.
    pub(super) fn ask<'a>(&'a self, starts: &[usize], work: &'a Work<'a>) -> Vec<UnitAnswer> {
        let dwarf = self.main.reader(self.supplementary, work);
        let entries = Entries::new(&dwarf, &self.main_units, &self.supplementary_units);
        let answers = starts.iter().filter_map(|&start| self.unit(&dwarf, &entries, start, work));
        answers.filter(|answer| !answer.told.is_empty()).collect()
    }

    fn unit<'a>(
        &'a self,
        dwarf: &Dwarf<Bytes<'a>>,
        entries: &Entries<'_, 'a>,
        start: usize,
        work: &'a Work<'a>,
    ) -> Option<UnitAnswer> {
        let unit = unit_at(dwarf, start)?;
        // Partial units have only what others refer to, and units of types no code.
        if !matches!(unit.header.type_(), UnitType::Compilation | UnitType::Skeleton(_)) {
            return None;
        }
        let held = self.held(dwarf, unit.unit_ref(dwarf), start, work).ok()?;
        let has_ranges = held.is_some();
        let held = held.unwrap_or_else(|| (0..self.addresses.len()).collect());
        if held.is_empty() {
            return None;
        }
        let addresses: Vec<u64> = held.iter().map(|&place| self.addresses[place]).collect();
        let program = unit.line_program.clone();
        let rows = program.map(|program| rows(program, &addresses, self.code_start));
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
                && let Some(half) = split_unit(&split, id, &unit)
            {
                let holder = Holder { place: Place::Split, unit: half.unit_ref(&split), files };
                return Some(asked.answer(entries, holder, work));
            }
            if let Some(sections) = self.split.open(dwarf, &unit)
                && let Some(answer) = self.split_file(&sections, start, &asked, work)
            {
                return Some(answer);
            }
        }
        Some(asked.answer(entries, Holder { place: Place::Main, unit: files, files }, work))
    }

    /// The answer of the unit that begins at `start` and has its other half in a file of its own.
    fn split_file(
        &self,
        sections: &Sections<'_>,
        start: usize,
        asked: &Asked,
        work: &Work<'_>,
    ) -> Option<UnitAnswer> {
        work.budget.add(sections.size);
        // Again, as readers are of one lifetime.
        let dwarf = self.main.reader(self.supplementary, work);
        let skeleton = unit_at(&dwarf, start)?;
        let mut split = sections.reader(None, work);
        split.make_dwo(&dwarf);
        let half = split_unit(&split, skeleton.dwo_id?, &skeleton)?;
        let entries = Entries::new(&dwarf, &self.main_units, &self.supplementary_units);
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
        unit: UnitRef<'_, Bytes<'_>>,
        start: usize,
        work: &Work<'_>,
    ) -> gimli::Result<Option<Vec<usize>>> {
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
            for &set in self.aranges.get(&start).into_iter().flatten() {
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
