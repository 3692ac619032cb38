//! What follows an event's name: modifiers and OProfile's numbers.

use crate::modifier::Modifiers;
use crate::{Error, number};

/// The parts after the name, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Suffix {
    /// Events per sample.
    pub(crate) count: Option<u64>,
    /// OProfile's unit mask; 0, which means the event's own, is `None`.
    pub(crate) unit_mask: Option<u64>,
    /// Where and how precisely.
    pub(crate) modifiers: Modifiers,
}

impl Suffix {
    /// Reads modifiers and `COUNT[:UNITMASK[:KERNEL[:USER]]]`, in either order.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a part that is neither, for too many parts, a count of 0, a flag other than 0 and 1, and
    /// for spaces given both by letters and by flags.
    pub(crate) fn parse(event: &str, parts: &[&str]) -> Result<Self, Error> {
        let mut letters = None;
        let mut numbers = Vec::new();
        for &part in parts {
            if part.starts_with(|c: char| c.is_ascii_digit()) {
                let value = number::parse(part).ok_or_else(|| {
                    Error::malformed(event, part, "not a number (NAME:COUNT:UNITMASK:KERNEL:USER)")
                })?;
                numbers.push((part, value));
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
        let (spaces, rest) = match *numbers.as_slice() {
            [] => return Ok(suffix),
            [_] | [_, _] => (None, &[][..]),
            [_, _, kernel] => (Some((flag(event, kernel)?, true)), &[][..]),
            [_, _, kernel, user, ref rest @ ..] => (Some((flag(event, kernel)?, flag(event, user)?)), rest),
        };
        if let Some((part, _)) = rest.first() {
            return Err(Error::malformed(event, part, "too many numbers (NAME:COUNT:UNITMASK:KERNEL:USER)"));
        }
        if numbers[0].1 == 0 {
            return Err(Error::malformed(event, numbers[0].0, "the count has to be at least 1"));
        }
        suffix.count = Some(numbers[0].1);
        suffix.unit_mask = numbers.get(1).map(|&(_, mask)| mask).filter(|&mask| mask != 0);
        if let Some((kernel, user)) = spaces {
            if let Some(letters) = letters.filter(|letters| letters.contains(['u', 'k', 'h'])) {
                return Err(Error::malformed(
                    event,
                    letters,
                    "KERNEL:USER says the same; give one of the two",
                ));
            }
            let Modifiers { host, guest, precise, .. } = suffix.modifiers;
            suffix.modifiers = Modifiers { host, guest, precise, ..Modifiers::spaces(event, kernel, user)? };
        }
        Ok(suffix)
    }
}

/// A flag of OProfile's.
fn flag(event: &str, (part, value): (&str, u64)) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::malformed(event, part, "KERNEL and USER are 0 or 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Suffix, Error> {
        Suffix::parse("e", &text.split(':').collect::<Vec<_>>())
    }

    #[test]
    fn oprofile_numbers() {
        let all = parse("100000:0x4f:0:1").unwrap();
        assert_eq!((all.count, all.unit_mask), (Some(100_000), Some(0x4f)));
        assert!(all.modifiers.user && !all.modifiers.kernel && !all.modifiers.hypervisor);
        assert_eq!(parse("6000:0").unwrap(), Suffix { count: Some(6000), ..Suffix::default() });
        assert!(parse("1:0:0").unwrap().modifiers.user, "USER is 1 by default");
        assert!(!parse("1:0:1:0").unwrap().modifiers.user);
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
            "1:x",
            "1:0:2",
            "1:0:1:2",
            "1:0:0:0",
            "1:0:1:1:1",
            "u:k",
            "1:",
            "99999999999999999999",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
