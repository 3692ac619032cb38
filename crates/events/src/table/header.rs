//! What stands at the head of a table.

/// The event that OProfile samples when none is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultEvent {
    /// Its name.
    pub name: String,
    /// Its unit mask; 0 for the event's own default.
    pub unit_mask: u64,
}

/// A field that is a part of another: on the Pentium 4, `event` and `umask` are parts of `escr`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldAlias {
    /// The name in the table's terms.
    pub name: String,
    /// The PMU's field.
    pub field: String,
    /// The lowest bit within that.
    pub shift: u32,
    /// How many bits.
    pub width: u32,
}

impl FieldAlias {
    /// Reads `umask=escr:9-24`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parse = || {
            let (name, place) = text.split_once('=')?;
            let (field, bits) = place.split_once(':')?;
            let (first, last) = bits.split_once('-')?;
            let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && last < 64).then(|| Self {
                name: name.to_owned(),
                field: field.to_owned(),
                shift: first,
                width: last - first + 1,
            })
        };
        parse().ok_or_else(|| format!("{text:?} is no part of a field such as umask=escr:9-24"))
    }

    /// The value within the other field; `None` if it has too many bits.
    pub(crate) fn place(&self, value: u64) -> Option<u64> {
        (value.checked_shr(self.width).unwrap_or(0) == 0).then(|| value << self.shift)
    }
}
