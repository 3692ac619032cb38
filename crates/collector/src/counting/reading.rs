//! What all counters have at one moment.

use oprof_profile::{CountedPlace, EventCount};

/// What all counters have at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// For each event, in all places together.
    pub(super) counts: Vec<EventCount>,
    /// Each place by itself, where these are to be told apart.
    pub(super) places: Vec<CountedPlace>,
}

impl Reading {
    /// What came since an earlier reading of the same counters; before the first one there was nothing.
    pub(super) fn since(&self, earlier: &Reading) -> Reading {
        let nothing = EventCount::default();
        let counts = self.counts.iter().zip(0..);
        let counts = counts.map(|(now, index)| now.since(earlier.counts.get(index).unwrap_or(&nothing)));
        let places = self.places.iter().map(|place| {
            // A CPU that has gone offline is missing in one of the two.
            let before = earlier.places.iter().find(|before| before.id == place.id);
            let before = |index| before.and_then(|before| *before.counts.get(index)?).unwrap_or_default();
            let counts = place.counts.iter().zip(0..);
            let counts = counts.map(|(now, index)| now.map(|now: EventCount| now.since(&before(index))));
            CountedPlace { id: place.id, counts: counts.collect() }
        });
        Reading { counts: counts.collect(), places: places.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(value: u64) -> EventCount {
        EventCount { value, time_enabled: value, time_running: value }
    }

    fn place(id: u32, value: u64) -> CountedPlace {
        CountedPlace { id, counts: vec![Some(count(value)), None] }
    }

    #[test]
    fn each_place_is_compared_with_itself() {
        let earlier = Reading { counts: vec![count(5)], places: vec![place(0, 3), place(1, 2)] };
        // CPU 0 has gone offline meanwhile, and CPU 2 was not there before.
        let now = Reading { counts: vec![count(9)], places: vec![place(1, 8), place(2, 1)] };
        let since = now.since(&earlier);
        assert_eq!(since, Reading { counts: vec![count(4)], places: vec![place(1, 6), place(2, 1)] });
        assert_eq!(now.since(&Reading::default()), now);
    }
}
