//! Turns encoded events and a command into records in the order of time.
//!
//! This is the only crate that makes perf system calls. It follows a command in one of three scopes, drains the
//! kernel's ring buffers, and hands on what it finds there; what the records mean for a profile is the business
//! of `oprof-profile`. A [`CountingSession`] only counts. Sources of all kernel facts: perf_event_open(2) and
//! `include/uapi/linux/perf_event.h`.

mod attribute;
mod bpf;
mod buffer_sizes;
mod cgroup;
mod clock;
mod command;
mod command_user;
mod control;
mod counter;
mod counting;
mod cpu_time;
mod cpus;
mod descriptions;
mod error;
mod exec_tracepoint;
mod group_readings;
mod held_images;
mod idle_time;
mod initial_stack;
mod jit_files;
mod launch;
mod memory_map;
mod open_files;
mod parse;
mod place;
mod precision;
mod probe;
mod probe_privilege;
mod proc_info;
mod process_view;
mod recorder;
mod ring_buffer;
mod rings;
mod running_processes;
mod running_tasks;
mod sampled_event;
mod scope;
mod settings;
mod signals;
#[doc(hidden)]
pub mod synthetic;
mod time_order;
mod user_code;
mod waiter;
mod weak_groups;

pub use attribute::SamplingChoice;
pub use cgroup::{Hierarchy, hierarchy as cgroup_hierarchy};
pub use clock::monotonic;
pub use command_user::CommandUser;
pub use control::{Controller, NotDone, Order};
pub use counting::{CountingPlan, CountingSession, PreparedCount};
pub use cpus::{online as online_cpus, parse_list as parse_cpu_list};
pub use error::Error;
pub use held_images::{BuildIdReader, HeldImages, is_mapped_file};
pub use jit_files::{JitBytes, JitFiles, JitProgram};
pub use probe::{
    Opening, Rehearsal, build_ids_here, count_here, countable_here, in_virtual_machine, opening_here,
    rehearse, sample_here,
};
pub use recorder::{Collected, FirstSample, Progress, Reason, Recorder, RecordingPlan};
pub use scope::ScopeChoice;
pub use settings::{RAISE_LOCKED_MEMORY, Settings};
