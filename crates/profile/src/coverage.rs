//! How far a recording can be trusted: what was counted against what was sampled.

/// What is known of one event over the whole recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCoverage {
    /// Exact count of the event in the command's processes, or in system scope, where that is not counted, in the whole
    /// system; `None` where it is not known.
    pub counted: Option<u64>,
    /// Samples folded into the profile.
    pub samples: u64,
    /// The counts that those samples stand for (samples times period, summed).
    pub weight: u64,
    /// Samples that belong to no process of the command, in system scope; 0 where `counted` leaves those out.
    pub outside_samples: u64,
    /// The counts that those stand for.
    pub outside_weight: u64,
    /// How long the event's counters were meant to count, in nanoseconds, summed over counters.
    pub time_enabled: u64,
    /// How long they did count, in nanoseconds; less than `time_enabled` where the kernel had to share the
    /// hardware's counters among events.
    pub time_running: u64,
}

impl EventCoverage {
    /// The share of the event's exact total that the samples account for: 1.0 where nothing was missed.
    /// `None` where the exact total is unknown or zero.
    pub fn covered(&self) -> Option<f64> {
        match self.counted {
            Some(counted) if counted > 0 => {
                Some((self.weight as f64 + self.outside_weight as f64) / counted as f64)
            }
            _ => None,
        }
    }

    /// The share of the time in which the event was counted at all: 1.0 without multiplexing.
    pub fn running(&self) -> f64 {
        if self.time_enabled == 0 { 1.0 } else { self.time_running as f64 / self.time_enabled as f64 }
    }
}

/// How far a recording can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// For each event of the recording, in its order.
    pub events: Vec<EventCoverage>,
    /// Records that the kernel could not deliver because a buffer was full (PERF_RECORD_LOST), samples among them.
    pub lost_records: u64,
    /// Samples that the kernel dropped (PERF_RECORD_LOST_SAMPLES).
    pub lost_samples: u64,
    /// How often the kernel held back an event because its interrupts came too fast (PERF_RECORD_THROTTLE).
    pub throttled: u64,
    /// How long CPUs were idle, in nanoseconds, summed over those of the target; 0 where that says nothing of it. What
    /// counts time has no samples then, and its total leaves it out.
    pub idle_time: u64,
    /// For how long no samples were taken, in nanoseconds, as recording was told or meant to; 0 for never.
    pub paused_time: u64,
    /// Processes of the command that were alive when it ended, or had left the scope.
    pub left_running: u64,
    /// Sample files of a session of OProfile's that could not be read, and directories of such.
    pub files_left_out: u64,
}
