//! Lengths of time as people read them.

/// A unit in which times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Millisecond,
    Microsecond,
}

impl Unit {
    /// The unit for a column of times whose longest is this one: one for all, so that the points line up, and
    /// milliseconds as long as they are easy to read, since a column of processes is mostly short ones.
    pub(crate) fn for_column(longest: u64) -> Unit {
        match longest {
            10_000_000_000.. => Unit::Second,
            1_000_000.. => Unit::Millisecond,
            _ => Unit::Microsecond,
        }
    }

    /// Writes nanoseconds in this unit.
    pub(crate) fn write(self, nanoseconds: u64) -> String {
        let value = nanoseconds as f64;
        match self {
            Unit::Second => format!("{:.3} s", value / 1e9),
            Unit::Millisecond => format!("{:.2} ms", value / 1e6),
            Unit::Microsecond => format!("{:.2} us", value / 1e3),
        }
    }
}

/// Writes a length of time on its own: `1.617 s`, `810.00 us`.
pub fn time(nanoseconds: u64) -> String {
    let unit = match nanoseconds {
        1_000_000_000.. => Unit::Second,
        1_000_000.. => Unit::Millisecond,
        _ => Unit::Microsecond,
    };
    unit.write(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_its_own_has_the_unit_that_fits() {
        assert_eq!(time(1_617_000_000), "1.617 s");
        assert_eq!(time(999_000_000), "999.00 ms");
        assert_eq!(time(1_230_000), "1.23 ms");
        assert_eq!(time(810), "0.81 us");
    }

    #[test]
    fn a_column_of_times_has_one_unit() {
        let unit = Unit::for_column(1_234_000_000);
        assert_eq!([1_234_000_000, 810_000].map(|time| unit.write(time)), ["1234.00 ms", "0.81 ms"]);
        assert_eq!(Unit::for_column(20_000_000_000).write(810_000), "0.001 s");
        assert_eq!(Unit::for_column(999_999).write(810_000), "810.00 us");
    }
}
