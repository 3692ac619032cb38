//! Comparisons: what changed from one side's recordings to the other's.

use std::sync::Arc;

use oprof_profile::Event;

use super::doubts::doubts;
use super::event::{self, NoEvent};
use super::exposure::RunOfEvent;
use super::pairing::{Pair, pairs};
use super::regression::{Regression, regressions};
use super::row::{DiffChange, DiffRow, State};
use super::run::{DiffRun, RunRow};
use super::settings::{DiffSettings, DiffSort, Normalise};
use super::statistics::{Counted, Family, Level, Measure, Moderated, Spread, adjusted, estimate};

/// What changed from one side's recordings to the other's.
#[derive(Clone, Debug)]
pub struct Diff {
    /// What was chosen.
    pub settings: DiffSettings,
    /// The event that is compared.
    pub event: Event,
    /// Other events that all recordings have.
    pub other_events: Vec<String>,
    /// The two sides.
    pub sides: [DiffSide; 2],
    /// Events in each run; by time in each second.
    pub total: DiffChange,
    /// All rows that reach the threshold, those that are significant first.
    pub rows: Vec<DiffRow>,
    /// How many rows are below the threshold.
    pub below_threshold: u64,
    /// What grew by more than is allowed; none where nothing was said of that.
    pub regressions: Vec<Regression>,
    /// Why the comparison may be less sure than it seems, a sentence each.
    pub doubts: Vec<String>,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffSide {
    /// The names of its recordings.
    pub recordings: Vec<String>,
    /// The command of the first.
    pub command: Vec<String>,
    /// Samples of the event, of all recordings.
    pub samples: u64,
    /// For how long samples were taken in all recordings, in seconds.
    pub seconds: f64,
}

/// Why two sides cannot be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum NoComparison {
    /// There is no event to compare.
    NoEvent(NoEvent),
    /// The recording of this name does not tell how long it took.
    NoTime(String),
    /// A side has no sample of the event: its recordings.
    NoSamples(String),
    /// Rows of lines are asked for, and no recording knows any.
    NoLines,
}

impl std::fmt::Display for NoComparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoComparison::NoEvent(no_event) => no_event.fmt(f),
            NoComparison::NoTime(name) => {
                write!(f, "{name}: it is not known how long it took; use --normalise total or run")
            }
            NoComparison::NoSamples(names) => {
                write!(f, "{names}: no sample of the event that is compared; record for longer, or choose another with --event")
            }
            NoComparison::NoLines => {
                f.write_str("no source lines are known: build with debugging information (-g) and record again, or use --by symbol")
            }
        }
    }
}

impl std::error::Error for NoComparison {}

/// The runs of both sides, those before first.
#[derive(Clone, Debug)]
pub(crate) struct Runs<'a> {
    pub(crate) all: Vec<RunOfEvent<'a>>,
    pub(crate) before: usize,
}

impl Runs<'_> {
    pub(crate) fn sides(&self) -> [&[RunOfEvent<'_>]; 2] {
        let (before, after) = self.all.split_at(self.before);
        [before, after]
    }

    /// What the runs counted of a row on each side: each with its exposure.
    fn counted(&self, pair: &Pair<'_>, exposures: &[f64]) -> [Vec<(f64, f64)>; 2] {
        let mut both: Vec<(f64, f64)> = self
            .all
            .iter()
            .zip(&pair.counts)
            .zip(exposures)
            .map(|((run, count), exposure)| (run.count(*count), *exposure))
            .collect();
        let after = both.split_off(self.before);
        [both, after]
    }

    /// How much less sure a row is than the size of its counts says.
    fn excess(&self, pair: &Pair<'_>) -> f64 {
        self.all.iter().zip(&pair.counts).map(|(run, count)| run.excess(*count)).fold(1.0, f64::max)
    }
}

/// A row's numbers, ready to be tested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tested {
    pub(crate) before: Counted,
    pub(crate) after: Counted,
    pub(crate) moderated: Moderated,
}

/// The numbers of all rows under a normalisation.
pub(crate) fn tested(runs: &Runs<'_>, pairs: &[Pair<'_>], normalise: Normalise) -> Vec<Tested> {
    let exposures: Vec<f64> = runs.all.iter().map(|run| run.exposure(normalise)).collect();
    let is_share = normalise == Normalise::Total;
    let counted: Vec<[Vec<(f64, f64)>; 2]> =
        pairs.iter().map(|pair| runs.counted(pair, &exposures)).collect();
    let spreads: Vec<Spread> =
        counted.iter().map(|sides| Spread::of(sides.iter().map(Vec::as_slice), is_share)).collect();
    let family = Family::of(&spreads);
    let rows = pairs.iter().zip(counted.iter().zip(spreads));
    rows.map(|(pair, (sides, spread))| {
        let mut moderated = family.map_or_else(|| spread.alone(), |family| family.moderate(spread));
        moderated.dispersion = moderated.dispersion.max(runs.excess(pair));
        let [before, after] = sides.each_ref().map(|side| pooled(side));
        Tested { before, after, moderated }
    })
    .collect()
}

