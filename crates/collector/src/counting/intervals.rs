//! Stretches of time, told one by one.

use std::time::{Duration, Instant};

use oprof_profile::CountedInterval;

use super::nanoseconds;
use super::reading::Reading;

/// The stretches of time of one run.
#[derive(Debug)]
pub(super) struct Intervals {
    length: Duration,
    start: Instant,
    /// When the last one ended.
    last: Instant,
    due: Instant,
    before: Reading,
}

impl Intervals {
    /// For counters that start at `start` with nothing.
    pub(super) fn new(length: Duration, start: Instant) -> Intervals {
        // The kernel's clock is far from its end.
        let due = start.checked_add(length).unwrap_or(start);
        Intervals { length, start, last: start, due, before: Reading::default() }
    }

    /// How long it is until the next one ends.
    pub(super) fn left(&self) -> Duration {
        self.due.saturating_duration_since(Instant::now())
    }

    /// One ends now.
    pub(super) fn is_due(&self) -> bool {
        self.left().is_zero()
    }

    /// The one that ends at `end`, where the counters have this. The next ends at the next multiple of the length: one
    /// that comes late does not make the others late.
    pub(super) fn next(&mut self, end: Instant, reading: Reading) -> CountedInterval {
        let Reading { counts, places } = reading.since(&self.before);
        let interval = CountedInterval {
            end: nanoseconds(end.saturating_duration_since(self.start)),
            duration: nanoseconds(end.saturating_duration_since(self.last)),
            counts,
            places,
        };
        (self.last, self.before) = (end, reading);
        while self.due <= end && !self.length.is_zero() {
            let missed = end.duration_since(self.due).as_nanos() / self.length.as_nanos();
            let steps = u32::try_from(missed).unwrap_or(u32::MAX).saturating_add(1);
            self.due += self.length.saturating_mul(steps);
        }
        interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_profile::EventCount;

    fn count(value: u64) -> Vec<EventCount> {
        vec![EventCount { value, time_enabled: value, time_running: value }]
    }

    fn reading(value: u64) -> Reading {
        Reading { counts: count(value), places: Vec::new() }
    }

    #[test]
    fn each_interval_has_what_came_since_the_one_before() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut intervals = Intervals::new(Duration::from_millis(10), start);
        assert_eq!(intervals.due, after(10));
        let first = intervals.next(after(11), reading(5));
        assert_eq!((first.end, first.duration, first.counts), (11_000_000, 11_000_000, count(5)));
        assert_eq!(intervals.due, after(20), "late once is not late for ever");
        let second = intervals.next(after(47), reading(7));
        assert_eq!((second.duration, second.counts), (36_000_000, count(2)));
        assert_eq!(intervals.due, after(50), "what was missed is not made up for");
        let third = intervals.next(after(50), reading(7));
        assert_eq!(third.counts, count(0));
        assert_eq!(intervals.due, after(60));
    }
}
