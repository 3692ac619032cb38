//! The counters that an event can be counted on.

use std::fmt;

use crate::number;

/// The counters that an event can be counted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Counters {
    /// Any of the general ones.
    #[default]
    Any,
    /// These, one bit each.
    Some(u64),
    /// A fixed one of its own, by number.
    Fixed(u8),
}

impl Counters {
    /// Reads `0-3,5`, `fixed1`, or nothing for any.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::Any);
        }
        let wrong = || format!("{text:?} is no list of counters such as 0-3,5 or fixed1 (0 to 63)");
        let counter = |text: &str| number::parse(text).and_then(|n| u8::try_from(n).ok()).filter(|&n| n < 64);
        if let Some(fixed) = text.strip_prefix("fixed") {
            return counter(fixed).map(Self::Fixed).ok_or_else(wrong);
        }
        let mut mask = 0;
        for range in text.split(',') {
            let (first, last) = range.trim().split_once('-').unwrap_or((range.trim(), range.trim()));
            let (first, last) =
                counter(first).zip(counter(last)).filter(|(first, last)| first <= last).ok_or_else(wrong)?;
            mask |= (u64::MAX >> (63 - last)) & (u64::MAX << first);
        }
        Ok(Self::Some(mask))
    }

    /// Those of the general ones whose number is below this; all of them if none is.
    pub(crate) fn below(self, number: u32) -> Self {
        match self {
            Self::Some(mask) => match mask & u64::MAX >> (64 - number.clamp(1, 64)) {
                0 => self,
                below => Self::Some(below),
            },
            Self::Any | Self::Fixed(_) => self,
        }
    }

    /// The general counters by number, where not all will do.
    pub fn numbers(self) -> Option<Vec<u8>> {
        match self {
            Self::Some(mask) => Some((0..64).filter(|number| mask >> number & 1 == 1).collect()),
            Self::Any | Self::Fixed(_) => None,
        }
    }
}

/// `0-3,5`, `fixed1`, `any`.
impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = match self {
            Self::Any => return f.write_str("any"),
            Self::Fixed(number) => return write!(f, "fixed{number}"),
            Self::Some(_) => self.numbers().unwrap_or_default(),
        };
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        for (position, (first, last)) in ranges.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match first == last {
                true => write!(f, "{comma}{first}")?,
                false => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for text in ["0-3,5", "0", "3,7", "63", "fixed1", "0-63"] {
            assert_eq!(Counters::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Counters::parse("").unwrap(), Counters::Any);
        assert_eq!(Counters::parse("0, 4").unwrap().numbers(), Some(vec![0, 4]));
        assert_eq!(Counters::parse("1-6").unwrap().below(5).to_string(), "1-4");
        assert_eq!(Counters::parse("63").unwrap().below(64).to_string(), "63");
        assert_eq!(Counters::parse("6").unwrap().below(4).to_string(), "6", "a mistake, and none is left");
        assert_eq!(Counters::Fixed(3).below(1), Counters::Fixed(3));
        for bad in ["64", "3-1", "x", "0,", "fixed", "fixed99", "-1", "0-"] {
            assert!(Counters::parse(bad).is_err(), "{bad:?}");
        }
    }
}
