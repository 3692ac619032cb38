//! Places: what the samples of one row have in common.

use oprof_profile::{Key, ProcessId};

use crate::grouping::By;
use crate::image_name::{ImageNames, NameId};
use crate::lifetime::{LifetimeId, Lifetimes};
use crate::options::Options;
use crate::source_lines::{LineId, SourceLines};
use crate::symbol_name::{Code, Nameless, SymbolNames};

/// What the samples of one row have in common. Made of indexes: strings are built for the rows shown only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    App(NameId),
    Image(NameId),
    /// An image in an app: a line of OProfile's image summary.
    Dependent {
        app: NameId,
        image: NameId,
    },
    Symbol {
        image: NameId,
        app: NameId,
        code: Code,
    },
    /// A line of a source file; `None` where the source says nothing.
    Line(Option<LineId>),
    /// `None` for samples of a process that the recording does not list.
    Process(Option<LifetimeId>),
    /// `None` as above; the thread by its number.
    Thread(Option<LifetimeId>, u32),
    /// `None` as above.
    Command(Option<ProcessId>),
    Cpu(u16),
}

/// What places are made of.
pub(crate) struct Places<'r> {
    pub(crate) images: ImageNames<'r>,
    /// Of groupings by symbol only: the names of many thousand symbols take their time.
    pub(crate) symbols: Option<SymbolNames<'r>>,
    pub(crate) lifetimes: Lifetimes,
    /// Of groupings by line only.
    pub(crate) lines: Option<SourceLines<'r>>,
}

impl Places<'_> {
    /// The place of a sample.
    pub(crate) fn of(&self, by: By, key: &Key) -> Place {
        match by {
            By::App | By::Process | By::Command => self.of_process(by, key.process),
            By::Image => Place::Image(self.images.image(key.image)),
            By::Symbol => Place::Symbol {
                image: self.images.image(key.image),
                app: self.images.app(key.process),
                code: match &self.symbols {
                    Some(symbols) => symbols.code(key.image, key.offset),
                    None => Code::Nameless(Nameless::NoSymbols),
                },
            },
            By::Line => Place::Line(self.lines.as_ref().and_then(|lines| lines.of(key))),
            By::Thread => Place::Thread(self.lifetimes.of(key.process), key.thread),
            By::Cpu => Place::Cpu(key.cpu),
        }
    }

    /// The place of a sample, as far as the options want it there.
    pub(crate) fn chosen(&self, by: By, key: &Key, options: &Options) -> Option<Place> {
        self.kept(by, key, options).filter(|place| self.is_taken(*place, options))
    }

    /// The same, whichever symbols are chosen.
    pub(crate) fn kept(&self, by: By, key: &Key, options: &Options) -> Option<Place> {
        if options.exclude_dependent && self.images.image(key.image) != self.images.app(key.process) {
            return None;
        }
        let place = match self.of(by, key) {
            Place::Symbol { image, code, .. } if options.images_as_apps => {
                Place::Symbol { image, app: image, code }
            }
            Place::Dependent { image, .. } if options.images_as_apps => {
                Place::Dependent { app: image, image }
            }
            place => place,
        };
        let between = Code::Nameless(Nameless::BetweenSymbols);
        let excluded =
            options.exclude_unresolved && matches!(place, Place::Symbol { code, .. } if code == between);
        (!excluded).then_some(place)
    }

    /// The choice of symbols lets a place through.
    pub(crate) fn is_taken(&self, place: Place, options: &Options) -> bool {
        let Place::Symbol { image, code, .. } = place else { return true };
        options.symbols.is_empty()
            || match (code, &self.symbols) {
                (Code::Symbol(_), Some(symbols)) => symbols.is_taken(code),
                _ => options.symbols.takes_name(self.code_text(image, code, options)),
            }
    }

    /// What code in an image goes by.
    pub(crate) fn code_text(&self, image: NameId, code: Code, options: &Options) -> &str {
        if options.symbolless_path && code == Code::Nameless(Nameless::NoSymbols) {
            return self.images.text(image, true);
        }
        self.symbols.as_ref().map_or("", |symbols| symbols.text(code))
    }

    /// The place of everything that a process entry does, for groupings that are made of whole entries.
    pub(crate) fn of_process(&self, by: By, process: ProcessId) -> Place {
        let lifetime = self.lifetimes.of(process);
        match by {
            By::Process => Place::Process(lifetime),
            By::Command => Place::Command(lifetime.map(|_| process)),
            _ => Place::App(self.images.app(process)),
        }
    }
}
