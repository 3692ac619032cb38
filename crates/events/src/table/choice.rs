//! Which unit mask is meant.

use super::{UnitMask, UnitMaskKind, UnitMasks};
use crate::Error;
use crate::suffix::{MaskPart, TypedMask};

/// The unit mask that was chosen, by the user or by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Choice {
    /// The value of the field `umask`; `None` where the event has no unit masks.
    pub(crate) value: Option<u64>,
    /// Its name, or the names joined by plus signs; empty without.
    pub(crate) name: String,
    /// Further terms.
    pub(crate) terms: String,
    /// The event has to be sampled precisely.
    pub(crate) precise: bool,
}

impl UnitMasks {
    /// The mask that counts when none is given.
    pub(crate) fn default_choice(&self) -> Choice {
        let by_name = self.named(&self.default_name);
        // Of several with this value, the one that adds nothing.
        let plain = || self.valued(self.default).find(|mask| mask.terms.is_empty() && !mask.precise);
        match by_name.or_else(plain).or_else(|| self.valued(self.default).next()) {
            Some(mask) => Choice::of(mask),
            None => Choice { value: Some(self.default), ..Choice::default() },
        }
    }

    /// The mask that was typed for an event, `event` being all that was typed and `name` the event's name.
    ///
    /// # Errors
    /// [`Error::UnitMask`] for what the event does not have or what cannot be joined, [`Error::AmbiguousUnitMask`] for a
    /// number that several masks share.
    pub(crate) fn choose(
        &self,
        event: &str,
        name: &str,
        typed: Option<&TypedMask<'_>>,
    ) -> Result<Choice, Error> {
        let Some(typed) = typed else { return self.checked(event, name, "", self.default_choice()) };
        let wrong = |why: &str| Error::UnitMask {
            event: event.to_owned(),
            given: typed.text.to_owned(),
            name: name.to_owned(),
            why: why.to_owned(),
            allowed: self.allowed(),
        };
        if typed.parts.len() > 1 && self.kind != UnitMaskKind::Bitmask {
            return Err(wrong("cannot be joined from several for"));
        }
        let choices = typed.parts.iter().map(|part| match *part {
            MaskPart::Name(mask) => self.named(mask).map(Choice::of).ok_or_else(|| wrong("is none of")),
            MaskPart::Value(value) => match self.by_value(value) {
                Ok(choice) => choice.ok_or_else(|| wrong("is none of")),
                Err(names) => Err(Error::AmbiguousUnitMask {
                    event: event.to_owned(),
                    name: name.to_owned(),
                    value,
                    names,
                }),
            },
        });
        let choices = choices.collect::<Result<Vec<_>, _>>()?;
        let joined = choices.into_iter().try_fold(None::<Choice>, |joined, next| match joined {
            None => Ok(Some(next)),
            Some(joined) => {
                joined.join(next).map(Some).ok_or_else(|| wrong("joins masks that count differently, for"))
            }
        })?;
        self.checked(event, name, typed.text, joined.unwrap_or_default())
    }

    /// The choice that a number stands for, or the names of the masks that share it.
    fn by_value(&self, value: u64) -> Result<Option<Choice>, Vec<String>> {
        let parts: Vec<_> = match self.kind {
            UnitMaskKind::Bitmask if self.covers(value) => match self.valued(value).next() {
                Some(_) => self.valued(value).collect(),
                None => self.masks.iter().filter(|mask| mask.value & !value == 0).collect(),
            },
            UnitMaskKind::Bitmask => return Ok(None),
            UnitMaskKind::Mandatory | UnitMaskKind::Exclusive => self.valued(value).collect(),
        };
        let shared = parts.iter().find(|part| self.valued(part.value).count() > 1);
        if let Some(shared) = shared {
            return Err(self.valued(shared.value).map(|mask| mask.name.clone()).collect());
        }
        let all = parts.into_iter().map(Choice::of);
        Ok(all.reduce(|joined, next| Choice {
            value: Some(joined.value.unwrap_or(0) | next.value.unwrap_or(0)),
            name: String::new(),
            terms: if joined.terms == next.terms { joined.terms } else { String::new() },
            precise: joined.precise || next.precise,
        }))
    }

    /// The kernel takes the choice.
    fn checked(&self, event: &str, name: &str, given: &str, choice: Choice) -> Result<Choice, Error> {
        let value = choice.value.unwrap_or(0);
        match self.masks.iter().find(|mask| mask.refused && mask.value & value != 0) {
            None => Ok(choice),
            Some(mask) => Err(Error::UnitMask {
                event: event.to_owned(),
                given: if given.is_empty() { format!("{value:#x}") } else { given.to_owned() },
                name: name.to_owned(),
                why: format!("holds {:#x}, which the kernel refuses for", mask.value),
                allowed: self.allowed(),
            }),
        }
    }

