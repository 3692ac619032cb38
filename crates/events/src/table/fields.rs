//! Whether a family's fields can hold what the rows of a table ask for.

use super::{Choice, Family, FieldAlias, RowError, TableEvent};
use crate::Error;
use crate::encoding::Encoding;
use crate::pmu::Pmu;
use crate::term::Term;

/// The built-in fields of a family, with the parts of them that a table has names for.
pub(crate) struct FamilyFields<'t> {
    family: Family,
    pmu: Pmu,
    aliases: &'t [FieldAlias],
}

/// A term that no field can hold.
pub(crate) struct Misfit {
    /// The term's name.
    pub(crate) field: String,
    /// The family has a field of this name, which the value is too large for.
    pub(crate) is_known: bool,
    /// What is wrong and what would be right.
    pub(crate) reason: String,
}

impl<'t> FamilyFields<'t> {
    /// Those of a family; `None` where they are not built in, so that nothing can be said.
    pub(crate) fn of(family: Family, aliases: &'t [FieldAlias]) -> Option<Self> {
        (family != Family::Other).then(|| Self { family, pmu: Pmu::built_in(family), aliases })
    }

    /// The first of the terms that does not fit.
    pub(crate) fn misfit(&self, terms: &str) -> Option<Misfit> {
        let list = Term::parse_list(terms, terms).ok()?;
        let encoding = Encoding::new(terms, &self.pmu, false).with_aliases(self.aliases);
        list.iter().find_map(|term| {
            let reason = match encoding.encode_fields(terms, &[*term]).err()? {
                Error::ValueTooLarge { field, width, value, .. } => {
                    let largest = u64::MAX.checked_shr(u64::BITS - width).unwrap_or(0);
                    format!(
                        "{value:#x} is too large for the {width}-bit field {field} (at most {largest:#x})"
                    )
                }
                _ => self.unknown(term.name),
            };
            let is_known = self.names().any(|name| term.is(name));
            Some(Misfit { field: term.name.to_owned(), is_known, reason })
        })
    }

    /// Checks a row of the own form, its unit masks among it.
    ///
    /// # Errors
    /// The column and the reason.
    pub(crate) fn check_row(&self, row: &TableEvent) -> Result<(), RowError> {
        if row.refused {
            return Ok(());
        }
        if let Some(misfit) = self.misfit(&row.encoded_terms(&Choice::default())) {
            return Err(("terms", misfit.reason));
        }
        let masks = row.unit_masks.iter().flat_map(|set| &set.masks).filter(|mask| !mask.refused);
        for mask in masks {
            if let Some(misfit) = self.misfit(&row.encoded_terms(&Choice::of(mask))) {
                return Err(("unit masks", misfit.reason));
            }
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.pmu.field_names().chain(self.aliases.iter().map(|alias| alias.name.as_str()))
    }

    fn unknown(&self, field: &str) -> String {
        let names: Vec<_> = self.names().collect();
        format!(
            "family {} has no field {field:?}; it has {} (without #family, the running kernel's fields are taken)",
            self.family.name(),
            names.join(", ")
        )
    }
}
