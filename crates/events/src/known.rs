//! From an event of sysfs or of a table to its configuration.

use crate::encoding::Encoding;
use crate::libpfm::Libpfm;
use crate::lookup::{Known, KnownRow, Place};
use crate::pmu::Pmu;
use crate::resolve::with_suffix;
use crate::suffix::Suffix;
use crate::table::{Choice, EventTable, TableEvent};
use crate::term::Term;
use crate::{Error, EventConfig, System, description};

impl System {
    /// Encodes an event of sysfs or of a table.
    pub(crate) fn encode_known(
        &self,
        event: &str,
        known: &Known<'_>,
        several: bool,
        suffix: &Suffix<'_>,
    ) -> Result<EventConfig, Error> {
        let encoding = Encoding::new(event, known.pmu, several);
        let shown = |name: &str| match several {
            true => format!("{}/{name}/", known.pmu.name),
            false => name.to_owned(),
        };
        match &known.place {
            Place::Sysfs(name) => {
                let term = Term { name, value: None };
                let mut config = encoding.encode(&shown(name), &[term], value_of_mask(event, suffix)?)?;
                config.description = match config.description.is_empty() {
                    true => self.describe(known.pmu, name, &config),
                    false => config.description,
                };
                with_suffix(event, config, suffix)
            }
            Place::Table(row) => self.encode_row(encoding, row, &shown(&row.event.name), &[], suffix),
        }
    }

    /// Encodes an event of a table with the terms that were typed beside its name, which replace its own.
    pub(crate) fn encode_row(
        &self,
        encoding: Encoding<'_>,
        known: &KnownRow<'_>,
        name: &str,
        typed: &[Term<'_>],
        suffix: &Suffix<'_>,
    ) -> Result<EventConfig, Error> {
        let (event, pmu) = (encoding.event, encoding.pmu);
        let KnownRow { table, event: row, origin, with_mask } = known;
        if row.refused {
            return Err(Error::NotCountable { event: event.to_owned(), origin: origin.clone() });
        }
        if let Some(mask) = suffix.unit_mask.as_ref().filter(|_| typed.iter().any(|term| term.is("umask"))) {
            return Err(Error::malformed(event, mask.text, "the unit mask is given twice"));
        }
        let choice = if *with_mask { Choice::default() } else { choose(event, row, suffix)? };
        let terms = row.encoded_terms(&choice);
        let terms = Term::parse_list(event, &terms)?;
        let encoded = encoding.with_aliases(&table.fields).encode_row(name, &terms, typed)?;
        let described = description::of_event(table, row);
        let mut of_mask = description::of_mask(table, row, &choice);
        if of_mask.is_empty() {
            of_mask.clone_from(&choice.name);
        }
        let mut config = EventConfig {
            origin: origin.clone(),
            description: match described.is_empty() && !choice.name.is_empty() {
                true => description::of_event_and_mask(table, row, &choice),
                false => described,
            },
            unit_mask_description: of_mask,
            unit_mask_name: choice.name,
            counters: row.counters,
            default_count: row.default_count,
            min_count: row.min_count,
            ..encoded
        };
        if config.description.is_empty() {
            config.description = self.describe(pmu, &row.name, &config);
        }
        let must_be_precise = row.precise == 2 || choice.precise;
        let mut config = with_suffix(event, config, suffix)?;
        if must_be_precise {
            config.precise = config.precise.max(2);
        }
        Ok(config)
    }

    /// What an event counts of which only name and encoding are known: what its vendor has under the name, or else under
    /// the encoding, since the same event has many names; then libpfm4's word.
    fn describe(&self, pmu: &Pmu, name: &str, config: &EventConfig) -> String {
        let position = self.core_pmus().iter().position(|core| *core == pmu);
        let tables = position.and_then(|position| self.core_tables().get(position));
        let vendor = tables.and_then(|tables| tables.vendor.as_ref());
        if let Some(table) = vendor {
            if let Some(known) = description::of_vendor(table.family, name) {
                return known.to_owned();
            }
            let words = [config.config, config.config1, config.config2, config.config3];
            for row in table.events.iter().filter(|row| !row.refused) {
                let described = description::of_event(table, row);
                let Some(terms) = Term::parse_list(name, &row.terms).ok().filter(|_| !described.is_empty())
                else {
                    continue;
                };
                let same = Encoding::new(name, pmu, false)
                    .with_aliases(&table.fields)
                    .encode_fields(name, &terms)
                    .is_ok_and(|row| [row.config, row.config1, row.config2, row.config3] == words);
                if same {
                    return described;
                }
            }
        }
        let libpfm = (!self.is_foreign()).then(Libpfm::load).flatten();
        libpfm.and_then(|libpfm| libpfm.describe(name)).unwrap_or_default()
    }
}

/// The unit mask of a table's event.
fn choose(event: &str, row: &TableEvent, suffix: &Suffix<'_>) -> Result<Choice, Error> {
    let typed = suffix.unit_mask.as_ref();
    match (&row.unit_masks, typed) {
        (Some(masks), typed) => masks.choose(event, &row.name, typed),
        (None, None) => Ok(Choice::default()),
        // To say what is so is no mistake.
        (None, Some(typed)) if typed.value().is_some_and(|value| row.unit_mask_of_terms() == Some(value)) => {
            Ok(Choice::default())
        }
        (None, Some(typed)) => {
            Err(Error::malformed(event, typed.text, "this event has no unit masks; give 0"))
        }
    }
}

/// The unit mask of an event without named ones.
pub(crate) fn value_of_mask(event: &str, suffix: &Suffix<'_>) -> Result<Option<u64>, Error> {
    match &suffix.unit_mask {
        None => Ok(None),
        Some(mask) => mask.value().map(Some).ok_or_else(|| {
            Error::malformed(
                event,
                mask.text,
                "this event has no named unit masks; give a number such as 0x4",
            )
        }),
    }
}

/// The table and its events may be asked for by themselves.
impl EventTable {
    /// The terms that encode an event of this table with a unit mask (`0` and nothing for its own), such as
    /// `event=0xc5,umask=0x1`.
    ///
    /// # Errors
    /// [`Error::UnitMask`] and its like where the event does not have the mask.
    pub fn terms_of(&self, event: &TableEvent, unit_mask: &str) -> Result<String, Error> {
        let parts = ["1", unit_mask];
        let suffix = Suffix::parse(&event.name, if unit_mask.is_empty() { &parts[..1] } else { &parts })?;
        Ok(event.encoded_terms(&choose(&event.name, event, &suffix)?))
    }
}