    /// What can be given, for a message.
    fn allowed(&self) -> String {
        let masks = self.masks.iter().filter(|mask| !mask.refused);
        let listed: Vec<_> = masks
            .map(|mask| match mask.name.is_empty() {
                true => format!("{:#x}", mask.value),
                false => format!("{} ({:#x})", mask.name, mask.value),
            })
            .collect();
        let how = match self.kind {
            UnitMaskKind::Mandatory => "",
            UnitMaskKind::Exclusive => "one of ",
            UnitMaskKind::Bitmask => "any of ",
        };
        let joined = if self.kind == UnitMaskKind::Bitmask { ", joined by +" } else { "" };
        format!("{how}{}{joined}", listed.join(", "))
    }
}

impl Choice {
    pub(crate) fn of(mask: &UnitMask) -> Self {
        Self {
            value: Some(mask.value),
            name: mask.name.clone(),
            terms: mask.terms.clone(),
            precise: mask.precise,
        }
    }

    /// Both together; `None` if they count in different ways.
    fn join(self, other: Self) -> Option<Self> {
        (self.terms == other.terms && self.precise == other.precise).then(|| Self {
            value: Some(self.value.unwrap_or(0) | other.value.unwrap_or(0)),
            name: match (self.name.as_str(), other.name.as_str()) {
                ("", name) | (name, "") => name.to_owned(),
                (one, another) => format!("{one}+{another}"),
            },
            terms: self.terms,
            precise: self.precise,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suffix::Suffix;

    fn choose(set: &str, typed: &str) -> Result<Choice, Error> {
        let set = UnitMasks::parse(set).unwrap();
        let suffix = Suffix::parse("e", &["5", typed]).unwrap();
        set.choose("e", "E", suffix.unit_mask.as_ref())
    }

    fn value(set: &str, typed: &str) -> Option<u64> {
        choose(set, typed).ok().and_then(|choice| choice.value)
    }

    const BITS: &str = "b:0xc:0x1,0x2,0x4,0x8";
    const NAMED: &str = "e:cycles:0x1=cycles,0x2=order,0x1=count!cmask=0x1+edge";

    #[test]
    fn bitmasks_take_any_union_and_nothing_else() {
        assert_eq!(value(BITS, "0"), Some(0xc), "0 is the default");
        assert_eq!(
            (value(BITS, "0x5"), value(BITS, "4+8"), value(BITS, "15")),
            (Some(5), Some(12), Some(15))
        );
        let error = choose(BITS, "0xf0").unwrap_err().to_string();
        assert!(
            error.contains("0xf0 is none of E; it takes any of 0x1, 0x2, 0x4, 0x8, joined by +"),
            "{error}"
        );
    }

    #[test]
    fn exclusive_masks_are_chosen_by_name_where_a_number_is_shared() {
        assert_eq!(value(NAMED, "2"), Some(2));
        let count = choose(NAMED, "COUNT").unwrap();
        assert_eq!((count.value, count.terms.as_str()), (Some(1), "cmask=0x1,edge"));
        assert_eq!(choose(NAMED, "0").unwrap().name, "cycles");
        let error = choose(NAMED, "1").unwrap_err().to_string();
        assert!(error.contains("cycles or count"), "{error}");
        assert!(choose(NAMED, "cycles+order").is_err() && choose(NAMED, "nosuch").is_err());
    }

    #[test]
    fn mandatory_masks_are_themselves() {
        assert_eq!((value("m:0x41:0x41", "0"), value("m:0x41:0x41", "0x41")), (Some(0x41), Some(0x41)));
        assert!(choose("m:0x41:0x41", "1").is_err());
    }

    #[test]
    fn masks_that_count_differently_are_not_joined() {
        let set = "b:0x1:0x1=plain,0x2=edges!edge,0x4=more!edge";
        let joined = choose(set, "edges+more").unwrap();
        assert_eq!(
            (joined.value, joined.terms.as_str(), joined.name.as_str()),
            (Some(6), "edge", "edges+more")
        );
        assert!(choose(set, "plain+edges").is_err());
    }

    #[test]
    fn what_the_kernel_refuses_is_said() {
        let set = "b:0x6:0x1!refused,0x2,0x4";
        assert_eq!(value(set, "0"), Some(6));
        let error = choose(set, "0x3").unwrap_err().to_string();
        assert!(error.contains("0x3 holds 0x1, which the kernel refuses for E"), "{error}");
    }
}
