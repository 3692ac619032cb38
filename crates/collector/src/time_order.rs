//! Puts what was drained from several buffers into the order of time.

use std::time::Duration;

use oprof_profile::{Batch, Sample, TaskRecord, Timestamp};

/// How much longer than a round a record is held back: between taking its time and writing a record
/// the kernel can be held up, on a virtual machine by the host.
pub(crate) const SLACK: Duration = Duration::from_millis(10);

/// Puts records of several buffers, each nearly in order, into the order of time, and holds samples back until all records
/// before them are there. Samples need no order between themselves.
///
/// A record is handed on once nothing earlier can still turn up: what was written before a round began was drained
/// in that round at the latest, so everything older than the round before is complete.
#[derive(Debug, Default)]
pub(crate) struct TimeOrder {
    samples: Vec<Sample>,
    records: Vec<TaskRecord>,
    previous_round: Timestamp,
    ready: Batch,
}

impl TimeOrder {
    #[inline]
    pub(crate) fn push_sample(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    pub(crate) fn push_record(&mut self, record: TaskRecord) {
        self.records.push(record);
    }

    /// Ends a round that began at `began`: gives what is complete.
    pub(crate) fn end_round(&mut self, began: Timestamp) -> &Batch {
        let horizon = self.previous_round.min(Timestamp(began.0.saturating_sub(SLACK.as_nanos() as u64)));
        self.previous_round = began;
        self.release(horizon)
    }

    /// Gives everything that is left.
    pub(crate) fn finish(&mut self) -> &Batch {
        self.release(Timestamp(u64::MAX))
    }

    fn release(&mut self, horizon: Timestamp) -> &Batch {
        self.ready.samples.clear();
        self.ready.records.clear();
        // Stable, and quick on what consists of a few ordered runs.
        self.records.sort_by_key(|record| record.time);
        let complete = self.records.partition_point(|record| record.time < horizon);
        self.ready.records.extend(self.records.drain(..complete));
        let ready = &mut self.ready.samples;
        self.samples.retain(|sample| {
            let complete = sample.time < horizon;
            if complete {
                ready.push(*sample);
            }
            !complete
        });
        &self.ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_profile::{CpuMode, EventId, Record, VirtualAddress};

    fn sample(time: u64) -> Sample {
        Sample {
            time: Timestamp(time),
            address: VirtualAddress(0),
            weight: 1,
            pid: 1,
            tid: 8,
            cpu: 0,
            event: EventId(0),
            mode: CpuMode::User,
        }
    }

    fn record(time: u64) -> TaskRecord {
        TaskRecord { time: Timestamp(time), record: Record::Throttled }
    }

    fn times(batch: &Batch) -> (Vec<u64>, Vec<u64>) {
        (
            batch.samples.iter().map(|sample| sample.time.0).collect(),
            batch.records.iter().map(|record| record.time.0).collect(),
        )
    }

    #[test]
    fn records_of_several_buffers_come_out_in_the_order_of_time() {
        let mut order = TimeOrder::default();
        for time in [10, 30, 50, 20, 40] {
            order.push_sample(sample(time));
        }
        for time in [45, 15] {
            order.push_record(record(time));
        }
        assert_eq!(times(order.finish()), (vec![10, 30, 50, 20, 40], vec![15, 45]));
        assert_eq!(times(order.finish()), (vec![], vec![]), "nothing is handed on twice");
    }

    #[test]
    fn what_a_later_round_may_still_precede_is_held_back() {
        let second = 1_000_000_000;
        let mut order = TimeOrder::default();
        order.push_record(record(second / 2));
        assert_eq!(times(order.end_round(Timestamp(second))), (vec![], vec![]));
        // A record of another buffer, earlier than the first and seen later.
        order.push_record(record(second / 4));
        order.push_record(record(second + 5));
        assert_eq!(times(order.end_round(Timestamp(2 * second))).1, [second / 4, second / 2]);
        assert_eq!(times(order.end_round(Timestamp(3 * second))).1, [second + 5]);
    }

    #[test]
    fn rounds_in_quick_succession_still_leave_the_slack() {
        let mut order = TimeOrder::default();
        let start = 1_000_000_000;
        order.push_record(record(start));
        for round in 1..=9 {
            assert_eq!(
                times(order.end_round(Timestamp(start + round * 1_000_000))).1,
                [0; 0],
                "round {round}"
            );
        }
        assert_eq!(times(order.end_round(Timestamp(start + (SLACK.as_nanos() as u64) + 1))).1, [start]);
    }
}
