//! What was resolved of one image in several recordings.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::{
    ImageNames, ImageOffset, Segment, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId, Unresolved,
};

/// What is known of an offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Answer {
    found: Option<Result<SymbolId, Unresolved>>,
    place: SourcePlace,
}

/// The names of an image, found by what they are, so that each is there once.
#[derive(Clone, Debug, Default)]
pub(super) struct NamesIndex {
    symbols: Vec<Symbol>,
    files: Vec<String>,
    /// By hash. Should two have the same, the second is there as often as it comes.
    symbol_ids: FxHashMap<u64, SymbolId>,
    file_ids: FxHashMap<u64, SourceFileId>,
    answers: FxHashMap<ImageOffset, Answer>,
    has_places: bool,
    segments: Vec<Segment>,
}

impl NamesIndex {
    /// Nothing was resolved so far.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// No offset has a symbol of one name here and of another there; nor, where `strictly`, one here and none there.
    pub(super) fn agrees(&self, names: &ImageNames, strictly: bool) -> bool {
        names.offsets.iter().all(|(offset, theirs)| {
            let Some(Answer { found: Some(ours), .. }) = self.answers.get(offset) else { return true };
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => {
                    let ours = self.symbols.get(ours.0 as usize).map(|symbol| &symbol.name);
                    ours == names.symbol(*theirs).map(|symbol| &symbol.name)
                }
                (Err(_), Err(_)) => true,
                _ => !strictly,
            }
        })
    }

    /// Adds the names of the same image from another recording. Where both tell of an offset, one that has a symbol wins,
    /// else the earlier.
    pub(super) fn add(&mut self, theirs: ImageNames) {
        if self.segments.is_empty() {
            self.segments = theirs.segments;
        }
        let files: Vec<SourceFileId> = theirs.files.into_iter().map(|file| self.file(file)).collect();
        let line =
            |line: SourceLine| files.get(line.file.0 as usize).map(|&file| SourceLine { file, ..line });
        let symbols: Vec<SymbolId> = theirs
            .symbols
            .into_iter()
            .map(|symbol| self.symbol(Symbol { line: symbol.line.and_then(line), ..symbol }))
            .collect();
        let symbol_of = |id: SymbolId| symbols.get(id.0 as usize).copied();
        self.has_places |= !theirs.places.is_empty();
        let places = theirs.places.into_iter().chain(std::iter::repeat_with(SourcePlace::default));
        for ((offset, found), mut place) in theirs.offsets.into_iter().zip(places) {
            let ours = self.answers.entry(offset).or_default();
            let found = found.and_then(|id| symbol_of(id).ok_or(Unresolved::NamesMissing));
            if !(ours.found.is_none() || ours.found.is_some_and(|ours| ours.is_err()) && found.is_ok()) {
                continue;
            }
            place.line = place.line.and_then(line);
            place.inlined.retain_mut(|frame| {
                frame.call = frame.call.and_then(line);
                symbol_of(frame.function).map(|function| frame.function = function).is_some()
            });
            *ours = Answer { found: Some(found), place };
        }
    }

    /// All that was added.
    pub(super) fn finish(self) -> ImageNames {
        let NamesIndex { symbols, files, symbol_ids, file_ids, answers, has_places, segments } = self;
        drop((symbol_ids, file_ids));
        let mut answers: Vec<(ImageOffset, Answer)> = answers.into_iter().collect();
        answers.sort_unstable_by_key(|(offset, _)| *offset);
        let mut names = ImageNames { symbols, files, segments, ..ImageNames::default() };
        for (offset, Answer { found, place }) in answers {
            names.offsets.push((offset, found.unwrap_or(Err(Unresolved::NamesMissing))));
            if has_places {
                names.places.push(place);
            }
        }
        names
    }

    fn file(&mut self, file: String) -> SourceFileId {
        let hash = hash(&file);
        if let Some(&known) = self.file_ids.get(&hash)
            && self.files[known.0 as usize] == file
        {
            return known;
        }
        let id = SourceFileId(self.files.len() as u32);
        self.files.push(file);
        self.file_ids.entry(hash).or_insert(id);
        id
    }

    fn symbol(&mut self, symbol: Symbol) -> SymbolId {
        let hash = hash(&(symbol.address.0, &symbol.name));
        if let Some(&known) = self.symbol_ids.get(&hash) {
            let ours = &self.symbols[known.0 as usize];
            if (ours.address, &ours.name) == (symbol.address, &symbol.name) {
                return known;
            }
        }
        let id = SymbolId(self.symbols.len() as u32);
        self.symbols.push(symbol);
        self.symbol_ids.entry(hash).or_insert(id);
        id
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}
