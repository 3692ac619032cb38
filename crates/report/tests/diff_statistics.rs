//! The statistics of comparisons, held against recordings made up by chance: how often is chance taken for a change,
//! how often is a change found, and how often is it within its interval?

mod recordings;

use oprof_profile::{NameStyle, Recording};
use oprof_report::{Diff, DiffBy, DiffRun, DiffSettings, Normalise};
use recordings::{Builder, cpu_clock};

/// Random numbers, the same in each run of the tests (xorshift64*; Vigna 2016).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A value of the gamma distribution of mean 1 and this coefficient of variation (Marsaglia and Tsang 2000).
    fn gamma(&mut self, variation: f64) -> f64 {
        if variation == 0.0 {
            return 1.0;
        }
        let shape = 1.0 / (variation * variation);
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.uniform()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v / shape;
            }
        }
    }

    fn poisson(&mut self, mean: f64) -> u64 {
        // Sums of Poisson values are one: of a large mean as many parts as keep the exponential away from zero.
        let parts = (mean / 50.0).ceil().max(1.0) as u64;
        let limit = (-mean / parts as f64).exp();
        (0..parts)
            .map(|_| {
                let (mut product, mut number) = (self.uniform(), 0);
                while product > limit {
                    product *= self.uniform();
                    number += 1;
                }
                number
            })
            .sum()
    }
}

/// How recordings are made up.
#[derive(Clone, Copy, Debug)]
struct Setting {
    /// Recordings before and after.
    runs: [usize; 2],
    /// Samples of a recording, on average.
    samples: f64,
    /// Rows; the share of the n-th is proportional to 1/n.
    rows: usize,
    /// How much a row differs from run to run, beside counting: its coefficient of variation.
    variation: f64,
    /// Every third row does so four times as much.
    uneven: bool,
    /// How much all rows of a run differ together.
    common: f64,
    normalise: Normalise,
}

/// What only counting makes differ.
const COUNTING: Setting = Setting {
    runs: [1, 1],
    samples: 5000.0,
    rows: 60,
    variation: 0.0,
    uneven: false,
    common: 0.0,
    normalise: Normalise::Total,
};

impl Setting {
    /// The expected samples of each row.
    fn means(&self) -> Vec<f64> {
        let sum: f64 = (1..=self.rows).map(|row| 1.0 / row as f64).sum();
        (1..=self.rows).map(|row| self.samples / row as f64 / sum).collect()
    }

    fn record(&self, means: &[f64], random: &mut Random) -> Recording {
        let mut builder = Builder::new([cpu_clock()]);
        let common = random.gamma(self.common);
        for (index, mean) in means.iter().enumerate() {
            let more = if self.uneven && index % 3 == 2 { 4.0 } else { 1.0 };
            let factor = common * random.gamma(self.variation * more);
            let samples = random.poisson(mean * factor);
            if samples > 0 {
                builder.symbol("/bin/p", "/bin/p", &format!("f{index}"), samples);
            }
        }
        builder.recording
    }

    fn compare(&self, before: &[f64], after: &[f64], random: &mut Random) -> Diff {
        let mut side = |means: &[f64], runs: usize| -> Vec<DiffRun> {
            let run = |recording| DiffRun::new("run", &recording, DiffBy::Symbol, NameStyle::default());
            (0..runs).map(|_| run(self.record(means, random))).collect()
        };
        let (before, after) = (side(before, self.runs[0]), side(after, self.runs[1]));
        let settings =
            DiffSettings { normalise: self.normalise, fail_above: Some(10.0), ..DiffSettings::default() };
        Diff::new(&before, &after, &settings).expect("a comparison")
    }
}

/// What became of so many comparisons.
#[derive(Debug, Default)]
struct Outcome {
    rounds: u32,
    /// Comparisons with a row that was found.
    with_finds: u32,
    /// Comparisons whose total was found to have changed.
    totals: u32,
    /// Comparisons that something failed.
    failed: u32,
    /// Rows with enough samples to say something.
    rows: u32,
    /// Of these, with a chance below the level.
    unlikely: u32,
    /// Of these, with the true change within the interval.
    covered: u32,
}

