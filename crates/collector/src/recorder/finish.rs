//! The end of a recording: what is still in the buffers, and what the counters have counted.

use oprof_profile::{Batch, CommandEnd, Scope, Target, TaskTotal};

use super::{Collected, Recorder};
use crate::clock::now;
use crate::counting::counters::Counters;

impl Recorder {
    pub(super) fn finish(mut self, end: CommandEnd) -> Collected {
        self.rings.disable();
        self.totals.iter().for_each(Counters::disable);
        self.sampled_time.switch(false);
        let duration = now().since(self.started);
        self.round();
        let last: &Batch = self.order.finish();
        self.profile.apply(last);
        let coverage = self.profile.coverage_mut();
        coverage.lost_records = coverage.lost_records.saturating_add(self.rings.lost_untold());
        let mut readings = self.rings.readings(self.events.len());
        let left_running = self.profile.processes().iter().filter(|process| process.ended.is_none()).count();
        let totals = self.rings.task_totals();
        if self.rings.tell_each_task() {
            self.profile.complete_totals(self.command, &totals);
        }
        let sums: Option<Vec<u64>> = match &self.totals {
            Some(counters) => Some(counters.read().iter().map(|count| count.value).collect()),
            None => (!totals.is_empty()).then(|| self.sums(&totals)),
        };
        let coverage = self.profile.coverage_mut();
        for (index, sum) in sums.into_iter().flatten().enumerate() {
            let (reading, event) = (&mut readings[index], &mut coverage.events[index]);
            if self.scope == Scope::System {
                // What the rest of the system did is nobody's question, and no measure either: a clock counts while a
                // CPU is idle, and its timer may rest meanwhile.
                (event.outside_samples, event.outside_weight) = (0, 0);
                reading.value = sum;
            } else {
                // While the kernel throttles a sampling counter it stands still; one that only counts goes on.
                reading.value = reading.value.max(sum);
            }
        }
        // What outlives the recording of a system is no surprise.
        coverage.left_running = if self.target == Target::Command { left_running as u64 } else { 0 };
        coverage.idle_time = self.sampled_time.idle();
        coverage.paused_time = match self.switched {
            true => (duration.as_nanos() as u64).saturating_sub(self.sampled_time.sampled()),
            false => 0,
        };
        for (index, (event, reading)) in coverage.events.iter_mut().zip(readings).enumerate() {
            event.counted = Some(match self.is_clock[index] && self.target.is_of_cpus() {
                // A clock goes on while a CPU is idle, of which no samples are taken.
                true => reading.value.saturating_sub(coverage.idle_time),
                false => reading.value,
            });
            // What the software counts never has to share a counter; and in a task the counter of each CPU is enabled
            // while the task runs on another.
            if self.in_hardware[index] && self.scope != Scope::Inherit {
                event.time_enabled = reading.time_enabled;
                event.time_running = reading.time_running;
            } else if self.in_hardware[index] {
                event.time_enabled = reading.time_enabled / self.cpus.len().max(1) as u64;
                event.time_running = reading.time_running.min(event.time_enabled);
            }
        }
        Collected { profile: self.profile, images: self.images, jit_files: self.jit_files, end, duration }
    }

    /// For each event the sum of its totals.
    fn sums(&self, totals: &[TaskTotal]) -> Vec<u64> {
        let mut sums = vec![0_u64; self.events.len()];
        for total in totals {
            let sum = &mut sums[usize::from(total.event.0)];
            *sum = sum.saturating_add(total.value);
        }
        sums
    }
}
