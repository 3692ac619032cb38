//! From a PMU's terms to the words of `perf_event_attr`.

use crate::cache::CacheEvent;
use crate::config::{DEFAULT_COUNT, LEAST_COUNT, Origin, min_count};
use crate::format::Word;
use crate::pmu::{Pmu, PmuEvent};
use crate::table::FieldAlias;
use crate::term::Term;
use crate::unprintable::is_unprintable;
use crate::{Error, EventConfig, EventKind, hardware, number};

/// Encodes terms for one PMU.
pub(crate) struct Encoding<'a> {
    /// The event as typed.
    pub(crate) event: &'a str,
    /// The PMU.
    pub(crate) pmu: &'a Pmu,
    several_cores: bool,
    aliases: &'a [FieldAlias],
}

/// The event that the other terms change.
enum Base {
    /// One that sysfs has for the PMU.
    Named(PmuEvent),
    /// A generic one, encoded.
    Generic(Box<EventConfig>),
}

/// Terms that every PMU takes beside its own.
const GENERAL_TERMS: [&str; 7] = ["config", "config1", "config2", "config3", "period", "freq", "name"];

impl<'a> Encoding<'a> {
    /// For the event (as typed, for messages), on a PMU; `several_cores` says whether generic events need its type.
    pub(crate) fn new(event: &'a str, pmu: &'a Pmu, several_cores: bool) -> Self {
        Self { event, pmu, several_cores, aliases: &[] }
    }

    /// With fields that a table defines as parts of others.
    pub(crate) fn with_aliases(self, aliases: &'a [FieldAlias]) -> Self {
        Self { aliases, ..self }
    }

    /// Encodes the terms; `unit_mask` stands for one more `umask` term.
    pub(crate) fn encode(
        &self,
        name: &str,
        terms: &[Term<'_>],
        unit_mask: Option<u64>,
    ) -> Result<EventConfig, Error> {
        let (base, own) = self.split(terms)?;
        if unit_mask.is_some() && own.iter().any(|term| term.is("umask")) {
            return Err(Error::malformed(self.event, "umask", "the unit mask is given twice"));
        }
        let mut config = match base {
            Some(Base::Generic(_)) if unit_mask.is_some() => {
                return Err(Error::malformed(self.event, name, "this event has no unit masks; give 0"));
            }
            Some(Base::Generic(config)) => {
                let config = EventConfig { name: name.to_owned(), ..*config };
                return Self::settings_only(self.event, config, &own);
            }
            Some(Base::Named(named)) => {
                let is_replaced = |term: &Term<'_>| {
                    own.iter().any(|typed| typed.is(term.name)) || unit_mask.is_some() && term.is("umask")
                };
                self.named(name, &named, is_replaced)?
            }
            None => self.empty(name),
        };
        for term in &own {
            self.set(&mut config, term)?;
        }
        if let Some(mask) = unit_mask {
            self.set_field(&mut config, "umask", mask)?;
        }
        Ok(config)
    }