/// The numbers of the total.
pub(crate) fn tested_total(runs: &Runs<'_>, normalise: Normalise) -> Tested {
    let of_side = |side: &[RunOfEvent<'_>]| -> Vec<(f64, f64)> {
        side.iter().map(|run| (run.sum.samples as f64, run.exposure(normalise))).collect()
    };
    let sides = runs.sides().map(of_side);
    let moderated = Spread::of(sides.iter().map(Vec::as_slice), false).alone();
    let [before, after] = sides.each_ref().map(|side| pooled(side));
    Tested { before, after, moderated }
}

fn pooled(side: &[(f64, f64)]) -> Counted {
    side.iter().fold(Counted::default(), |sum, (count, exposure)| Counted {
        count: sum.count + count,
        of: sum.of + exposure,
    })
}

impl Diff {
    /// Compares the runs before with those after.
    ///
    /// # Errors
    /// Where no event is on both sides, or what is asked for is not known.
    pub fn new(before: &[DiffRun], after: &[DiffRun], settings: &DiffSettings) -> Result<Diff, NoComparison> {
        let chosen =
            event::choose(before, after, settings.event.as_deref()).map_err(NoComparison::NoEvent)?;
        let all = before.iter().chain(after).zip(&chosen.of_run);
        let runs = Runs {
            all: all.map(|(run, event)| RunOfEvent::new(run, *event)).collect(),
            before: before.len(),
        };
        check(&runs, settings)?;
        let rows: Vec<(&[RunRow], usize)> =
            runs.all.iter().map(|run| (run.run.rows.as_slice(), run.event)).collect();
        let mut pairs = pairs(&rows, runs.before);
        if settings.by == super::DiffBy::Line && !pairs.iter().any(has_line) {
            return Err(NoComparison::NoLines);
        }
        let all_rows = pairs.len();
        let sums: Vec<f64> = runs.all.iter().map(|run| run.count(run.sum)).collect();
        pairs.retain(|pair| reaches(pair, &runs, &sums, settings.threshold / 100.0));
        let below_threshold = (all_rows - pairs.len()) as u64;
        let level = Level::new(settings.level);
        let rows = rows_of(&runs, &pairs, settings, &level);
        let of_total = if settings.normalise == Normalise::Time { Normalise::Time } else { Normalise::Run };
        let total = tested_total(&runs, of_total);
        let total = change(Measure::Rate, &total, &level);
        let regressions = match settings.fail_above {
            Some(percent) => regressions(&runs, &pairs, of_total, percent, &level),
            None => Vec::new(),
        };
        let mut diff = Diff {
            settings: settings.clone(),
            event: chosen.event,
            other_events: chosen.others,
            sides: runs.sides().map(side),
            total,
            rows,
            below_threshold,
            regressions,
            doubts: Vec::new(),
        };
        diff.doubts = doubts(&diff, &runs);
        Ok(diff)
    }

    /// The rows that changed more than chance makes them.
    pub fn significant(&self) -> impl Iterator<Item = &DiffRow> {
        self.rows.iter().filter(|row| row.change.significant)
    }

    /// The rows' quantity is a share of all events of their side.
    pub fn is_of_shares(&self) -> bool {
        self.settings.normalise == Normalise::Total
    }
}

fn check(runs: &Runs<'_>, settings: &DiffSettings) -> Result<(), NoComparison> {
    for side in runs.sides() {
        if side.iter().all(|run| run.sum.samples == 0) {
            let names: Vec<&str> = side.iter().map(|run| run.run.name.as_str()).collect();
            return Err(NoComparison::NoSamples(names.join(", ")));
        }
    }
    let timeless = runs.all.iter().find(|run| run.seconds() <= 0.0);
    match timeless {
        Some(run) if settings.normalise == Normalise::Time => Err(NoComparison::NoTime(run.run.name.clone())),
        _ => Ok(()),
    }
}

fn has_line(pair: &Pair<'_>) -> bool {
    pair.before.or(pair.after).is_some_and(|row| row.identity.line.is_some())
}

