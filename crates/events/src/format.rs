//! The place of a field in `perf_event_attr`, as sysfs describes it in `format/`.

/// Which of the attribute's words a field is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// `config`.
    Config,
    /// `config1`.
    Config1,
    /// `config2`.
    Config2,
    /// `config3`.
    Config3,
}

impl Word {
    /// The words by name.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("config", Self::Config),
        ("config1", Self::Config1),
        ("config2", Self::Config2),
        ("config3", Self::Config3),
    ];

    /// The word of this name, in any case.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|&(_, word)| word)
    }
}

/// The bits of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// The word that they are in.
    pub(crate) word: Word,
    /// One bit for each bit of the field. Values fill them from the lowest bit up.
    pub(crate) mask: u64,
}

impl Format {
    /// Reads a line such as `config:0-7,32-35` (Documentation/ABI/testing/sysfs-bus-event_source-devices-format of the
    /// kernel); the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{:?} is not a format such as config:0-7,32-35", text.trim());
        let (word, ranges) = text.trim().split_once(':').ok_or_else(wrong)?;
        let word = Word::find(word).ok_or_else(|| format!("fields in {word:?} are not supported yet"))?;
        let mut mask = 0;
        for range in ranges.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last) =
                bit(first).zip(bit(last)).filter(|(first, last)| first <= last).ok_or_else(wrong)?;
            mask |= (u64::MAX >> (63 - last)) & (u64::MAX << first);
        }
        Ok(Self { word, mask })
    }

    /// Width of the field in bits.
    pub(crate) fn width(self) -> u32 {
        self.mask.count_ones()
    }

    /// Spreads a value over the field's bits; `None` if it has more bits than the field.
    pub(crate) fn place(self, value: u64) -> Option<u64> {
        let mut rest = value;
        let mut placed = 0;
        for position in (0..u64::BITS).filter(|position| self.mask >> position & 1 == 1) {
            placed |= (rest & 1) << position;
            rest >>= 1;
        }
        (rest == 0).then_some(placed)
    }
}

/// The number of a bit in a word.
fn bit(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|&bit| bit < u64::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(format: &str, value: u64) -> Option<u64> {
        Format::parse(format).unwrap().place(value)
    }

    #[test]
    fn plain_ranges_and_single_bits() {
        assert_eq!(place("config:0-7\n", 0xc5), Some(0xc5));
        assert_eq!(place("config:8-15", 1), Some(0x100));
        assert_eq!(place("config:18", 1), Some(1 << 18));
        assert_eq!(place("config:63", 1), Some(1 << 63));
        assert_eq!(place("config1:0-63", u64::MAX), Some(u64::MAX));
    }

    #[test]
    fn split_ranges_fill_from_the_lowest_bit() {
        assert_eq!(place("config:0-7,32-35", 0xabc), Some(0xa_0000_00bc));
        assert_eq!(place("config:32-35,0-7", 0xabc), Some(0xa_0000_00bc));
        assert_eq!(place("config:1,6-10,44", 0x7f), Some(1 << 44 | 0x7c2));
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        assert_eq!(place("config:0-7", 0x100), None);
        assert_eq!(place("config:18", 2), None);
        assert_eq!(place("config:0-7,32-35", 0x1000), None);
        assert_eq!(Format::parse("config:0-7,32-35").unwrap().width(), 12);
    }

    #[test]
    fn words() {
        for (name, word) in Word::ALL {
            assert_eq!(Format::parse(&format!("{name}:3")).unwrap(), Format { word, mask: 8 });
        }
    }

    #[test]
    fn what_is_not_a_format_is_an_error() {
        for bad in [
            "",
            "config",
            "config:",
            "config:64",
            "config:7-0",
            "config:0-",
            "config:-1",
            "config:a",
            "x:0",
            "config:0,,1",
        ] {
            assert!(Format::parse(bad).is_err(), "{bad:?}");
        }
    }
}
