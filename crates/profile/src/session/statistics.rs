//! What the recorder says of samples that it lost: a file with a number for each cause, in `samples/NAME/stats/`.

use std::io::Read;
use std::path::Path;

use crate::{Coverage, open_regular};

/// What became of samples, as `stats/` of one session tells (libperf_events of OProfile writes it).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Samples that were taken; 0 where it is not told.
    pub total: u64,
    /// Samples that the kernel could not deliver.
    pub lost_by_kernel: u64,
    /// Samples that the recorder could not place: no mapping, no app, an address out of range, a file that could not be
    /// opened.
    pub lost_by_recorder: u64,
    /// Events that the kernel held back because their interrupts came too fast.
    pub throttled: u64,
}

/// Causes for which a sample is lost. `lost_no_mapping` counts frames of call chains, too (see [`Statistics::read`]).
const LOST: [&str; 7] = [
    "lost_invalid_domain",
    "lost_kernel",
    "lost_samplefile",
    "lost_no_mapping",
    "lost_no_app_for_kernel_sample",
    "lost_no_app_for_user_sample",
    "lost_invalid_hypervisor_addr",
];

impl Statistics {
    /// Reads the statistics of the session whose sample files are in `samples`. What is not there is 0.
    pub fn read(samples: &Path) -> Statistics {
        let stats = samples.join("stats");
        let number = |name: &str| number(&stats.join(name)).unwrap_or(0);
        // A frame of a call chain without a mapping counts as a lost sample and as a frame.
        let frames = number("lost_bt_no_mapping");
        let lost = LOST.iter().fold(0_u64, |sum, name| sum.saturating_add(number(name)));
        let throttled = stats.join("throttled").read_dir().map_or(0, |entries| entries.take(1000).count());
        Statistics {
            total: number("total_samples"),
            lost_by_kernel: number("lost_records_by_kernel"),
            lost_by_recorder: lost.saturating_sub(frames.min(number("lost_no_mapping"))),
            throttled: throttled as u64,
        }
    }

    /// Tells a recording's coverage of them.
    pub fn add_to(&self, coverage: &mut Coverage) {
        coverage.lost_records = coverage.lost_records.saturating_add(self.lost_by_kernel);
        coverage.lost_samples = coverage.lost_samples.saturating_add(self.lost_by_recorder);
        coverage.throttled = coverage.throttled.saturating_add(self.throttled);
    }
}

fn number(path: &Path) -> Option<u64> {
    let mut text = String::new();
    open_regular(path)?.take(64).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