/// The row's share of all events reaches this on one of the sides.
fn reaches(pair: &Pair<'_>, runs: &Runs<'_>, sums: &[f64], least: f64) -> bool {
    let counts: Vec<f64> = runs.all.iter().zip(&pair.counts).map(|(run, count)| run.count(*count)).collect();
    let share = |range: std::ops::Range<usize>| {
        let all: f64 = sums[range.clone()].iter().sum();
        counts[range].iter().sum::<f64>() >= least * all
    };
    least <= 0.0 || share(0..runs.before) || share(runs.before..counts.len())
}

fn change(measure: Measure, tested: &Tested, level: &Level) -> DiffChange {
    let found = estimate(measure, tested.before, tested.after, tested.moderated, level);
    DiffChange {
        before: tested.before.rate(),
        after: tested.after.rate(),
        interval: found.interval,
        chance: found.chance,
        adjusted: found.chance,
        significant: found.chance <= level.chance(),
    }
}

fn rows_of(runs: &Runs<'_>, pairs: &[Pair<'_>], settings: &DiffSettings, level: &Level) -> Vec<DiffRow> {
    let measure = if settings.normalise == Normalise::Total { Measure::Share } else { Measure::Rate };
    let tested = tested(runs, pairs, settings.normalise);
    let mut changes: Vec<DiffChange> = tested.iter().map(|row| change(measure, row, level)).collect();
    let testable: Vec<usize> = (0..changes.len())
        .filter(|row| super::statistics::is_testable(measure, tested[*row].before, tested[*row].after, level))
        .collect();
    let chances: Vec<f64> = testable.iter().map(|row| changes[*row].chance).collect();
    changes.iter_mut().for_each(|change| (change.adjusted, change.significant) = (1.0, false));
    for (row, adjusted) in testable.into_iter().zip(adjusted(&chances)) {
        changes[row].adjusted = adjusted;
        changes[row].significant = adjusted <= level.chance();
    }
    let mut rows: Vec<DiffRow> =
        pairs.iter().zip(changes).map(|(pair, change)| row(pair, change, runs.before)).collect();
    sort(&mut rows, settings.sort);
    rows
}

fn row(pair: &Pair<'_>, change: DiffChange, runs_before: usize) -> DiffRow {
    let samples = |counts: &[oprof_profile::Count]| counts.iter().map(|count| count.samples).sum();
    let (before, after) = pair.counts.split_at(runs_before);
    let shown = pair.after.or(pair.before);
    let moved_from = pair.before.filter(|_| pair.is_moved()).map(|row| Arc::clone(&row.identity));
    DiffRow {
        identity: shown.map(|row| Arc::clone(&row.identity)).unwrap_or_default(),
        shown: shown.and_then(|row| row.shown.clone()),
        state: match (pair.before, pair.after, change.significant) {
            (Some(_), Some(_), _) if moved_from.is_some() => State::Moved,
            (_, _, false) => State::Unchanged,
            (None, _, _) => State::New,
            (_, None, _) => State::Gone,
            _ => State::Changed,
        },
        moved_from,
        change,
        samples_before: samples(before),
        samples_after: samples(after),
    }
}

/// Sorts the rows, those that are significant first.
fn sort(rows: &mut [DiffRow], by: DiffSort) {
    let relative = |row: &DiffRow| row.change.relative().unwrap_or(f64::INFINITY);
    rows.sort_by(|a, b| {
        let (first, second) = (&a.change, &b.change);
        let order = match by {
            DiffSort::Change => second.change().abs().total_cmp(&first.change().abs()),
            DiffSort::Relative => relative(b).total_cmp(&relative(a)),
            DiffSort::Before => second.before.total_cmp(&first.before),
            DiffSort::After => second.after.total_cmp(&first.after),
            DiffSort::Chance => first.chance.total_cmp(&second.chance),
            DiffSort::Name => a.name().cmp(b.name()),
        };
        let significant = second.significant.cmp(&first.significant);
        significant.then(order).then_with(|| a.identity.cmp(&b.identity))
    });
}

fn side(runs: &[RunOfEvent<'_>]) -> DiffSide {
    DiffSide {
        recordings: runs.iter().map(|run| run.run.name.clone()).collect(),
        command: runs.first().map(|run| run.run.circumstances.run.command.clone()).unwrap_or_default(),
        samples: runs.iter().map(|run| run.sum.samples).sum(),
        seconds: runs.iter().map(RunOfEvent::seconds).sum(),
    }
}
