//! Turns the name of an event, as typed, into the configuration that perf_event_open(2) takes.
//!
//! This crate reads what the running kernel says of its events (sysfs and tracefs) and encodes; it makes no perf system
//! call, so that an event resolves does not mean that it opens: that is the kernel's word, in a trial open.
//! It is not for the catalogues of processors other than the running one.
//!
//! # What can be typed
//!
//! | form | example | becomes |
//! |---|---|---|
//! | generic hardware event | `cycles`, `branch-misses` | `PERF_TYPE_HARDWARE` |
//! | generic cache event | `L1-dcache-load-misses` | `PERF_TYPE_HW_CACHE` |
//! | software event | `cpu-clock`, `page-faults` | `PERF_TYPE_SOFTWARE` |
//! | tracepoint | `sched:sched_switch` | `PERF_TYPE_TRACEPOINT` and the id from tracefs |
//! | raw event | `r1a8`, `r0x1a8` | the hexadecimal config for the core PMU |
//! | a PMU's event | `cpu/event=0xc5,umask=1,inv/`, `power/energy-pkg/` | the PMU's type, fields placed as its formats say |
//! | a core PMU's named event | `mem-loads` | the same as `cpu/mem-loads/` |
//!
//! After the name may stand, each led by a colon, a group of modifier letters (`u`, `k`, `h`, `G`, `H`, `p` to `ppp`)
//! and OProfile's numbers `COUNT[:UNITMASK[:KERNEL[:USER]]]`; after a closing slash the first colon can be left out.
//! A group that begins with a digit is a number. The case of names does not matter; the case of modifiers does.
//!
//! Terms between slashes are a PMU's format fields (`umask=0x1`; a field without a value is 1), a PMU's event names,
//! `config`, `config1`, `config2`, `config3`, and the settings `period`, `freq` and `name`. A term given by the user
//! replaces the same term of a named event; different terms that share bits are combined, as the kernel's tools do.
//!
//! ```
//! let system = oprof_events::System::here();
//! let clock = system.resolve("cpu-clock:1000000:0:0:1")?;
//! assert_eq!(clock[0].count, Some(1_000_000));
//! assert!(clock[0].user && !clock[0].kernel && clock[0].nanoseconds);
//! # Ok::<(), oprof_events::Error>(())
//! ```
#![forbid(unsafe_code)]

// What was typed.
mod modifier;
mod number;
mod spec;
mod suffix;
mod term;

// What the kernel defines.
mod cache;
mod hardware;
mod software;

// What sysfs and tracefs say.
mod cpu_list;
mod format;
mod kernel_file;
mod pmu;
mod system;
mod tracepoint;

// What becomes of it.
mod catalogue;
mod config;
mod encoding;
mod error;
mod resolve;
mod suggest;

pub use catalogue::{EventGroup, ListedEvent};
pub use config::{EventConfig, EventKind};
pub use error::Error;
pub use pmu::Pmu;
pub use spec::split_list;
pub use system::System;
