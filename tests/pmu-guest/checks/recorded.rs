//! A recording that a check has made.

use oprof_profile::{EventCoverage, ImageKind, Recording};

use crate::harness::{Finished, Place};
use crate::workload::SHARES;

/// Shares may be off by so many sampling errors: of 20,000 that are sound, one is.
const MOST_ERRORS: f64 = 4.0;

/// A recording and what oprof said while making it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) recording: Recording,
    pub(crate) stderr: String,
}

/// Records work of `workload.rs`; options and words are split at blanks.
#[track_caller]
pub(crate) fn record(options: &str, work: &str) -> Recorded {
    record_in(&Place::new(), options, work)
}

/// The same in a place that the caller has.
#[track_caller]
pub(crate) fn record_in(place: &Place, options: &str, work: &str) -> Recorded {
    let program = workload(place);
    let command: Vec<&str> =
        [program.as_str(), "workload"].into_iter().chain(work.split_whitespace()).collect();
    read(place, options, place.record_these(options, &command))
}

/// Records a shell's script, in which `$0` is the workload.
#[track_caller]
pub(crate) fn record_script(options: &str, script: &str) -> Recorded {
    let place = Place::new();
    let program = workload(&place);
    read(&place, options, place.record_these(options, &["sh", "-c", script, &program]))
}

/// The path of the workload, where every user may execute it.
fn workload(place: &Place) -> String {
    let program = place.path("workload");
    std::fs::copy(std::env::current_exe().expect("a path"), &program).expect("a copy of the workload");
    program.to_str().expect("a path in UTF-8").to_owned()
}

#[track_caller]
fn read(place: &Place, options: &str, finished: Finished) -> Recorded {
    let finished = finished.with_status(0);
    let recording = Recording::open(&place.path("oprof.data")).expect("the recording can be read");
    assert_eq!(recording.damage, None, "{options}");
    Recorded { recording, stderr: finished.stderr }
}

impl Recorded {
    /// What is known of the event at this position of the options.
    pub(crate) fn coverage(&self, event: usize) -> &EventCoverage {
        &self.recording.coverage.events[event]
    }

    /// The samples of an event that are so counted on.
    fn samples_where(&self, event: usize, is: impl Fn(&oprof_profile::Key) -> bool) -> u64 {
        let counts = self.recording.counts.iter();
        counts
            .filter(|(key, _)| usize::from(key.event.0) == event && is(key))
            .map(|(_, count)| count.samples)
            .sum()
    }

    /// The samples of an event in a function of the workload.
    pub(crate) fn samples_in(&self, event: usize, function: &str) -> u64 {
        self.samples_where(event, |key| self.is_in(key, function))
    }

    /// How many events the samples in a function of the workload stand for.
    pub(crate) fn events_in(&self, event: usize, function: &str) -> u64 {
        let counts = self.recording.counts.iter();
        let of_function =
            counts.filter(|(key, _)| usize::from(key.event.0) == event && self.is_in(key, function));
        of_function.map(|(_, count)| count.weight).sum()
    }

    fn is_in(&self, key: &oprof_profile::Key, function: &str) -> bool {
        let symbol = self.recording.lookup(key.image, key.offset).ok();
        let names = self.recording.image_names(key.image);
        let symbol = symbol.and_then(|id| names?.symbol(id));
        symbol.is_some_and(|symbol| symbol.name.ends_with(&format!("::{function}")))
    }

    /// The samples of an event in the kernel and its modules.
    pub(crate) fn samples_in_kernel(&self, event: usize) -> u64 {
        self.samples_where(event, |key| {
            let kind = self.recording.image(key.image).map(|image| image.kind);
            matches!(kind, Some(ImageKind::Kernel | ImageKind::KernelModule))
        })
    }

    /// The samples of an event on a CPU.
    pub(crate) fn samples_on(&self, event: usize, cpu: u16) -> u64 {
        self.samples_where(event, |key| key.cpu == cpu)
    }

    /// The functions of `shares` have the shares that the program gives them, within the sampling error; in words.
    #[track_caller]
    pub(crate) fn assert_shares(&self, event: usize) -> String {
        let samples = SHARES.map(|(name, _)| self.samples_in(event, name));
        let all: u64 = samples.iter().sum();
        assert!(all >= 100, "{all} samples are too few to tell: {}", self.stderr);
        let mut worst = 0.0_f64;
        for ((name, expected), samples) in SHARES.into_iter().zip(samples) {
            let share = samples as f64 / all as f64;
            let error = f64::sqrt(expected * (1.0 - expected) / all as f64);
            let off = (share - expected).abs() / error;
            assert!(
                off <= MOST_ERRORS,
                "{name} has {share:.4}, {off:.1} sampling errors off, of {all} samples"
            );
            worst = worst.max(off);
        }
        let [sixty, thirty, ten] = samples.map(|samples| 100.0 * samples as f64 / all as f64);
        format!("shares {sixty:.1}, {thirty:.1}, {ten:.1} % ({worst:.1} sampling errors)")
    }

    /// The event's exact total is about this; in words.
    #[track_caller]
    pub(crate) fn assert_total(&self, event: usize, expected: f64, tolerance: f64) -> String {
        let counted = self.coverage(event).counted.expect("the total is known");
        let ratio = counted as f64 / expected;
        assert!((ratio - 1.0).abs() <= tolerance, "{counted} were counted and {expected:.0} expected");
        format!("total {:.2} % of the program's {:.3e}", 100.0 * ratio, expected)
    }

    /// The samples stand for at least this part of the exact total, and not for more than all; in words.
    #[track_caller]
    pub(crate) fn assert_covered(&self, event: usize, least: f64) -> String {
        let coverage = self.coverage(event);
        let covered = coverage.covered().expect("the total is known");
        assert!((least..1.01).contains(&covered), "{covered:.4} are covered: {}", self.stderr);
        format!("{} samples cover {:.1} %", coverage.samples, 100.0 * covered)
    }

    /// The line of coverage that tells of the event, where there are several.
    pub(crate) fn coverage_line(&self, event: usize) -> &str {
        let mut lines = self.stderr.lines().filter_map(|line| line.strip_prefix("oprof: coverage: "));
        lines.nth(event).unwrap_or_else(|| panic!("no line for event {event}: {}", self.stderr))
    }

    /// Nothing was lost and nothing held back.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        let coverage = &self.recording.coverage;
        let losses = (coverage.lost_records, coverage.lost_samples, coverage.throttled);
        assert_eq!(losses, (0, 0, 0), "lost records, lost samples, throttled: {}", self.stderr);
        assert!(!self.stderr.contains("(multiplexed"), "{}", self.stderr);
    }
}
