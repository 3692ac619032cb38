//! What follows an event's name: modifiers and OProfile's numbers.

use crate::modifier::{Modifiers, looks_like_modifiers};
use crate::{Error, number};

/// The parts after the name, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Suffix<'a> {
    /// Events per sample.
    pub(crate) count: Option<u64>,
    /// The unit mask as typed, `None` where the event's own is meant.
    pub(crate) unit_mask: Option<TypedMask<'a>>,
    /// Where and how precisely.
    pub(crate) modifiers: Modifiers,
}

/// A unit mask as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TypedMask<'a> {
    /// All of it.
    pub(crate) text: &'a str,
    /// The parts that plus signs join.
    pub(crate) parts: Vec<MaskPart<'a>>,
}

/// One part of a unit mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaskPart<'a> {
    /// A value.
    Value(u64),
    /// A name.
    Name(&'a str),
}

impl<'a> TypedMask<'a> {
    /// Reads numbers and names that plus signs join.
    fn parse(event: &str, text: &'a str) -> Result<Self, Error> {
        let part = |part: &'a str| match (number::parse(part), part.starts_with(|c: char| c.is_ascii_digit()))
        {
            (Some(value), _) => Ok(MaskPart::Value(value)),
            (None, false) if !part.is_empty() => Ok(MaskPart::Name(part)),
            _ => Err(Error::malformed(
                event,
                part,
                "not a unit mask: a number such as 12 or 0xc, a name, or several joined by +",
            )),
        };
        Ok(Self { text, parts: text.split('+').map(part).collect::<Result<_, _>>()? })
    }

    /// The value, where only numbers were typed.
    pub(crate) fn value(&self) -> Option<u64> {
        self.parts.iter().try_fold(0, |value, part| match part {
            MaskPart::Value(more) => Some(value | more),
            MaskPart::Name(_) => None,
        })
    }

    /// The name, where it is a single one.
    pub(crate) fn name(&self) -> Option<&'a str> {
        match self.parts.as_slice() {
            [MaskPart::Name(name)] => Some(name),
            _ => None,
        }
    }
}

