//! Places: what the samples of one row have in common.

use oprof_profile::{Key, ProcessId};

use crate::grouping::By;
use crate::image_name::{ImageNames, NameId};
use crate::lifetime::{LifetimeId, Lifetimes};
use crate::symbol_name::{Code, SymbolNames};

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
                    None => Code::Nameless(crate::symbol_name::Nameless::NoSymbols),
                },
            },
            By::Thread => Place::Thread(self.lifetimes.of(key.process), key.thread),
            By::Cpu => Place::Cpu(key.cpu),
        }
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
