//! Takes samples and records of one stretch of time in, each sample as things stood at its moment.
//!
//! Most samples are of processes of which no record tells anything at the time, so that the order does not matter to
//! them: they are taken in as they come, CPU after CPU, which finds what they need still near. The others are sorted.

use rustc_hash::FxHashSet;

use super::Profile;
use crate::{Batch, CpuMode, Record, Sample, TaskRecord};

/// What the records of a batch change, as far as the place of a sample depends on it.
#[derive(Debug, Default)]
struct Changes {
    processes: FxHashSet<u32>,
    /// Code that the kernel makes comes or goes.
    kernel: bool,
}

impl Changes {
    fn of(records: &[TaskRecord]) -> Changes {
        let mut changes = Changes::default();
        for TaskRecord { record, .. } in records {
            match record {
                Record::Mapped { pid, .. }
                | Record::Remapped { pid, .. }
                | Record::Executed { pid, .. }
                | Record::ThreadExited { pid, .. } => drop(changes.processes.insert(*pid)),
                Record::Forked { pid, parent } | Record::Found { pid, parent, .. } => {
                    changes.processes.extend([*pid, *parent]);
                }
                Record::KsymbolRegistered(_) | Record::KsymbolUnregistered { .. } => changes.kernel = true,
                Record::Renamed { .. }
                | Record::ThreadRenamed { .. }
                | Record::ThreadStarted { .. }
                | Record::Described { .. }
                | Record::Counted { .. }
                | Record::Lost { .. }
                | Record::LostSamples { .. }
                | Record::Throttled => {}
            }
        }
        changes
    }

    fn concern(&self, sample: &Sample) -> bool {
        self.processes.contains(&sample.pid)
            // Whose it is the last exit before it tells.
            || sample.pid == Sample::EXITED
            || self.kernel && sample.mode == CpuMode::Kernel
    }
}

impl Profile {
    /// Takes in what happened after all earlier batches.
    pub fn apply(&mut self, batch: &Batch) {
        if batch.records.is_empty() {
            return batch.samples.iter().for_each(|sample| self.sample(sample));
        }
        let changes = Changes::of(&batch.records);
        let mut in_order = std::mem::take(&mut self.in_order);
        for sample in &batch.samples {
            match changes.concern(sample) {
                true => in_order.push(*sample),
                false => self.sample(sample),
            }
        }
        // Stable, and quick on what consists of a few ordered runs.
        in_order.sort_by_key(|sample| sample.time);
        let mut samples = in_order.as_slice();
        for record in &batch.records {
            let before = samples.partition_point(|sample| sample.time < record.time);
            let (earlier, later) = samples.split_at(before);
            earlier.iter().for_each(|sample| self.sample(sample));
            samples = later;
            self.record(record);
        }
        samples.iter().for_each(|sample| self.sample(sample));
        in_order.clear();
        self.in_order = in_order;
    }
}
