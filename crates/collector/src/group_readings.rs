//! Groups of which only the leader is sampled: what each of its events counted from one sample to the next.
//!
//! A sample of such a leader carries the counts of the whole group (PERF_SAMPLE_READ with PERF_FORMAT_GROUP in
//! perf_event_open(2)). What came since the sample before is put down to where the sample is, for all events alike: so
//! their ratios hold for each place, whatever the sampling missed.

use oprof_profile::Sample;
use rustc_hash::FxHashMap;

use crate::parse::Source;

/// Words before the first counter: number of counters, time enabled, time running.
const HEAD: usize = 3;

/// The last readings of groups.
#[derive(Debug, Default)]
pub(crate) struct GroupReadings {
    /// What each counter had counted, by its number, in each task: those that a task inherits count by themselves and go by
    /// the number of the first. Counters of CPUs stand under 0.
    last: FxHashMap<u32, FxHashMap<u64, u64>>,
    /// Tasks that have ended since the buffers were last emptied, and before: other buffers may still hold their samples.
    ended: Vec<u32>,
    ended_before: Vec<u32>,
}

impl GroupReadings {
    /// Makes of a leader's sample one for each event of its group; `readings` are the bytes that it carries. `of_tasks`:
    /// tasks count by themselves (since Linux 6.13).
    pub(crate) fn split(
        &mut self,
        leader: &Sample,
        readings: &[u8],
        source: &Source,
        of_tasks: bool,
        mut take: impl FnMut(Sample),
    ) {
        let mut words =
            readings.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().expect("eight")));
        let Some(counters) = words.next().and_then(|counters| usize::try_from(counters).ok()) else { return };
        let each = (readings.len() / 8).saturating_sub(HEAD).checked_div(counters).unwrap_or(0);
        // Value and number, and behind them what was lost where the kernel tells it (since Linux 6.0).
        if !(2..=3).contains(&each) {
            return;
        }
        let last = self.last.entry(if of_tasks { leader.tid } else { 0 }).or_default();
        let words: Vec<u64> = words.skip(HEAD - 1).collect();
        for counter in words.chunks_exact(each).take(counters) {
            let (value, number) = (counter[0], counter[1]);
            let Some(counted) = source.events.get(&number) else { continue };
            let since = value.saturating_sub(last.insert(number, value).unwrap_or(0));
            // A clock's sample is worth its period: what it counts between two of them may be idle time.
            let weight = if counted.reads_group && counted.is_clock { leader.weight } else { since };
            take(Sample { event: counted.event, weight, ..*leader });
        }
    }

    /// A task has ended.
    pub(crate) fn end(&mut self, task: u32) {
        if self.last.contains_key(&task) {
            self.ended.push(task);
        }
    }

    /// All buffers were emptied.
    pub(crate) fn end_round(&mut self) {
        for task in self.ended_before.drain(..) {
            self.last.remove(&task);
        }
        std::mem::swap(&mut self.ended, &mut self.ended_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Sampled;
    use oprof_profile::{CpuMode, EventId, Timestamp, VirtualAddress};

    fn sample(tid: u32) -> Sample {
        Sample {
            time: Timestamp(1),
            address: VirtualAddress(2),
            weight: 7,
            pid: 3,
            tid,
            cpu: 0,
            event: EventId(0),
            mode: CpuMode::User,
        }
    }

    fn source() -> Source {
        let event = |event| Sampled { event: EventId(event), ..Sampled::default() };
        Source { events: FxHashMap::from_iter([(50, event(0)), (51, event(1))]), ..Source::default() }
    }

    /// What two counters have counted, in as many words each as the kernel has.
    fn readings(counts: [u64; 2], each: usize) -> Vec<u8> {
        let mut words = vec![2, 100, 100];
        for (count, number) in counts.into_iter().zip(50..) {
            words.extend(&[count, number, 0][..each]);
        }
        words.into_iter().flat_map(u64::to_ne_bytes).collect()
    }

    fn weights(of: &mut GroupReadings, tid: u32, bytes: &[u8], of_tasks: bool) -> Vec<(u16, u64)> {
        let mut weights = Vec::new();
        of.split(&sample(tid), bytes, &source(), of_tasks, |sample| {
            weights.push((sample.event.0, sample.weight))
        });
        weights
    }

    #[test]
    fn each_event_gets_what_came_since_the_sample_before() {
        for each in [2, 3] {
            let mut groups = GroupReadings::default();
            assert_eq!(weights(&mut groups, 3, &readings([100, 40], each), false), [(0, 100), (1, 40)]);
            assert_eq!(weights(&mut groups, 4, &readings([150, 40], each), false), [(0, 50), (1, 0)]);
            assert_eq!(
                weights(&mut groups, 3, &readings([10, 41], each), false),
                [(0, 0), (1, 1)],
                "never less"
            );
        }
    }

    #[test]
    fn the_sample_of_a_clock_is_worth_its_period() {
        let mut source = source();
        source.events.insert(50, Sampled { reads_group: true, is_clock: true, ..Sampled::default() });
        let mut weights = Vec::new();
        let bytes = readings([1_000, 40], 2);
        GroupReadings::default()
            .split(&sample(1), &bytes, &source, false, |sample| weights.push(sample.weight));
        assert_eq!(weights, [7, 40]);
    }

    #[test]
    fn tasks_count_by_themselves_until_they_have_ended() {
        let mut groups = GroupReadings::default();
        assert_eq!(weights(&mut groups, 3, &readings([100, 40], 2), true), [(0, 100), (1, 40)]);
        assert_eq!(weights(&mut groups, 4, &readings([70, 20], 2), true), [(0, 70), (1, 20)]);
        groups.end(3);
        groups.end_round();
        // Another CPU's buffer had one more of it.
        assert_eq!(weights(&mut groups, 3, &readings([130, 41], 2), true), [(0, 30), (1, 1)]);
        groups.end_round();
        assert_eq!(groups.last.len(), 1, "what has ended is forgotten");
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        let mut groups = GroupReadings::default();
        let huge: Vec<u8> = [u64::MAX, 1, 1, 5, 50].into_iter().flat_map(u64::to_ne_bytes).collect();
        for bytes in [&[][..], &[1; 8], &[0; 24], &huge, &readings([1, 2], 2)[..40]] {
            assert_eq!(weights(&mut groups, 1, bytes, false), [], "{bytes:?}");
        }
    }
}
