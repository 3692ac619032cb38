//! Counts made fit to be printed: the values of one run or of several, and what they say together.

mod process;
mod ratio;
mod spread;

use oprof_profile::{CountedEvent, CountedInterval, CountedProcess, CountedRun, CpuTime, EventCount};

pub use process::{ProcessCount, StatProcess};
pub use ratio::Ratio;
pub use spread::Spread;

/// Counts of one run, of several, or of a stretch of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stat {
    /// How many runs there were.
    pub runs: usize,
    /// How long they were, in nanoseconds.
    pub wall_time: Spread,
    /// The CPU time in user code and in the kernel, in nanoseconds, where the command has ended in every run.
    pub cpu_time: Option<(Spread, Spread)>,
    /// For each event, in their order.
    pub rows: Vec<StatRow>,
    /// The processes, where each was counted, the costliest first.
    pub processes: Vec<StatProcess>,
    /// Records of processes that were lost.
    pub lost_records: u64,
}

/// What is known of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct StatRow {
    /// The event.
    pub event: CountedEvent,
    /// How often it happened; scaled where it was counted in turns, `None` where it was never counted.
    pub count: Option<Spread>,
    /// What was counted in all runs together.
    pub sum: EventCount,
    /// What it says together with other events or the time.
    pub ratios: Vec<Ratio>,
}

impl Stat {
    /// Of one or several runs.
    pub fn of_runs(events: &[CountedEvent], runs: &[CountedRun]) -> Stat {
        let measures: Vec<_> = runs.iter().map(|run| (run.counts.as_slice(), run.wall_time)).collect();
        let mut stat = Stat::new(events, &measures);
        let cpu_times: Vec<CpuTime> = runs.iter().filter_map(|run| run.cpu_time).collect();
        if cpu_times.len() == runs.len() {
            let spread = |part: fn(&CpuTime) -> u64| {
                Spread::of(&cpu_times.iter().map(|time| part(time) as f64).collect::<Vec<_>>())
            };
            stat.cpu_time = spread(|time| time.user).zip(spread(|time| time.system));
        }
        if let [run] = runs {
            stat.processes = process::processes(&run.processes, &run.counts);
            stat.lost_records = run.lost_records;
        }
        stat
    }

    /// Of a stretch of time.
    pub fn of_interval(events: &[CountedEvent], interval: &CountedInterval) -> Stat {
        Stat::new(events, &[(&interval.counts, interval.duration)])
    }

    fn new(events: &[CountedEvent], measures: &[(&[EventCount], u64)]) -> Stat {
        let wall_times: Vec<f64> = measures.iter().map(|(_, time)| *time as f64).collect();
        let wall_time = Spread::of(&wall_times).unwrap_or_default();
        let mut rows: Vec<StatRow> = events
            .iter()
            .enumerate()
            .map(|(index, event)| {
                let counts = || measures.iter().filter_map(|(counts, _)| counts.get(index));
                let scaled: Vec<f64> =
                    counts().filter_map(EventCount::scaled).map(|count| count as f64).collect();
                StatRow {
                    event: event.clone(),
                    count: Spread::of(&scaled),
                    sum: counts().fold(EventCount::default(), |sum, count| sum.plus(count)),
                    ratios: Vec::new(),
                }
            })
            .collect();
        let ratios = ratio::ratios(&rows, wall_time.mean);
        for (row, ratios) in rows.iter_mut().zip(ratios) {
            row.ratios = ratios;
        }
        Stat { runs: measures.len(), wall_time, rows, ..Stat::default() }
    }

    /// Some events were counted in turns.
    pub fn is_multiplexed(&self) -> bool {
        self.rows.iter().any(|row| !row.sum.is_complete())
    }

    /// What the processes without a count of their own have counted together, for each event; `None` where every one
    /// has its own and nothing is left.
    pub fn rest(&self) -> Option<(u64, Vec<u64>)> {
        let unknown = self.processes.iter().filter(|process| process.counts.is_empty()).count() as u64;
        let rest: Vec<u64> = self
            .rows
            .iter()
            .enumerate()
            .map(|(event, row)| {
                let told = self.processes.iter().filter_map(|process| process.counts.get(event));
                let told = told.fold(0_u64, |sum, count| sum.saturating_add(count.raw));
                row.sum.value.saturating_sub(told)
            })
            .collect();
        (!self.processes.is_empty() && (unknown > 0 || rest.iter().any(|rest| *rest > 0)))
            .then_some((unknown, rest))
    }
}

/// The command line of a process as a shell would read it.
pub(crate) fn command_of(process: &CountedProcess) -> String {
    crate::command_line::command_line(&process.process)
}

#[cfg(test)]
mod tests;
