//! Turns the answers of an image's units into the source lines and inlined calls of its offsets.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use object::read::ReadRef;
use oprof_profile::{
    ImageAddress, ImageNames, ImageOffset, InlinedFrame, NameSource, SourceFileId, SourceLine, SourcePlace,
    Symbol, SymbolId, open_regular,
};
use rayon::prelude::*;

use super::aranges::Aranges;
use super::function_name::FunctionName;
use super::sections::{PackageSections, Sections};
use super::split::SplitFiles;
use super::task::Question;
use super::unit_answer::{Line, Told, UnitAnswer};
use super::unit_list::UnitList;
use super::work::Work;
use crate::budget::Budget;
use crate::debug_file::DebugDirectories;
use crate::demangle::demangle_all;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;

/// The most units that a task reads one after the other. Their sizes differ by a factor of a thousand.
const MOST_UNITS_OF_A_TASK: usize = 16;

/// What there is to know of an image before its debugging information is read.
pub(crate) struct Debugging<'a> {
    /// Where other files of debugging information are.
    pub(crate) directories: &'a DebugDirectories,
    /// Where the image is, as far as it is known.
    pub(crate) image: Option<&'a Path>,
    /// Where the file is that holds the debugging information: the image or its debug file.
    pub(crate) path: Option<&'a Path>,
    /// Where the image's code begins.
    pub(crate) code_start: ImageAddress,
    /// How far the image's addresses are above those of the file that holds the debugging information (wraps).
    pub(crate) distance: u64,
}

impl Debugging<'_> {
    /// Adds to `names` what `elf` knows of its offsets, `image_address` being the address of each, and of the first
    /// bytes of its symbols. Leaves them as they are where it has no debugging information.
    pub(crate) fn add_places<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        names: &mut ImageNames,
        image_address: impl Fn(ImageOffset) -> Option<ImageAddress>,
    ) {
        let Some(main) = Sections::of(elf) else { return };
        let budget = elf.budget;
        let supplementary_file = self.directories.supplementary(elf, self.path);
        let supplementary_bytes = supplementary_file.as_ref().map(|file| FileBytes::new(file, budget));
        let supplementary_elf = supplementary_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let supplementary = supplementary_elf.as_ref().and_then(Sections::of);
        let package_file = self.package();
        let package_bytes = package_file.as_ref().map(|file| FileBytes::new(file, budget));
        let package_elf = package_bytes.as_ref().and_then(|bytes| Elf::<H, _>::parse(bytes).ok());
        let package = package_elf.as_ref().and_then(PackageSections::of);

        let there = |address: ImageAddress| address.0.wrapping_sub(self.distance);
        let asked: Vec<Option<u64>> =
            names.offsets.iter().map(|(offset, _)| image_address(*offset).map(there)).collect();
        let starts: Vec<u64> = names.symbols.iter().map(|symbol| there(symbol.address)).collect();
        let mut addresses: Vec<u64> = asked.iter().flatten().chain(&starts).copied().collect();
        addresses.sort_unstable();
        addresses.dedup();

        let sizes = [
            main.size,
            supplementary.as_ref().map_or(0, |sections| sections.size),
            package.as_ref().map_or(0, |sections| sections.size),
        ];
        budget.add_steps(sizes.iter().sum());
        let work = Work::new(budget);
        let units = |sections: Option<&Sections<'_>>| {
            let info = sections.and_then(Sections::info);
            info.map_or_else(UnitList::default, |info| UnitList::of(info, &work))
        };
        let question = Question {
            main_units: units(Some(&main)),
            supplementary_units: units(supplementary.as_ref()),
            aranges: Aranges::of(&main.reader(None, &work)),
            main: &main,
            supplementary: supplementary.as_ref(),
            package: package.as_ref(),
            split: SplitFiles::new(self.image),
            addresses,
            code_start: there(self.code_start),
        };
        let all = question.main_units.starts();
        let units = (all.len() / 256).clamp(1, MOST_UNITS_OF_A_TASK);
        let ask = |starts: &[usize]| question.ask(starts, &Work::new(budget));
        let answers: Vec<UnitAnswer> = all.par_chunks(units).flat_map_iter(ask).collect();
        merge(names, &answers, [&starts, &question.addresses], &asked, budget);
    }

    /// The package of split DWARF beside the image or beside its debug file: `IMAGE.dwp`.
    fn package(&self) -> Option<File> {
        [self.image, self.path].into_iter().flatten().find_map(|path| {
            let mut name = path.file_name()?.to_owned();
            name.push(".dwp");
            open_regular(&path.with_file_name(name))
        })
    }
}

