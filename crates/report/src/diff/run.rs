//! Runs: one recording of a side, folded into rows.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use oprof_profile::recording::BatchedRecording;
use oprof_profile::{Count, Event, ImageId, ImageOffset, Key, NameStyle, Recording, Unresolved};
use rustc_hash::FxHashMap;

use super::by::DiffBy;
use super::identity::{Identity, Module};
use super::offsets::Offsets;
use crate::command_line::command_line;
use crate::image_name::{ImageNames, NameId};
use crate::symbol_name::Nameless;

/// One recording of a side, folded into rows: what a comparison needs of it. It holds no part of the recording, so that
/// of many recordings few need to be in memory.
#[derive(Clone, Debug)]
pub struct DiffRun {
    /// What errors and doubts call it: its file.
    pub name: String,
    /// The recording without its samples and names.
    pub(crate) circumstances: Recording,
    pub(crate) rows: Vec<RunRow>,
    /// For each event, all samples.
    pub(crate) sums: Vec<Count>,
}

/// One row of a run.
#[derive(Clone, Debug)]
pub(crate) struct RunRow {
    pub(crate) identity: Arc<Identity>,
    /// The name in the style that was asked for, where it differs.
    pub(crate) shown: Option<String>,
    /// For each event, the row's samples.
    pub(crate) counts: Vec<Count>,
}

impl DiffRun {
    /// Folds a recording; names are shown in this style.
    pub fn new(name: &str, recording: &Recording, by: DiffBy, style: NameStyle) -> DiffRun {
        fold(name, recording, recording.counts.iter(), by, style)
    }

    /// Folds a recording whose samples are as its file has them.
    pub fn of_batches(name: &str, batched: &BatchedRecording, by: DiffBy, style: NameStyle) -> DiffRun {
        fold(name, &batched.recording, batched.iter(), by, style)
    }

    /// Nothing of what was recorded is missing for being damaged.
    pub fn is_whole(&self) -> bool {
        self.circumstances.damage.is_none() && self.circumstances.coverage.files_left_out == 0
    }

    /// The events of the recording.
    pub(crate) fn events(&self) -> &[Event] {
        &self.circumstances.events
    }
}

fn fold(
    name: &str,
    recording: &Recording,
    samples: impl Iterator<Item = (Key, Count)>,
    by: DiffBy,
    style: NameStyle,
) -> DiffRun {
    let events = recording.events.len();
    let images = ImageNames::new(recording, false);
    let mut folding = Folding { recording, style, by, names: Vec::new(), known: FxHashMap::default() };
    let mut finders: Vec<Finder<'_>> = match by {
        DiffBy::Symbol | DiffBy::Line => {
            (0..recording.images.len() as u32).map(|image| folding.finder(&images, ImageId(image))).collect()
        }
        _ => Vec::new(),
    };
    let commands = if by == DiffBy::Command { folding.commands() } else { Vec::new() };
    let mut rows: Vec<((NameId, u32), Vec<Count>)> = Vec::new();
    let mut index: FxHashMap<(NameId, u32), usize> = FxHashMap::default();
    let mut sums = vec![Count::default(); events];
    let mut last = None;
    for (key, count) in samples {
        let event = usize::from(key.event.0);
        let Some(sum) = sums.get_mut(event) else { continue };
        sum.add(count);
        let place = match by {
            DiffBy::App => (images.app(key.process), 0),
            DiffBy::Image => (images.image(key.image), 0),
            DiffBy::Command => (NameId::UNKNOWN, commands.get(key.process.0 as usize).copied().unwrap_or(0)),
            DiffBy::Symbol | DiffBy::Line => {
                let finder = finders.get_mut(key.image.0 as usize);
                (images.app(key.process), finder.map_or(0, |finder| finder.name(key.offset)))
            }
        };
        // Most samples are in the row of the one before.
        let row = match last {
            Some((known, row)) if known == place => row,
            _ => *index.entry(place).or_insert_with(|| {
                rows.push((place, vec![Count::default(); events]));
                rows.len() - 1
            }),
        };
        last = Some((place, row));
        rows[row].1[event].add(count);
    }
    let modules = modules(recording, &images);
    let rows =
        rows.into_iter().map(|((module, name), counts)| folding.row(&images, &modules, module, name, counts));
    DiffRun { name: name.to_owned(), rows: rows.collect(), sums, circumstances: circumstances(recording) }
}

/// All of a recording that is not its samples and names.
fn circumstances(recording: &Recording) -> Recording {
    Recording {
        run: recording.run.clone(),
        events: recording.events.clone(),
        coverage: recording.coverage.clone(),
        duration: recording.duration,
        end: recording.end,
        damage: recording.damage,
        ..Recording::default()
    }
}

/// The module of each name of an image or an app.
fn modules(recording: &Recording, images: &ImageNames<'_>) -> FxHashMap<NameId, Arc<Module>> {
    let mut modules = FxHashMap::default();
    for (image, id) in recording.images.iter().zip(0..) {
        modules.entry(images.image(ImageId(id))).or_insert_with(|| Arc::new(Module::of(image)));
    }
    modules
}

/// What a row goes by, beside its app.
struct Name<'r> {
    image: Option<NameId>,
    name: Cow<'r, str>,
    shown: Option<String>,
    file: Option<&'r str>,
    line: Option<u32>,
}