impl Outcome {
    /// Compares so many times what is expected to have these samples.
    fn of(setting: &Setting, before: &[f64], after: &[f64], rounds: u32) -> Outcome {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut outcome = Outcome { rounds, ..Outcome::default() };
        let (sum_before, sum_after) = (before.iter().sum::<f64>(), after.iter().sum::<f64>());
        for _ in 0..rounds {
            let diff = setting.compare(before, after, &mut random);
            outcome.with_finds += u32::from(diff.significant().next().is_some());
            outcome.totals += u32::from(diff.total.significant);
            outcome.failed += u32::from(!diff.regressions.is_empty());
            for row in diff.rows.iter().filter(|row| row.samples_before + row.samples_after >= 10) {
                let (low, high) = row.change.interval;
                assert_eq!(
                    row.change.chance <= 0.05,
                    low > 0.0 || high < 0.0,
                    "interval and chance: {row:?}"
                );
                assert!(!row.change.significant || row.change.chance <= 0.05, "{row:?}");
                let index: usize = row.name()[1..].parse().expect("a number");
                let before = before.get(index).copied().unwrap_or(0.0);
                let truth = match setting.normalise {
                    Normalise::Total => after[index] / sum_after - before / sum_before,
                    _ => (after[index] - before) * 1e6,
                };
                outcome.rows += 1;
                outcome.unlikely += u32::from(row.change.chance <= 0.05);
                outcome.covered += u32::from((low..=high).contains(&truth));
            }
        }
        outcome
    }
}

/// The share is at most `most`, but for what three standard errors explain.
#[track_caller]
fn assert_at_most(part: u32, whole: u32, most: f64, what: &str) {
    let error = (most * (1.0 - most) / f64::from(whole)).sqrt();
    let share = f64::from(part) / f64::from(whole);
    assert!(share <= most + 3.0 * error, "{what}: {share:.4} of {whole}, at most {most} was promised");
}

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for normalise in [Normalise::Total, Normalise::Run] {
        // How runs differ cannot be told from one of them.
        for samples in [300.0, 5000.0] {
            settings.push(Setting { samples, normalise, ..COUNTING });
        }
        for runs in [[2, 2], [3, 3], [5, 5], [1, 3]] {
            for (samples, variation, uneven) in
                [(500.0, 0.0, false), (5000.0, 0.1, false), (5000.0, 0.05, true), (50_000.0, 0.05, false)]
            {
                settings.push(Setting { runs, samples, variation, uneven, normalise, ..COUNTING });
            }
        }
        settings.push(Setting { runs: [3, 3], rows: 6, variation: 0.1, normalise, ..COUNTING });
    }
    settings.push(Setting { runs: [3, 3], common: 0.1, normalise: Normalise::Run, ..COUNTING });
    settings
}

#[test]
fn chance_is_seldom_taken_for_a_change() {
    const ROUNDS: u32 = 40;
    let mut all = Outcome::default();
    for setting in settings() {
        let means = setting.means();
        let outcome = Outcome::of(&setting, &means, &means, ROUNDS);
        let what = format!("{setting:?}");
        assert_at_most(outcome.with_finds, ROUNDS, 0.05, &what);
        assert_at_most(outcome.totals, ROUNDS, 0.05, &what);
        assert_at_most(outcome.failed, ROUNDS, 0.05, &what);
        // Rows of a run may vary together, and the rounds are few: what is promised of each is held by all.
        assert!(f64::from(outcome.unlikely) <= 0.08 * f64::from(outcome.rows), "{what}: {outcome:?}");
        all.rounds += outcome.rounds;
        all.with_finds += outcome.with_finds;
        all.failed += outcome.failed;
        all.rows += outcome.rows;
        all.unlikely += outcome.unlikely;
    }
    assert_at_most(all.with_finds, all.rounds, 0.05, "comparisons with a false find");
    assert_at_most(all.failed, all.rounds, 0.05, "comparisons that fail without a cause");
    assert_at_most(all.unlikely, all.rows, 0.05, "rows below the level");
}