/// Writes what the units told of `addresses` (ascending) into `names`, `starts` being the addresses of its symbols and
/// `asked` those of its offsets.
fn merge(
    names: &mut ImageNames,
    answers: &[UnitAnswer],
    [starts, addresses]: [&[u64]; 2],
    asked: &[Option<u64>],
    budget: &Budget,
) {
    // Of several units that tell of an address one with a function counts; else the first.
    let mut best: Vec<Option<(&UnitAnswer, &Told)>> = vec![None; addresses.len()];
    for answer in answers {
        for told in &answer.told {
            let best = &mut best[told.place];
            if best.is_none_or(|(_, earlier)| told.in_function && !earlier.in_function) {
                *best = Some((answer, told));
            }
        }
    }
    let best_at = |address: u64| addresses.binary_search(&address).ok().and_then(|place| best[place]);

    let mut files = Files::default();
    let ids = functions(names, &best, &mut files, budget);
    for (symbol, start) in names.symbols.iter_mut().zip(starts) {
        let line = best_at(*start).and_then(|(answer, told)| Some((answer, told.line?)));
        symbol.line = line.map(|(answer, line)| files.line(answer, line));
    }
    let mut place = |(answer, told): (&UnitAnswer, &Told)| {
        let inlined = told.inlined.iter().filter_map(|inlined| {
            let name = answer.functions[inlined.function].name.as_deref()?;
            let call = inlined.call.map(|call| files.line(answer, call));
            Some(InlinedFrame { function: *ids.get(name)?, call })
        });
        let inlined = inlined.collect();
        SourcePlace { line: told.line.map(|line| files.line(answer, line)), inlined }
    };
    let told = asked.iter().map(|address| address.and_then(best_at));
    let places: Vec<SourcePlace> = told.map(|told| told.map(&mut place).unwrap_or_default()).collect();
    if places.iter().any(|place| *place != SourcePlace::default()) {
        names.places = places;
    }
    names.files = files.paths;
}

/// The symbols of all functions that are inlined somewhere, by their names as DWARF has them. Those that have no
/// symbol yet get one.
fn functions<'answer>(
    names: &mut ImageNames,
    best: &[Option<(&'answer UnitAnswer, &'answer Told)>],
    files: &mut Files,
    budget: &Budget,
) -> HashMap<&'answer str, SymbolId> {
    let mut functions: Vec<(&str, &FunctionName)> = Vec::new();
    for (answer, told) in best.iter().flatten() {
        let inlined = told.inlined.iter().map(|inlined| &answer.functions[inlined.function]);
        functions.extend(inlined.filter_map(|function| Some((function.name.as_deref()?, function))));
    }
    // Stable, so that the first of equal names tells the declaration.
    functions.sort_by_key(|function| function.0);
    functions.dedup_by_key(|function| function.0);

    let mut own: HashMap<String, SymbolId> = HashMap::new();
    for (index, symbol) in names.symbols.iter().enumerate() {
        let name = symbol.mangled.as_ref().unwrap_or(&symbol.name);
        own.entry(name.clone()).or_insert(SymbolId(index as u32));
    }
    let new: Vec<&str> =
        functions.iter().map(|(name, _)| *name).filter(|name| !own.contains_key(*name)).collect();
    let demangled = demangle_all(&new, |name| budget.take(name.len() as u64).is_some());
    let mut demangled: HashMap<&str, Option<String>> = new.into_iter().zip(demangled).collect();
    let mut ids = HashMap::with_capacity(functions.len());
    for (raw, function) in functions {
        let id = own.get(raw).copied().unwrap_or_else(|| {
            let (name, mangled) = match demangled.remove(raw).flatten() {
                Some(demangled) if demangled != raw => (demangled, Some(raw.to_owned())),
                _ => (raw.to_owned(), None),
            };
            let line = function.declaration.as_ref().map(|(file, line)| SourceLine {
                file: files.id(file),
                line: *line,
                column: 0,
            });
            let (address, size, source) = (ImageAddress(0), 0, NameSource::Dwarf);
            names.symbols.push(Symbol { name, mangled, address, size, source, line });
            SymbolId((names.symbols.len() - 1) as u32)
        });
        ids.insert(raw, id);
    }
    ids
}

/// The source files of an image, each once.
#[derive(Default)]
struct Files {
    paths: Vec<String>,
    ids: HashMap<String, SourceFileId>,
}

impl Files {
    fn id(&mut self, path: &str) -> SourceFileId {
        if let Some(id) = self.ids.get(path) {
            return *id;
        }
        let id = SourceFileId(self.paths.len() as u32);
        self.paths.push(path.to_owned());
        self.ids.insert(path.to_owned(), id);
        id
    }

    fn line(&mut self, answer: &UnitAnswer, line: Line) -> SourceLine {
        SourceLine { file: self.id(&answer.files[line.file]), line: line.line, column: line.column }
    }
}
