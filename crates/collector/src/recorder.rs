//! The recorder: prepares a command or looks at what runs already, and folds what the kernel reports until the end.

mod finish;
mod fork_storm;
mod plan;
mod prepare;
mod progress;
mod record;
mod sampled_time;
mod task_record;

use std::time::{Duration, Instant};

use oprof_profile::{Event, Profile, Scope, Target, Timestamp};

use crate::buffer_sizes::BufferSizes;
use crate::cgroup::{Cgroup, ExistingCgroup};
use crate::command::{Running, Waiting};
use crate::control::{Controller, Orders};
use crate::counting::counters::Counters;
use crate::descriptions::Descriptions;
use crate::held_images::{BuildIdReader, HeldImages};
use crate::jit_files::JitFiles;
use crate::rings::Rings;
use crate::running_tasks::Named;
use crate::signals::Signals;
use crate::time_order::TimeOrder;

use fork_storm::ForkStorm;
pub use plan::{FirstSample, RecordingPlan};
pub use progress::{Collected, Progress, Reason};
use sampled_time::SampledTime;

/// Everything is open that will record; a command waits to be executed.
#[derive(Debug)]
pub struct Recorder {
    scope: Scope,
    target: Target,
    events: Vec<Event>,
    notes: Vec<String>,
    rings: Rings,
    waiting: Option<Waiting>,
    running: Option<Running>,
    /// The processes or threads that were named, and what counts in them without samples.
    named: Option<Named>,
    totals: Option<Counters>,
    signals: Signals,
    order: TimeOrder,
    profile: Profile,
    images: HeldImages,
    jit_files: JitFiles,
    command: u32,
    descriptions: Descriptions,
    build_id_of: BuildIdReader,
    first_sample: FirstSample,
    longest: Option<Duration>,
    controller: Controller,
    orders: Orders,
    started: Timestamp,
    /// There may be times without samples.
    switched: bool,
    sampled_time: SampledTime,
    /// Of each event, whether hardware counts it.
    in_hardware: Vec<bool>,
    /// Of each event, whether it counts time.
    is_clock: Vec<bool>,
    cpus: Vec<u32>,
    last_flush: Instant,
    /// When something was last seen to be mapped.
    last_mapping: Option<Instant>,
    /// Whether mappings are to wake it.
    storm: ForkStorm,
    /// The group that is the target, until what runs in it was taken in.
    group: Option<ExistingCgroup>,
    /// The command's own. Last, so that it is removed after all counters bound to it are closed.
    _cgroup: Option<Cgroup>,
}

impl Recorder {
    /// How the command is followed.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The events as they were opened.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What a user should know of how they were opened, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The buffers had to be made this much smaller than asked for.
    pub(crate) fn shrunk_to(&self) -> Option<BufferSizes> {
        self.rings.shrunk_to
    }

    /// What tells it what to do while it records.
    pub fn controller(&self) -> Controller {
        self.controller.clone()
    }

    /// When counting started.
    pub fn started(&self) -> Timestamp {
        self.started
    }
}

/// Lets this thread run before others where that is permitted: on a busy machine a process can be over, and its file
/// deleted, before the recorder gets its turn. The command was forked before and is not affected.
pub(crate) fn go_first() {
    // On Linux the priority is the thread's own (setpriority(2), "C library/kernel differences").
    let _ = rustix::process::setpriority_process(None, -10);
}
