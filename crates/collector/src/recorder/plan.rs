//! What is to be recorded.

use std::ffi::OsString;
use std::time::Duration;

use oprof_events::EventConfig;
use oprof_profile::{Clock, Target};

use crate::attribute::SamplingChoice;
use crate::command_user::CommandUser;
use crate::held_images::BuildIdReader;
use crate::scope::ScopeChoice;

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct RecordingPlan {
    /// Whose events.
    pub target: Target,
    /// The command and its arguments: recording ends with it. Empty for none, where the target is something else.
    pub command: Vec<OsString>,
    /// The user as whom the command runs; the recorder's own for `None`.
    pub user: Option<CommandUser>,
    /// The events.
    pub events: Vec<EventConfig>,
    /// How often to sample those whose own text does not say.
    pub sampling: SamplingChoice,
    /// How to follow the command, or the processes.
    pub scope: ScopeChoice,
    /// When to take the first sample.
    pub first_sample: FirstSample,
    /// Sampling may be switched off and on while recording goes on.
    pub switches: bool,
    /// The kernel's code is one image without names.
    pub hides_kernel: bool,
    /// The samples of each thread are kept apart.
    pub separates_threads: bool,
    /// The clock of all times.
    pub clock: Clock,
    /// After this time recording ends: the command is told to.
    pub duration: Option<Duration>,
    /// Ring buffer for samples, in bytes per CPU, rounded up to a power of two; `None`: as suits the privilege.
    pub buffer: Option<usize>,
    /// Reads build ids, to tell whether a file is the one that was mapped.
    pub build_id_of: BuildIdReader,
}

impl RecordingPlan {
    /// There may be times without samples.
    pub(crate) fn is_switched(&self) -> bool {
        self.switches || self.first_sample != FirstSample::Now
    }
}

/// When to take the first sample. What processes do is followed from the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstSample {
    /// At once.
    #[default]
    Now,
    /// After this time.
    After(Duration),
    /// When the controller says so: [`Order::Enable`](crate::Order::Enable).
    WhenTold,
}
