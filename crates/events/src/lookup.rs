//! Who knows a name.

use crate::config::Origin;
use crate::encoding::Encoding;
use crate::pmu::Pmu;
use crate::suffix::Suffix;
use crate::system::CoreTables;
use crate::table::{BuiltInTable, EventTable, TableEvent};
use crate::term::Term;
use crate::{Error, System};

/// An event that a core PMU has under a name.
#[derive(Debug, Clone)]
pub(crate) struct Known<'s> {
    /// The PMU.
    pub(crate) pmu: &'s Pmu,
    /// Where it stands.
    pub(crate) place: Place<'s>,
}

/// Where a known event stands.
#[derive(Debug, Clone)]
pub(crate) enum Place<'s> {
    /// In sysfs, under this name.
    Sysfs(String),
    /// In a table.
    Table(KnownRow<'s>),
}

/// An event in a table.
#[derive(Debug, Clone)]
pub(crate) struct KnownRow<'s> {
    /// The table.
    pub(crate) table: &'s EventTable,
    /// The event.
    pub(crate) event: &'s TableEvent,
    /// Whose table it is.
    pub(crate) origin: Origin,
    /// The event is one of a family whose common name was typed, and the unit mask's name told which.
    pub(crate) with_mask: bool,
}

impl System {
    /// The event of this name on every core PMU that is online and knows it: from the user's tables, else from sysfs,
    /// else from the vendor's, else from OProfile's. `core` narrows it to PMUs that it holds for.
    pub(crate) fn known(
        &self,
        event: &str,
        name: &str,
        suffix: &Suffix<'_>,
    ) -> Result<Vec<Known<'_>>, Error> {
        let cores = self.core_pmus();
        let any_online = cores.iter().any(|pmu| is_online(pmu));
        let mut found = Vec::new();
        for (pmu, tables) in cores.into_iter().zip(self.core_tables()) {
            if any_online && !is_online(pmu) {
                continue;
            }
            if let Some(place) = self.place(event, name, suffix, pmu, tables)? {
                found.push(Known { pmu, place });
            }
        }
        Ok(found)
    }

    /// The table's event that one of a PMU's terms names, and which of the terms that is. What sysfs has under a name,
    /// and what is a generic event's, comes first.
    pub(crate) fn named_row(
        &self,
        encoding: &Encoding<'_>,
        terms: &[Term<'_>],
        suffix: &Suffix<'_>,
    ) -> Result<Option<(KnownRow<'_>, usize)>, Error> {
        let cores = self.core_pmus();
        let Some(position) = cores.iter().position(|core| *core == encoding.pmu) else { return Ok(None) };
        for (at, term) in terms.iter().enumerate() {
            if !encoding.knows(term)?
                && let Some(Place::Table(row)) = self.place(
                    encoding.event,
                    term.name,
                    suffix,
                    encoding.pmu,
                    &self.core_tables()[position],
                )?
            {
                return Ok(Some((row, at)));
            }
        }
        Ok(None)
    }

    fn place<'s>(
        &'s self,
        event: &str,
        name: &str,
        suffix: &Suffix<'_>,
        pmu: &Pmu,
        tables: &'s CoreTables,
    ) -> Result<Option<Place<'s>>, Error> {
        let mask_name = suffix.unit_mask.as_ref().and_then(|mask| mask.name());
        for table in self.user_tables().iter().filter(|table| table.is_for(&pmu.name)) {
            let origin = Origin::UserTable(table.cpu.clone());
            if let Some(place) = in_table(table, &origin, name, mask_name) {
                return Ok(Some(place));
            }
        }
        if let Some(known) = pmu.event(event, name)? {
            return Ok(Some(Place::Sysfs(known.name)));
        }
        let vendor = tables.vendor.as_ref().map(|table| (table, Origin::Vendor(table.cpu.clone())));
        let oprofile = tables.oprofile.as_ref().map(|table| (table, Origin::OProfile(table.cpu.clone())));
        Ok(vendor.clone().and_then(|(table, origin)| by_name(table, origin, name)).or_else(|| {
            let oprofiles = oprofile.and_then(|(table, origin)| by_name(table, origin, name));
            // Where OProfile has the event without this unit mask, the vendor may have an event for the two together.
            let has_mask = match (&oprofiles, mask_name) {
                (Some(Place::Table(KnownRow { event, .. })), Some(mask)) => {
                    event.unit_masks.as_ref().is_some_and(|masks| masks.named(mask).is_some())
                }
                (found, _) => found.is_some(),
            };
            let together =
                || vendor.and_then(|(table, origin)| by_name_and_mask(table, origin, name, mask_name?));
            if has_mask { oprofiles } else { together().or(oprofiles) }
        }))
    }

    /// Who would know the name if the machine offered a core PMU.
    pub(crate) fn known_without_pmu(&self, name: &str, suffix: &Suffix<'_>) -> Option<Origin> {
        let mask_name = suffix.unit_mask.as_ref().and_then(|mask| mask.name());
        let user =
            self.user_tables().iter().map(|table| (table.clone(), Origin::UserTable(table.cpu.clone())));
        let built_in = self.cpu_types().into_iter().filter_map(|cpu| {
            let table = BuiltInTable::find(cpu)?.parse().ok()?;
            let origin = match cpu.contains('/') {
                true => Origin::OProfile(cpu.to_owned()),
                false => Origin::Vendor(cpu.to_owned()),
            };
            Some((table, origin))
        });
        user.chain(built_in).find_map(|(table, origin)| {
            in_table(&table, &origin, name, mask_name).is_some().then_some(origin)
        })
    }
}

/// All CPUs of the PMU may be offline.
pub(crate) fn is_online(pmu: &Pmu) -> bool {
    pmu.cpus.as_ref().is_none_or(|cpus| !cpus.is_empty())
}

/// The event of this name, or else the one that stands for name and unit mask together.
fn in_table<'s>(table: &'s EventTable, origin: &Origin, name: &str, mask: Option<&str>) -> Option<Place<'s>> {
    by_name(table, origin.clone(), name).or_else(|| by_name_and_mask(table, origin.clone(), name, mask?))
}

fn by_name<'s>(table: &'s EventTable, origin: Origin, name: &str) -> Option<Place<'s>> {
    table.find(name).map(|event| Place::Table(KnownRow { table, event, origin, with_mask: false }))
}

/// Vendors' tables have `NAME.MASK` where OProfile has a name and a unit mask.
fn by_name_and_mask<'s>(table: &'s EventTable, origin: Origin, name: &str, mask: &str) -> Option<Place<'s>> {
    let event = table.find(&format!("{name}.{mask}"))?;
    Some(Place::Table(KnownRow { table, event, origin, with_mask: true }))
}