/// Finds what the samples of an image go by.
struct Finder<'r> {
    offsets: Offsets<'r>,
    /// For each of the offsets, the index of its name.
    names: Vec<u32>,
    /// Of an offset that the recording has no answer for.
    otherwise: u32,
}

impl Finder<'_> {
    fn name(&mut self, offset: ImageOffset) -> u32 {
        let index = self.offsets.index(offset);
        index.and_then(|index| self.names.get(index)).copied().unwrap_or(self.otherwise)
    }
}

/// What tells names apart: image, name, file and line.
type NameKey<'r> = (Option<NameId>, Cow<'r, str>, Option<&'r str>, Option<u32>);

struct Folding<'r> {
    recording: &'r Recording,
    style: NameStyle,
    by: DiffBy,
    names: Vec<Name<'r>>,
    known: FxHashMap<NameKey<'r>, u32>,
}

impl<'r> Folding<'r> {
    fn name(&mut self, name: Name<'r>) -> u32 {
        let key = (name.image, name.name.clone(), name.file, name.line);
        match self.known.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.names.push(name);
                *entry.insert(self.names.len() as u32 - 1)
            }
        }
    }

    fn nameless(&mut self, image: NameId, reason: Unresolved) -> u32 {
        let name = Nameless::of(reason, false).text().into();
        self.name(Name { image: Some(image), name, shown: None, file: None, line: None })
    }

    fn finder(&mut self, images: &ImageNames<'_>, id: ImageId) -> Finder<'r> {
        let recording = self.recording;
        let image = images.image(id);
        // What an offset that is not listed is, is known of some images without names.
        let reason = match recording.image_names(id) {
            Some(names) if !names.offsets.is_empty() => Unresolved::NamesMissing,
            _ => recording.lookup(id, ImageOffset(0)).err().unwrap_or(Unresolved::NamesMissing),
        };
        let otherwise = self.nameless(image, reason);
        let Some(names) = recording.image_names(id) else {
            return Finder { offsets: Offsets::new(&[]), names: Vec::new(), otherwise };
        };
        let mut of_symbols: Vec<Option<u32>> = vec![None; names.symbols.len()];
        let mut of_lines: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut of_offsets = Vec::with_capacity(names.offsets.len());
        for (index, (offset, answer)) in names.offsets.iter().enumerate() {
            let line = match self.by {
                DiffBy::Line => names.places.get(index).and_then(|place| place.line),
                _ => None,
            };
            let symbol = answer.ok().and_then(|symbol| names.symbol(symbol).map(|found| (symbol, found)));
            of_offsets.push(match (line, symbol) {
                (Some(line), _) => *of_lines.entry((line.file.0, line.line)).or_insert_with(|| {
                    let file = names.file(line.file).unwrap_or_default();
                    let name = Cow::Borrowed("");
                    self.name(Name {
                        image: Some(image),
                        name,
                        shown: None,
                        file: Some(file),
                        line: Some(line.line),
                    })
                }),
                (None, Some((id, symbol))) => *of_symbols[id.0 as usize].get_or_insert_with(|| {
                    let file = symbol.line.and_then(|line| names.file(line.file));
                    let shown = self.style.name(symbol);
                    let shown = (shown != symbol.name).then(|| shown.into_owned());
                    self.name(Name {
                        image: Some(image),
                        name: symbol.name.as_str().into(),
                        shown,
                        file,
                        line: None,
                    })
                }),
                (None, None) => {
                    let reason = recording.lookup(id, *offset).err().unwrap_or(Unresolved::NamesMissing);
                    self.nameless(image, reason)
                }
            });
        }
        Finder { offsets: Offsets::new(&names.offsets), names: of_offsets, otherwise }
    }

    /// For each process its command line.
    fn commands(&mut self) -> Vec<u32> {
        let recording = self.recording;
        let named =
            |name: String| Name { image: None, name: name.into(), shown: None, file: None, line: None };
        // The first is that of samples of which the process is not known.
        self.name(named("[unknown]".to_owned()));
        recording.processes.iter().map(|process| self.name(named(command_line(process)))).collect()
    }

    fn row(
        &self,
        images: &ImageNames<'_>,
        modules: &FxHashMap<NameId, Arc<Module>>,
        module: NameId,
        name: u32,
        counts: Vec<Count>,
    ) -> RunRow {
        let of = |id: NameId| {
            modules
                .get(&id)
                .cloned()
                .unwrap_or_else(|| Arc::new(Module::named(images.text(id, true).to_owned())))
        };
        let found = self.names.get(name as usize);
        let identity = match self.by {
            DiffBy::App => Identity { app: Some(of(module)), ..Identity::default() },
            DiffBy::Image => Identity { image: Some(of(module)), ..Identity::default() },
            _ => Identity {
                app: Some(module).filter(|_| self.by != DiffBy::Command).map(of),
                image: found.and_then(|found| found.image).map(of),
                name: found.map_or_else(String::new, |found| found.name.clone().into_owned()),
                file: found.and_then(|found| found.file.map(str::to_owned)),
                line: found.and_then(|found| found.line),
            },
        };
        RunRow { identity: Arc::new(identity), shown: found.and_then(|found| found.shown.clone()), counts }
    }
}
