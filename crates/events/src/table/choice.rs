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
            None => self
                .union(self.default)
                .unwrap_or_else(|| Choice { value: Some(self.default), ..Choice::default() }),
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
            MaskPart::Value(value) => self.by_value(value).map_err(|reason| match reason {
                NoChoice::Unknown => wrong("is none of"),
                NoChoice::Mixed => wrong(MIXED),
                NoChoice::Several(names) => {
                    Error::AmbiguousUnitMask { event: event.to_owned(), name: name.to_owned(), value, names }
                }
            }),
        });
        let choices = choices.collect::<Result<Vec<_>, _>>()?;
        let joined = choices.into_iter().try_fold(None::<Choice>, |joined, next| match joined {
            None => Ok(Some(next)),
            Some(joined) => joined.join(next).map(Some).ok_or_else(|| wrong(MIXED)),
        })?;
        self.checked(event, name, typed.text, joined.unwrap_or_default())
    }

    /// The choice that a number stands for.
    fn by_value(&self, value: u64) -> Result<Choice, NoChoice> {
        let is_union = self.kind == UnitMaskKind::Bitmask && self.valued(value).next().is_none();
        let parts: Vec<_> = match is_union {
            true if !self.covers(value) => Vec::new(),
            true => self.parts_of(value).collect(),
            false => self.valued(value).collect(),
        };
        if let Some(shared) = parts.iter().find(|part| self.valued(part.value).count() > 1) {
            return Err(NoChoice::Several(self.valued(shared.value).map(|mask| mask.name.clone()).collect()));
        }
        match parts.as_slice() {
            [] => Err(NoChoice::Unknown),
            [only] if !is_union => Ok(Choice::of(only)),
            _ => self.union(value).ok_or(NoChoice::Mixed),
        }
    }

    /// The masks whose bits are all in a value.
    fn parts_of(&self, value: u64) -> impl Iterator<Item = &UnitMask> {
        self.masks.iter().filter(move |mask| mask.value != 0 && mask.value & !value == 0)
    }

    /// A value out of masks that count alike, plain ones first; `None` if those that make it up count differently.
    fn union(&self, value: u64) -> Option<Choice> {
        let mut parts: Vec<_> = self.parts_of(value).collect();
        parts.sort_by_key(|mask| !mask.terms.is_empty() || mask.precise);
        let covers = |first: &&&UnitMask| {
            let alike = parts.iter().filter(|mask| mask.counts_like(first));
            alike.fold(0, |bits, mask| bits | mask.value) == value
        };
        let first = parts.iter().find(covers)?;
        Some(Choice { value: Some(value), name: String::new(), ..Choice::of(first) })
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
        let listed = |masks: &[&UnitMask]| {
            let shown = masks.iter().map(|mask| match mask.name.is_empty() {
                true => format!("{:#x}", mask.value),
                false => format!("{} ({:#x})", mask.name, mask.value),
            });
            shown.collect::<Vec<_>>().join(", ")
        };
        let masks: Vec<_> = self.masks.iter().filter(|mask| !mask.refused).collect();
        match self.kind {
            UnitMaskKind::Mandatory => listed(&masks),
            UnitMaskKind::Exclusive => format!("one of {}", listed(&masks)),
            UnitMaskKind::Bitmask => {
                let mut alike: Vec<Vec<&UnitMask>> = Vec::new();
                for mask in masks {
                    match alike.iter_mut().find(|group| mask.counts_like(group[0])) {
                        Some(group) => group.push(mask),
                        None => alike.push(vec![mask]),
                    }
                }
                let ways = alike.iter().map(|group| match group.as_slice() {
                    [_] => listed(group),
                    _ => format!("any of {} joined by +", listed(group)),
                });
                ways.collect::<Vec<_>>().join(", or ")
            }
        }
    }
}

/// Why a number stands for no choice.
enum NoChoice {
    /// No mask has the value, or some of its bits.
    Unknown,
    /// The masks that make it up count differently.
    Mixed,
    /// It is one of these names.
    Several(Vec<String>),
}

/// What is wrong with masks that have different terms, to be followed by the event's name.
const MIXED: &str = "mixes ways of counting that exclude each other, for";

impl UnitMask {
    /// Whether it can be joined with the other: beside their bits, both mean the same.
    fn counts_like(&self, other: &Self) -> bool {
        self.terms == other.terms && self.precise == other.precise
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
            error.contains("0xf0 is none of E; it takes any of 0x1, 0x2, 0x4, 0x8 joined by +"),
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
        let error = choose(set, "plain+edges").unwrap_err().to_string();
        assert!(error.ends_with(
            "plain+edges mixes ways of counting that exclude each other, for E; \
             it takes plain (0x1), or any of edges (0x2), more (0x4) joined by +"
        ));
    }

    #[test]
    fn a_number_means_the_same_as_its_bits_joined() {
        let set = "b:0x1:0x1=plain,0x2=edges!edge,0x4=more!edge,0x8=other,0x9=both!any";
        for (number, joined) in [("0x6", "2+4"), ("0x9", "both"), ("0x4", "more")] {
            let by_number = choose(set, number).unwrap();
            let joined = choose(set, joined).unwrap();
            assert_eq!((by_number.value, by_number.terms), (joined.value, joined.terms), "{number}");
        }
        for mixed in ["0x3", "1+2", "0x7", "0x5", "0xf"] {
            let error = choose(set, mixed).unwrap_err().to_string();
            assert!(error.contains(&format!("{mixed} {MIXED} E")), "{error}");
        }
        let parted = "b:0x1:0x1,0x2,0x4,0x3!any";
        assert_eq!(choose(parted, "0x7").map(|choice| choice.terms), Ok(String::new()), "1+2+4 is meant");
        assert_eq!(choose("b:0x6:0x2!any,0x4!any", "0").unwrap().terms, "any", "a default of several");
        assert_eq!(value("b:0x0:0x0!inv,0x1,0x2", "0x3"), Some(3), "a mask without bits is no part");
    }

    #[test]
    fn what_the_kernel_refuses_is_said() {
        let set = "b:0x6:0x1!refused,0x2,0x4";
        assert_eq!(value(set, "0"), Some(6));
        let error = choose(set, "0x3").unwrap_err().to_string();
        assert!(error.contains("0x3 holds 0x1, which the kernel refuses for E"), "{error}");
    }
}
