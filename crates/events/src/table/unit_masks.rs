//! The unit masks of an event and the rules by which they are chosen.

use std::collections::HashSet;

use super::parse::check_terms;
use crate::number;
use crate::unprintable::is_unprintable;

/// What a set of unit masks allows (`enum unit_mask_type` of OProfile's event files).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitMaskKind {
    /// The one value.
    Mandatory,
    /// Any of the values together.
    Bitmask,
    /// One of the values.
    Exclusive,
}

/// One unit mask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitMask {
    /// The value of the field `umask`.
    pub value: u64,
    /// Its name; empty where it has none.
    pub name: String,
    /// Further terms that go with it, such as `cmask=0x1,inv`; empty without.
    pub terms: String,
    /// The event has to be sampled precisely.
    pub precise: bool,
    /// The kernel does not take it.
    pub refused: bool,
    /// What it selects, in a few words; empty until [`EventTable::described`](super::EventTable::described) says it.
    pub description: String,
}

/// The unit masks of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitMasks {
    /// How they can be chosen.
    pub kind: UnitMaskKind,
    /// The value when none is given.
    pub default: u64,
    /// The name of the default, where the value alone would not say which.
    pub default_name: String,
    /// All of them, in the table's order; never empty.
    pub masks: Vec<UnitMask>,
}

/// Most unit masks of one event.
const MOST: usize = 256;

impl UnitMasks {
    /// Reads `KIND:DEFAULT:VALUE[=NAME][!TERM[+TERM]],...`, where the kind is `m`, `b` or `e`, and the default a value
    /// or a name. Among the terms, `pebs` says that the event has to be sampled precisely, `refused` that the kernel
    /// does not take the mask.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no set of unit masks such as b:0x1:0x1=first,0x2=second");
        let mut parts = text.splitn(3, ':');
        let (kind, default, values) = match (parts.next(), parts.next(), parts.next()) {
            (Some(kind), Some(default), Some(values)) => (kind, default, values),
            _ => return Err(wrong()),
        };
        let kind = match kind {
            "m" => UnitMaskKind::Mandatory,
            "b" => UnitMaskKind::Bitmask,
            "e" => UnitMaskKind::Exclusive,
            _ => return Err(format!("{kind:?} is no kind of unit masks; there are m, b and e")),
        };
        if values.split(',').count() > MOST {
            return Err(format!("more than {MOST} unit masks"));
        }
        let masks = values.split(',').map(UnitMask::parse).collect::<Result<Vec<_>, _>>()?;
        if let Some(name) = repeated(&masks) {
            return Err(format!("two unit masks are named {name:?}; rename one of the two"));
        }
        let by_name = || masks.iter().find(|mask| mask.name == default && !default.is_empty());
        let (default, default_name) = match number::parse(default) {
            Some(value) => (value, String::new()),
            None => by_name()
                .map(|mask| (mask.value, mask.name.clone()))
                .ok_or_else(|| format!("the default unit mask {default:?} is not among the others"))?,
        };
        let set = Self { kind, default, default_name, masks };
        match set.kind {
            UnitMaskKind::Mandatory if set.masks.len() != 1 || set.masks[0].value != set.default => {
                Err("mandatory unit masks have one value, which is the default".to_owned())
            }
            UnitMaskKind::Exclusive if set.masks.iter().all(|mask| mask.value != set.default) => {
                Err(format!("the default unit mask {default:#x} is not among the others"))
            }
            UnitMaskKind::Bitmask if !set.covers(set.default) => {
                Err(format!("the default unit mask {default:#x} is not made of the others"))
            }
            _ => Ok(set),
        }
    }

    /// Whether a value is made of the masks that are part of it, or is 0 and among them.
    pub(crate) fn covers(&self, value: u64) -> bool {
        let parts = self.masks.iter().filter(|mask| mask.value & !value == 0);
        let mut union = None;
        for part in parts {
            union = Some(union.unwrap_or(0) | part.value);
        }
        union == Some(value)
    }

    /// The mask of this name, in any case.
    pub fn named(&self, name: &str) -> Option<&UnitMask> {
        self.masks.iter().find(|mask| !mask.name.is_empty() && mask.name.eq_ignore_ascii_case(name))
    }

    /// The masks of this value.
    pub(crate) fn valued(&self, value: u64) -> impl Iterator<Item = &UnitMask> {
        self.masks.iter().filter(move |mask| mask.value == value)
    }
}

/// A name that two of the masks have, in any case.
fn repeated(masks: &[UnitMask]) -> Option<&str> {
    let mut seen = HashSet::new();
    let mut names = masks.iter().map(|mask| mask.name.as_str()).filter(|name| !name.is_empty());
    names.find(|name| !seen.insert(name.to_ascii_lowercase()))
}

impl UnitMask {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (head, extra) = text.split_once('!').unwrap_or((text, ""));
        let (value, name) = head.split_once('=').unwrap_or((head, ""));
        let value = number::parse(value).ok_or_else(|| format!("{value:?} is no unit mask such as 0x4"))?;
        if name.starts_with(|c: char| c.is_ascii_digit())
            || name.contains([':', '+', '/', ' '])
            || name.contains(is_unprintable)
        {
            return Err(format!("{name:?} cannot name a unit mask: it could not be typed"));
        }
        let mut mask = Self {
            value,
            name: name.to_owned(),
            terms: String::new(),
            precise: false,
            refused: false,
            description: String::new(),
        };
        let mut terms = Vec::new();
        for term in extra.split('+').filter(|term| !term.is_empty()) {
            match term {
                "pebs" => mask.precise = true,
                "refused" => mask.refused = true,
                _ => terms.push(term),
            }
        }
        mask.terms = terms.join(",");
        if !terms.is_empty() {
            check_terms(&mask.terms)?;
        }
        Ok(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read() {
        let set = UnitMasks::parse("e:cycles:0x1=cycles,0x2=order,0x1=count!cmask=0x1+edge+pebs").unwrap();
        assert_eq!(
            (set.kind, set.default, set.default_name.as_str()),
            (UnitMaskKind::Exclusive, 1, "cycles")
        );
        let count = set.named("COUNT").unwrap();
        assert_eq!((count.value, count.terms.as_str(), count.precise), (1, "cmask=0x1,edge", true));
        assert_eq!(set.valued(1).count(), 2);
        let p4 = UnitMasks::parse("b:0x6:0x1!refused,0x2,0x4").unwrap();
        assert!(p4.masks[0].refused && p4.covers(7) && !p4.covers(8));
    }

    #[test]
    fn bitmasks_cover_what_they_are_made_of() {
        let set = UnitMasks::parse("b:0x0:0x0=none,0x3=both,0x4").unwrap();
        assert!(set.covers(0) && set.covers(3) && set.covers(7) && set.covers(4));
        assert!(!set.covers(1) && !set.covers(5));
        assert!(!UnitMasks::parse("b:0x1:0x1,0x2").unwrap().covers(0), "0 has to be among them");
    }

    #[test]
    fn what_contradicts_itself_is_an_error() {
        for bad in [
            "",
            "m",
            "m:1",
            "x:1:1",
            "m:0x1:0x2",
            "m:0x1:0x1,0x2",
            "e:0x3:0x1,0x2",
            "b:0x8:0x1,0x2",
            "e:no:0x1=yes",
            "b:0x1:0x1,",
            "b:0x1:0x1=4a",
            "e:0x1:0x1=one,0x2=ONE",
        ] {
            assert!(UnitMasks::parse(bad).is_err(), "{bad:?}");
        }
    }
}
