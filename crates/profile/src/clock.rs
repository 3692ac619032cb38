//! The clock of a recording's times.

use std::fmt;
use std::str::FromStr;

/// The clock of a recording's times (clock_gettime(2)). None of them can be set while it records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clock {
    /// Time since the machine started, kept in step with others of the network (CLOCK_MONOTONIC).
    #[default]
    Monotonic,
    /// The same as the hardware counts it (CLOCK_MONOTONIC_RAW).
    MonotonicRaw,
    /// The first with the time that the machine slept (CLOCK_BOOTTIME).
    Boottime,
}

impl Clock {
    /// All clocks, the one first that is taken where none is chosen.
    pub const ALL: [Clock; 3] = [Clock::Monotonic, Clock::MonotonicRaw, Clock::Boottime];

    /// The name, as an option's value.
    pub fn name(self) -> &'static str {
        match self {
            Clock::Monotonic => "monotonic",
            Clock::MonotonicRaw => "monotonic_raw",
            Clock::Boottime => "boottime",
        }
    }

    /// The kernel's number (`include/uapi/linux/time.h`).
    pub fn number(self) -> i32 {
        match self {
            Clock::Monotonic => 1,
            Clock::MonotonicRaw => 4,
            Clock::Boottime => 7,
        }
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No clock that can be recorded with has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoClock(String);

impl fmt::Display for NoClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            "realtime" | "tai" | "CLOCK_REALTIME" | "CLOCK_TAI" => {
                f.write_str("can be set while it records; use monotonic, monotonic_raw or boottime")
            }
            _ => f.write_str("not a clock; use monotonic, monotonic_raw or boottime"),
        }
    }
}

impl std::error::Error for NoClock {}

impl FromStr for Clock {
    type Err = NoClock;

    /// Reads a name, or the kernel's: `CLOCK_BOOTTIME`.
    fn from_str(name: &str) -> Result<Clock, NoClock> {
        let plain = name.strip_prefix("CLOCK_").unwrap_or(name).to_ascii_lowercase();
        Clock::ALL.into_iter().find(|clock| clock.name() == plain).ok_or_else(|| NoClock(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_its_clock() {
        for clock in Clock::ALL {
            assert_eq!(clock.to_string().parse(), Ok(clock));
            assert_eq!(format!("CLOCK_{}", clock.name().to_uppercase()).parse(), Ok(clock));
        }
        assert!("realtime".parse::<Clock>().is_err_and(|why| why.to_string().contains("can be set")));
        assert!("x".parse::<Clock>().is_err_and(|why| why.to_string().contains("not a clock")));
    }
}
