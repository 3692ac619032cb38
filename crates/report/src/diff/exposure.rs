//! Exposures: what the counts of a run are proportional to, so that counts over exposures compare.

use oprof_profile::{Count, EventId};

use super::run::DiffRun;
use super::settings::Normalise;
use crate::class::Class;

/// A run's part in the comparison of one event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunOfEvent<'a> {
    pub(crate) run: &'a DiffRun,
    /// The event's index in the run.
    pub(crate) event: usize,
    weighted: bool,
    /// All samples of the event.
    pub(crate) sum: Count,
    /// Events that a sample stands for, on average.
    period: f64,
}

impl<'a> RunOfEvent<'a> {
    pub(crate) fn new(run: &'a DiffRun, event: usize) -> RunOfEvent<'a> {
        let sum = run.sums.get(event).copied().unwrap_or_default();
        let asked = run.events().get(event);
        let weighted = asked.is_some_and(|event| Class::of(EventId(0), event).weighted);
        let period = match (sum.samples, asked.and_then(crate::class::fixed_count)) {
            (1.., _) if sum.weight > 0 => sum.weight as f64 / sum.samples as f64,
            (_, Some(count)) => count as f64,
            _ => 1.0,
        };
        RunOfEvent { run, event, weighted, sum, period }
    }

    /// What a row counted, in samples: of a counter whose periods the kernel adapts, as many as its events are worth on
    /// average.
    pub(crate) fn count(&self, count: Count) -> f64 {
        if self.weighted { count.weight as f64 / self.period } else { count.samples as f64 }
    }

    /// How much more the count of a row varies than its size says: where its samples stand for more than the average.
    pub(crate) fn excess(&self, count: Count) -> f64 {
        match self.weighted && count.samples > 0 {
            true => (count.weight as f64 / count.samples as f64 / self.period).max(1.0),
            false => 1.0,
        }
    }

    /// The exposure with which counts become shares, events in each second, or events in each run.
    pub(crate) fn exposure(&self, normalise: Normalise) -> f64 {
        let coverage = self.run.circumstances.coverage.events.get(self.event);
        // While other events had its counter, it went on happening.
        let running = coverage.map_or(1.0, |event| event.running()).clamp(1e-6, 1.0);
        match normalise {
            Normalise::Total => self.sum.samples as f64,
            Normalise::Run => running / self.period,
            Normalise::Time => running / self.period * self.seconds(),
        }
    }

    /// For how long samples were taken.
    pub(crate) fn seconds(&self) -> f64 {
        let recording = &self.run.circumstances;
        (recording.duration.as_secs_f64() - recording.coverage.paused_time as f64 / 1e9).max(0.0)
    }
}