impl<'a> Suffix<'a> {
    /// Reads modifiers and `COUNT[:UNITMASK[:KERNEL[:USER]]]`, in either order. A group that begins with a digit is a
    /// number; behind a count, one that is no modifiers is the name of a unit mask. `0`, `default` and nothing stand
    /// for the event's own unit mask.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a part that is neither, for too many parts, a count of 0, a flag other than 0 and 1, and
    /// for spaces given both by letters and by flags.
    pub(crate) fn parse(event: &str, parts: &[&'a str]) -> Result<Self, Error> {
        let mut letters = None;
        let mut numbers: Vec<&'a str> = Vec::new();
        for &part in parts {
            let is_number = part.starts_with(|c: char| c.is_ascii_digit());
            let is_mask = numbers.len() == 1 && !looks_like_modifiers(part);
            if is_number || is_mask {
                numbers.push(part);
            } else if letters.is_some() {
                return Err(Error::malformed(event, part, "one group of modifiers only"));
            } else {
                letters = Some(part);
            }
        }
        let mut suffix = Self::default();
        if let Some(letters) = letters {
            suffix.modifiers = Modifiers::parse(event, letters)?;
        }
        if let Some(&part) = numbers.get(4) {
            return Err(Error::malformed(event, part, "too many numbers (NAME:COUNT:UNITMASK:KERNEL:USER)"));
        }
        let Some(&count) = numbers.first() else { return Ok(suffix) };
        suffix.count = match number::parse(count) {
            Some(0) => return Err(Error::malformed(event, count, "the count has to be at least 1")),
            None => {
                return Err(Error::malformed(event, count, "not a number (NAME:COUNT:UNITMASK:KERNEL:USER)"));
            }
            count => count,
        };
        suffix.unit_mask = match numbers.get(1) {
            // A colon with nothing behind it is a slip at the end, and a default before other numbers.
            Some(&"") if numbers.len() == 2 => {
                return Err(Error::malformed(
                    event,
                    ":",
                    "a unit mask or modifiers are missing after the colon",
                ));
            }
            None | Some(&"") => None,
            Some(part) if part.eq_ignore_ascii_case("default") => None,
            Some(part) => Some(TypedMask::parse(event, part)?)
                .filter(|mask| mask.value().is_none_or(|value| value != 0)),
        };
        if let Some(&kernel) = numbers.get(2) {
            let user = numbers.get(3).map_or(Ok(true), |&user| flag(event, user))?;
            if let Some(letters) = letters.filter(|letters| letters.contains(['u', 'k', 'h'])) {
                return Err(Error::malformed(
                    event,
                    letters,
                    "KERNEL:USER says the same; give one of the two",
                ));
            }
            let Modifiers { host, guest, precise, most_precise, .. } = suffix.modifiers;
            let spaces = Modifiers::spaces(event, flag(event, kernel)?, user)?;
            suffix.modifiers = Modifiers { host, guest, precise, most_precise, ..spaces };
        }
        Ok(suffix)
    }
}

/// A flag of OProfile's.
fn flag(event: &str, part: &str) -> Result<bool, Error> {
    match number::parse(part) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Error::malformed(event, part, "KERNEL and USER are 0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Suffix<'_>, Error> {
        Suffix::parse("e", &text.split(':').collect::<Vec<_>>())
    }

    fn mask(text: &str) -> Option<u64> {
        parse(text).unwrap().unit_mask.and_then(|mask| mask.value())
    }

    #[test]
    fn oprofile_numbers() {
        let all = parse("100000:0x4f:0:1").unwrap();
        assert_eq!((all.count, mask("100000:0x4f:0:1")), (Some(100_000), Some(0x4f)));
        assert!(all.modifiers.user && !all.modifiers.kernel && !all.modifiers.hypervisor);
        assert_eq!(parse("6000:0").unwrap(), Suffix { count: Some(6000), ..Suffix::default() });
        assert!(parse("1:0:0").unwrap().modifiers.user, "USER is 1 by default");
        assert!(!parse("1:0:1:0").unwrap().modifiers.user);
    }

    #[test]
    fn unit_masks_have_names_and_can_be_joined() {
        assert_eq!(mask("5:0x4+8"), Some(12));
        let joined = parse("5:walks+0x2:0:1").unwrap().unit_mask.unwrap();
        assert_eq!(joined.parts, [MaskPart::Name("walks"), MaskPart::Value(2)]);
        assert_eq!(parse("5:stall_cycles").unwrap().unit_mask.unwrap().name(), Some("stall_cycles"));
        assert!(parse("5:u").unwrap().unit_mask.is_none(), "modifiers come before names");
        for own in ["5:0:1:1", "5:default:1:1", "5::1:1"] {
            assert_eq!(parse(own).unwrap(), parse("5").unwrap(), "{own}");
        }
    }

    #[test]
    fn letters_and_numbers_mix_unless_they_contradict() {
        let mixed = parse("up:5000").unwrap();
        assert_eq!((mixed.count, mixed.modifiers.precise, mixed.modifiers.kernel), (Some(5000), 1, false));
        assert_eq!(parse("5000:up"), Ok(mixed));
        let precise = parse("pp:5000:0:0:1").unwrap().modifiers;
        assert_eq!((precise.precise, precise.kernel), (2, false));
        assert!(parse("u:5000:0:0:1").is_err());
    }

    #[test]
    fn mistakes_are_errors() {
        for bad in [
            "",
            "0",
            "5x",
            "1:4x",
            "1:0:2",
            "1:0:1:2",
            "1:0:0:0",
            "1:0:1:1:1",
            "u:k",
            "1:",
            "1:a+",
            "1:+",
            "x:y",
            "99999999999999999999",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