#[test]
fn changes_are_within_their_intervals() {
    let mut rows = 0;
    let mut missed = 0;
    for setting in settings() {
        let before = setting.means();
        let mut after = before.clone();
        after.iter_mut().enumerate().for_each(|(index, mean)| *mean *= [1.0, 1.6, 0.5, 1.0, 1.2][index % 5]);
        let outcome = Outcome::of(&setting, &before, &after, 25);
        let outside = outcome.rows - outcome.covered;
        // Rows of a run may vary together, and the rounds are few: what is promised of each is held by all.
        assert_at_most(outside, outcome.rows, 0.07, &format!("{setting:?}"));
        rows += outcome.rows;
        missed += outside;
    }
    assert_at_most(missed, rows, 0.05, "changes outside of their intervals");
}

/// How often a row's change is found.
fn found(setting: &Setting, change: impl Fn(&mut Vec<f64>), row: &str, rounds: u32) -> f64 {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let before = setting.means();
    let mut after = before.clone();
    change(&mut after);
    let finds = (0..rounds).filter(|_| {
        let diff = setting.compare(&before, &after, &mut random);
        diff.significant().any(|found| found.name() == row)
    });
    finds.count() as f64 / f64::from(rounds)
}

#[test]
fn changes_are_found() {
    for normalise in [Normalise::Total, Normalise::Run] {
        // Of 5,000 samples the tenth row has 107.
        let of = |runs, variation| Setting { runs, variation, normalise, ..COUNTING };
        let doubled = |means: &mut Vec<f64>| means[9] *= 2.0;
        for (setting, least) in [
            (of([1, 1], 0.0), 0.95),
            (of([2, 2], 0.05), 0.95),
            (of([3, 3], 0.1), 0.95),
            (of([5, 5], 0.2), 0.8),
        ] {
            let share = found(&setting, doubled, "f9", 40);
            assert!(share >= least, "{setting:?}: a row that doubled is found in {share} of the comparisons");
        }
        let fresh = |means: &mut Vec<f64>| means.push(means.iter().sum::<f64>() * 0.06);
        for (setting, least) in [
            (of([2, 2], 0.1), 0.95),
            (of([3, 3], 0.1), 0.95),
            (of([3, 3], 0.2), 0.9),
            (Setting { samples: 1000.0, ..of([2, 2], 0.0) }, 0.9),
        ] {
            let share = found(&setting, fresh, "f60", 40);
            assert!(share >= least, "{setting:?}: a new row of 6 % is found in {share} of the comparisons");
        }
    }
}

/// A regression is told from what is within the limit, from what got cheaper elsewhere, and from chance.
#[test]
fn regressions_are_growth_beyond_the_limit() {
    let setting = Setting { runs: [3, 3], variation: 0.02, ..COUNTING };
    let before = setting.means();
    let failed = |change: &dyn Fn(&mut Vec<f64>)| {
        let mut after = before.clone();
        change(&mut after);
        Outcome::of(&setting, &before, &after, 40).failed
    };
    assert!(failed(&|means| means[1] *= 1.5) >= 38, "what costs half as much more is a regression");
    assert!(failed(&|means| means.push(200.0)) >= 38, "what is new is a regression");
    assert!(failed(&|means| means[1] *= 1.08) <= 4, "growth within the limit is none");
    assert!(failed(&|means| means[0] *= 0.3) <= 4, "a larger share of a smaller total is none");
    assert!(failed(&|means| means.iter_mut().for_each(|mean| *mean *= 0.5)) <= 4, "half the work is none");
    // Each row is too small to tell, and the total is not.
    assert!(failed(&|means| means.iter_mut().for_each(|mean| *mean *= 1.3)) >= 38, "a total is one, too");
}