    /// Encodes the terms of a table, which are fields alone.
    pub(crate) fn encode_fields(&self, name: &str, terms: &[Term<'_>]) -> Result<EventConfig, Error> {
        let mut config = self.empty(name);
        for term in terms {
            match Word::find(term.name) {
                Some(word) => *word_mut(&mut config, word) |= term.number(self.event)?,
                None => self.set_field(&mut config, term.name, term.number(self.event)?)?,
            }
        }
        Ok(config)
    }

    /// Encodes the terms of a table, but for those that are typed anew: these come in their place, settings among them.
    pub(crate) fn encode_row(
        &self,
        name: &str,
        terms: &[Term<'_>],
        typed: &[Term<'_>],
    ) -> Result<EventConfig, Error> {
        let (None, typed) = self.split(typed)? else {
            return Err(Error::malformed(self.event, name, "one named event only"));
        };
        let kept = terms.iter().filter(|term| !typed.iter().any(|new| new.is(term.name)));
        let mut config = self.encode_fields(name, &kept.copied().collect::<Vec<_>>())?;
        for term in &typed {
            self.set(&mut config, term)?;
        }
        Ok(config)
    }

    /// Whether a term is more than a name that a table could have: it has a value, or the kernel knows it.
    pub(crate) fn knows(&self, term: &Term<'_>) -> Result<bool, Error> {
        let is_raw = || term.name.strip_prefix('r').and_then(number::hexadecimal).is_some();
        let is_known = term.value.is_some() || is_raw() || self.base(term)?.is_some();
        Ok(is_known || self.pmu.format(self.event, term.name)?.is_some())
    }

    /// Parts the event that a term names from the other terms, of which none may come twice.
    fn split<'t>(&self, terms: &[Term<'t>]) -> Result<(Option<Base>, Vec<Term<'t>>), Error> {
        let mut base = None;
        let mut own: Vec<Term<'t>> = Vec::new();
        for term in terms {
            if let Some(found) = self.base(term)? {
                if base.replace(found).is_some() {
                    return Err(Error::malformed(self.event, term.name, "one named event only"));
                }
            } else if own.iter().any(|earlier| earlier.is(term.name)) {
                return Err(Error::malformed(self.event, term.name, "the term is given twice"));
            } else {
                own.push(*term);
            }
        }
        Ok((base, own))
    }

    /// The event that a term without value names: the PMU's own, or a generic one unless that is a field's name.
    fn base(&self, term: &Term<'_>) -> Result<Option<Base>, Error> {
        if term.value.is_some() {
            return Ok(None);
        }
        if let Some(found) = self.pmu.event(self.event, term.name)? {
            return Ok(Some(Base::Named(found)));
        }
        if self.pmu.format(self.event, term.name)?.is_some() {
            return Ok(None);
        }
        Ok(self.generic(term.name).map(|config| Base::Generic(Box::new(config))))
    }

    /// An event of the PMU without any term.
    fn empty(&self, name: &str) -> EventConfig {
        let kind = EventKind::Pmu { name: self.pmu.name.clone() };
        EventConfig {
            cpus: self.pmu.cpus.clone(),
            count_only: self.pmu.count_only,
            min_count: LEAST_COUNT,
            ..EventConfig::new(name, kind, self.pmu.pmu_type, 0)
        }
    }

    /// An event of the PMU with the terms that sysfs has for it, but for those that are replaced.
    fn named(
        &self,
        name: &str,
        named: &PmuEvent,
        is_replaced: impl Fn(&Term<'_>) -> bool,
    ) -> Result<EventConfig, Error> {
        let known = hardware::find(&named.name);
        let default_count = known.map_or(DEFAULT_COUNT, |known| known.default_count);
        let mut config = EventConfig {
            scale: named.scale,
            unit: named.unit.clone(),
            origin: Origin::Sysfs,
            description: known.map_or_else(String::new, |known| known.description.to_owned()),
            default_count,
            min_count: min_count(default_count),
            ..self.empty(name)
        };
        let terms = Term::parse_list(self.event, &named.terms)?;
        for term in terms.iter().filter(|term| !is_replaced(term)) {
            self.set(&mut config, term)?;
        }
        Ok(config)
    }

    /// Applies `period`, `freq` and `name` to an event that has no other terms.
    pub(crate) fn settings_only(
        event: &str,
        mut config: EventConfig,
        terms: &[Term<'_>],
    ) -> Result<EventConfig, Error> {
        for term in terms {
            if !set_setting(event, &mut config, term)? {
                return Err(Error::malformed(
                    event,
                    term.name,
                    "a generic event takes the terms period, freq and name only",
                ));
            }
        }
        Ok(config)
    }

    /// A generic event of a core PMU.
    fn generic(&self, name: &str) -> Option<EventConfig> {
        if !self.pmu.core {
            return None;
        }
        let pmu_type = self.several_cores.then_some(self.pmu.pmu_type);
        let config = (hardware::find(name).map(|event| event.encode(pmu_type)))
            .or_else(|| CacheEvent::find(name).map(|event| event.encode(pmu_type)))?;
        Some(EventConfig { cpus: self.pmu.cpus.clone(), ..config })
    }

    fn set(&self, config: &mut EventConfig, term: &Term<'_>) -> Result<(), Error> {
        if set_setting(self.event, config, term)? {
            return Ok(());
        }
        if let Some(word) = Word::find(term.name) {
            *word_mut(config, word) |= term.number(self.event)?;
            return Ok(());
        }
        if term.value.is_none()
            && self.pmu.format(self.event, term.name)?.is_none()
            && let Some(raw) = term.name.strip_prefix('r').and_then(number::hexadecimal)
        {
            config.config |= raw;
            return Ok(());
        }
        self.set_field(config, term.name, term.number(self.event)?)
    }

    fn set_field(&self, config: &mut EventConfig, field: &str, value: u64) -> Result<(), Error> {
        let too_large = |width: u32| Error::ValueTooLarge {
            event: self.event.to_owned(),
            field: field.to_owned(),
            width,
            value,
        };
        let alias = self.aliases.iter().find(|alias| alias.name == field);
        let (name, whole) = match alias {
            Some(alias) => (alias.field.as_str(), alias.place(value).ok_or_else(|| too_large(alias.width))?),
            None => (field, value),
        };
        let format = self.pmu.format(self.event, name)?.ok_or_else(|| self.unknown_term(name))?;
        let placed = format.place(whole).ok_or_else(|| too_large(format.width()))?;
        *word_mut(config, format.word) |= placed;
        if field.eq_ignore_ascii_case("umask") {
            config.unit_mask = value;
        }
        Ok(())
    }

    fn unknown_term(&self, term: &str) -> Error {
        let known = self.pmu.field_names().map(str::to_owned);
        let known = known.chain(self.pmu.event_names().iter().cloned());
        Error::UnknownTerm {
            event: self.event.to_owned(),
            pmu: self.pmu.name.clone(),
            term: term.to_owned(),
            known: known.chain(GENERAL_TERMS.map(str::to_owned)).collect(),
        }
    }
}

/// Applies a term that is no part of the encoding; false if it is none of those.
fn set_setting(event: &str, config: &mut EventConfig, term: &Term<'_>) -> Result<bool, Error> {
    let positive = || match (term.value, term.number(event)?) {
        (None, _) | (_, 0) => Err(Error::malformed(event, term.name, "needs a value of at least 1")),
        (_, value) => Ok(Some(value)),
    };
    if term.is("period") {
        config.count = positive()?;
    } else if term.is("freq") {
        config.frequency = positive()?;
    } else if term.is("name") {
        let name = term.value.ok_or_else(|| Error::malformed(event, "name", "needs a value"))?;
        if name.contains(is_unprintable) {
            return Err(Error::malformed(event, name, "a name without control characters is needed"));
        }
        config.name = name.to_owned();
    } else {
        return Ok(false);
    }
    if config.count.is_some() && config.frequency.is_some() {
        return Err(Error::malformed(event, term.name, "period and freq exclude each other"));
    }
    Ok(true)
}

fn word_mut(config: &mut EventConfig, word: Word) -> &mut u64 {
    match word {
        Word::Config => &mut config.config,
        Word::Config1 => &mut config.config1,
        Word::Config2 => &mut config.config2,
        Word::Config3 => &mut config.config3,
    }
}
