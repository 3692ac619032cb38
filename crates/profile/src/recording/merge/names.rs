//! What was resolved of one image in several recordings.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::recording::loose::LooseNames;
use crate::{
    ImageNames, ImageOffset, InlinedFrame, Segment, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId,
    Unresolved,
};

/// What is known of an offset.
#[derive(Clone, Copy, Debug)]
struct Answer {
    found: Result<SymbolId, Unresolved>,
    /// What the source says, by its number; [`NO_PLACE`] for nothing.
    place: u32,
}

/// The source says nothing of it.
const NO_PLACE: u32 = u32::MAX;

/// The names of an image, found by what they are, so that each is there once.
#[derive(Clone, Debug, Default)]
pub(super) struct NamesIndex {
    symbols: Vec<Symbol>,
    files: Vec<String>,
    /// By hash. Should two have the same, the second is there as often as it comes.
    symbol_ids: FxHashMap<u64, SymbolId>,
    file_ids: FxHashMap<u64, SourceFileId>,
    answers: FxHashMap<ImageOffset, Answer>,
    places: Vec<SourcePlace>,
    has_places: bool,
    segments: Vec<Segment>,
}

impl NamesIndex {
    /// Nothing was resolved so far.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// No offset has a symbol of one name here and of another there; nor, where `strictly`, one here and none there.
    pub(super) fn agrees(&self, theirs: &LooseNames, strictly: bool) -> bool {
        // Which symbol here has the name of the one there, as far as that was seen.
        let mut same: Vec<Option<SymbolId>> = vec![None; theirs.symbols()];
        theirs.offsets().iter().all(|(offset, found)| {
            let Some(Answer { found: ours, .. }) = self.answers.get(offset) else { return true };
            match (ours, found) {
                (Ok(ours), Ok(id)) if same.get(id.0 as usize) == Some(&Some(*ours)) => true,
                (Ok(ours), Ok(id)) => {
                    let name = self.symbols.get(ours.0 as usize).map(|symbol| symbol.name.as_str());
                    let agrees = name == theirs.symbol(*id).as_ref().map(|symbol| symbol.name.as_str());
                    if let Some(same) = same.get_mut(id.0 as usize).filter(|_| agrees) {
                        *same = Some(*ours);
                    }
                    agrees
                }
                (Err(_), Err(_)) => true,
                _ => !strictly,
            }
        })
    }

    /// Adds the names of the same image from another recording. Where both tell of an offset, one that has a symbol wins,
    /// else the earlier.
    pub(super) fn add(&mut self, theirs: &LooseNames) {
        if self.segments.is_empty() {
            self.segments = theirs.segments().to_vec();
        }
        self.has_places |= theirs.has_places();
        // Only what is news is unpacked.
        let mut symbols: Vec<Option<SymbolId>> = vec![None; theirs.symbols()];
        for (index, (offset, found)) in theirs.offsets().iter().enumerate() {
            let ours = self.answers.get(offset);
            if ours.is_some_and(|ours| ours.found.is_ok() || found.is_err()) {
                continue;
            }
            let found = found
                .and_then(|id| self.own_symbol(theirs, id, &mut symbols).ok_or(Unresolved::NamesMissing));
            let place = if theirs.has_places() { theirs.place(index) } else { SourcePlace::default() };
            let place = self.own_place(theirs, place, &mut symbols);
            self.answers.insert(*offset, Answer { found, place });
        }
    }

    /// The number here of a symbol there.
    fn own_symbol(
        &mut self,
        theirs: &LooseNames,
        id: SymbolId,
        known: &mut [Option<SymbolId>],
    ) -> Option<SymbolId> {
        if let Some(own) = known.get(id.0 as usize)? {
            return Some(*own);
        }
        let mut symbol = theirs.symbol(id)?;
        symbol.line = symbol.line.and_then(|line| self.own_line(theirs, line));
        let own = self.symbol(symbol);
        known[id.0 as usize] = Some(own);
        Some(own)
    }

    /// A place there, told by the symbols and files here; gives the number that it gets.
    fn own_place(
        &mut self,
        theirs: &LooseNames,
        mut place: SourcePlace,
        known: &mut [Option<SymbolId>],
    ) -> u32 {
        if place == SourcePlace::default() {
            return NO_PLACE;
        }
        place.line = place.line.and_then(|line| self.own_line(theirs, line));
        let inlined = std::mem::take(&mut place.inlined);
        for InlinedFrame { function, call } in inlined {
            if let Some(function) = self.own_symbol(theirs, function, known) {
                let call = call.and_then(|line| self.own_line(theirs, line));
                place.inlined.push(InlinedFrame { function, call });
            }
        }
        self.places.push(place);
        self.places.len() as u32 - 1
    }

    fn own_line(&mut self, theirs: &LooseNames, line: SourceLine) -> Option<SourceLine> {
        let file = self.file(theirs.file(line)?);
        Some(SourceLine { file, ..line })
    }

    /// All that was added.
    pub(super) fn finish(self) -> ImageNames {
        let NamesIndex { symbols, files, symbol_ids, file_ids, answers, mut places, has_places, segments } =
            self;
        drop((symbol_ids, file_ids));
        let mut answers: Vec<(ImageOffset, Answer)> = answers.into_iter().collect();
        answers.sort_unstable_by_key(|(offset, _)| *offset);
        let mut names = ImageNames { symbols, files, segments, ..ImageNames::default() };
        for (offset, Answer { found, place }) in answers {
            names.offsets.push((offset, found));
            if has_places {
                // Each place is of one offset.
                names.places.push(places.get_mut(place as usize).map(std::mem::take).unwrap_or_default());
            }
        }
        names
    }

    fn file(&mut self, file: &str) -> SourceFileId {
        let hash = hash(&file);
        if let Some(&known) = self.file_ids.get(&hash)
            && self.files[known.0 as usize] == file
        {
            return known;
        }
        let id = SourceFileId(self.files.len() as u32);
        self.files.push(file.to_owned());
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
