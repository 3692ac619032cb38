//! For how long samples were taken.

use oprof_profile::Timestamp;

use crate::clock::now;
use crate::idle_time;

/// For how long samples were taken, where that can be switched off and on.
#[derive(Debug, Default)]
pub(super) struct SampledTime {
    /// The CPUs whose idle time is of interest.
    cpus: Vec<u32>,
    /// Since when they are taken, and how long the CPUs had been idle by then.
    since: Option<(Timestamp, Option<u64>)>,
    /// In nanoseconds, of what has ended.
    sampled: u64,
    idle: u64,
}

impl SampledTime {
    /// Of these CPUs it is of interest how long they were idle.
    pub(super) fn with_idle_time(cpus: Vec<u32>) -> SampledTime {
        SampledTime { cpus, ..SampledTime::default() }
    }

    /// From now on samples are taken, or none are.
    pub(super) fn switch(&mut self, on: bool) {
        let idle = || if self.cpus.is_empty() { None } else { idle_time::of_cpus(&self.cpus) };
        match (on, self.since) {
            (true, None) => self.since = Some((now(), idle())),
            (false, Some((since, idle_before))) => {
                self.sampled += now().0.saturating_sub(since.0);
                let idle = idle().zip(idle_before).map_or(0, |(now, before)| now.saturating_sub(before));
                self.idle += idle;
                self.since = None;
            }
            _ => {}
        }
    }

    /// In nanoseconds, once it was switched off.
    pub(super) fn sampled(&self) -> u64 {
        self.sampled
    }

    /// How long the CPUs were idle meanwhile, in nanoseconds, summed.
    pub(super) fn idle(&self) -> u64 {
        self.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_the_time_between_on_and_off_counts() {
        let mut time = SampledTime::with_idle_time(vec![0]);
        time.switch(false);
        time.switch(true);
        time.switch(true);
        std::thread::sleep(Duration::from_millis(30));
        time.switch(false);
        let sampled = time.sampled();
        assert!(sampled >= 30_000_000, "{sampled}");
        std::thread::sleep(Duration::from_millis(30));
        time.switch(false);
        assert_eq!(time.sampled(), sampled);
        // Idle time comes in ticks of a hundredth of a second.
        assert!(time.idle() <= sampled + 20_000_000);
    }
}
