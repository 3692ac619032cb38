//! Processes that are forked so fast, and map nothing, that being woken for them would cost more than all else.

use std::time::{Duration, Instant};

/// How long forks are counted before it is decided, and how often the recorder looks by itself in a storm.
pub(super) const WINDOW: Duration = Duration::from_millis(5);
/// With so many forks in a window and no mapping there is a storm: a thousand a second.
const FORKS: u32 = 5;

/// Whether there is a storm of forks.
#[derive(Debug)]
pub(super) struct ForkStorm {
    is_on: bool,
    since: Instant,
    forks: u32,
    mapped: bool,
}

impl ForkStorm {
    pub(super) fn new(now: Instant) -> ForkStorm {
        ForkStorm { is_on: false, since: now, forks: 0, mapped: false }
    }

    /// There is one.
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Takes in what a round has seen; says so when a storm begins or ends. A mapping ends it at once.
    pub(super) fn round(&mut self, now: Instant, forks: u32, mapped: bool) -> Option<bool> {
        self.forks += forks;
        self.mapped |= mapped;
        let ends = self.is_on && mapped;
        if !ends && now.duration_since(self.since) < WINDOW {
            return None;
        }
        let is_on = self.forks >= FORKS && !self.mapped;
        (self.since, self.forks, self.mapped) = (now, 0, false);
        let changed = is_on != self.is_on;
        self.is_on = is_on;
        changed.then_some(is_on)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_begins_with_many_forks_and_ends_with_few_or_with_a_mapping() {
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut storm = ForkStorm::new(start);
        assert_eq!(storm.round(at(1), 100, false), None, "a moment is no storm");
        assert_eq!(storm.round(at(6), 0, false), Some(true));
        assert_eq!(storm.round(at(11), 5, false), None, "it goes on");
        assert_eq!(storm.round(at(16), 4, false), Some(false));
        assert_eq!(storm.round(at(21), 9, true), None, "programs, not forks alone");
        assert_eq!(storm.round(at(26), 9, false), Some(true));
        assert_eq!(storm.round(at(27), 9, true), Some(false), "at once");
    }
}
