//! Turns the name of an event, as typed, into the configuration that perf_event_open(2) takes, and lists what there is.
//!
//! This crate reads what the running kernel says of its events (sysfs and tracefs), has tables of what processors can
//! count, and encodes; it makes no perf system call, so that an event resolves does not mean that it opens: that is the
//! kernel's word, in a trial open.
//!
//! # What can be typed
//!
//! | form | example | becomes |
//! |---|---|---|
//! | raw event | `r1a8`, `r0x1a8` | the hexadecimal config for the core PMU |
//! | a PMU's event | `cpu/event=0xc5,umask=1,inv/`, `power/energy-pkg/` | the PMU's type, fields placed as its formats say |
//! | breakpoint | `mem:0x601040/8:rw` | `PERF_TYPE_BREAKPOINT` |
//! | probe | `uprobe:/usr/bin/make:main`, `uretprobe:./lib.so:a::b`, `uprobe:./x:0x1139` | the PMU `uprobe`, the function's place in the file |
//! | name of a user's table | [`EventTable::load`], [`System::with_table`] | the same as its terms on the core PMU |
//! | name in sysfs | `mem-loads` | the same as `cpu/mem-loads/` |
//! | name of the processor's vendor | `BR_MISP_RETIRED.ALL_BRANCHES`, `L1D_CACHE_REFILL` | the same as its terms |
//! | OProfile's name for the processor | `BRANCH_RETIRED:6000:0xc` | the same, with the unit mask |
//! | generic hardware event | `cycles`, `branch-misses` | `PERF_TYPE_HARDWARE` |
//! | generic cache event | `L1-dcache-load-misses` | `PERF_TYPE_HW_CACHE` |
//! | software event | `cpu-clock`, `page-faults` | `PERF_TYPE_SOFTWARE` |
//! | tracepoint | `sched:sched_switch` | `PERF_TYPE_TRACEPOINT` and the id from tracefs |
//! | libpfm4's name, where that is installed | `skl::UOPS_ISSUED:STALL_CYCLES` | what libpfm4 says |
//!
//! The first that knows a name has it; [`Origin`] says which that was. The case of names does not matter. On a hybrid
//! part an event is opened on each core PMU that knows it.
//!
//! After the name may stand, each led by a colon, a group of modifier letters (`u`, `k`, `h`, `G`, `H`, `p` to `ppp`, `P`,
//! whose case matters) and OProfile's numbers `COUNT[:UNITMASK[:KERNEL[:USER]]]`; after a closing slash the first colon
//! can be left out. A group that begins with a digit is a number. A unit mask is a number or a name, several are joined
//! by `+` where the event allows it, and `0` or `default` is the event's own:
//!
//! | example | means |
//! |---|---|
//! | `cycles:u` | cycles in user code |
//! | `BRANCH_RETIRED:6000:0x4+0x8:0:1` | taken branches in user code, a sample each 6,000 |
//! | `uops_issued:2000003:stall_cycles` | the unit mask of this name, with all that goes with it |
//! | `BR_INST_RETIRED:400009:NEAR_CALL` | the vendor's `BR_INST_RETIRED.NEAR_CALL` |
//! | `cpu/event=0xc5,umask=1,cmask=2,inv,edge/upp` | spelt out, in user code, sampled precisely |
//! | `{cycles,instructions}:u` | both at the same time or not at all |
//! | `{cycles:u,instructions}:k` | the same, the cycles in user code and the kernel |
//! | `{cycles,instructions}:S` | only the cycles are sampled, and with each sample both are read |
//! | `{cycles,instructions}:W` | at the same time where that is possible, else in turns |
//! | `cycles:P` | sampled as precisely as the machine can |
//!
//! Terms between slashes are a PMU's format fields (`umask=0x1`; a field without a value is 1), a PMU's event names in
//! sysfs and in the tables (`cpu_core/BR_MISP_RETIRED.ALL_BRANCHES/` is the event on this kind of core alone), `config`, `config1`, `config2`, `config3`, and the settings `period`, `freq` and `name`. A term given by the user
//! replaces the same term of a named event; different terms that share bits are combined, as the kernel's tools do.
//!
//! ```
//! let system = oprof_events::System::here();
//! let clock = system.resolve("cpu-clock:1000000:0:0:1")?;
//! assert_eq!(clock[0].count, Some(1_000_000));
//! assert!(clock[0].user && !clock[0].kernel && clock[0].nanoseconds);
//! # Ok::<(), oprof_events::Error>(())
//! ```
//!
//! Another machine's processor can be asked, too:
//!
//! ```
//! use oprof_events::{System, table::BuiltInTable};
//! let table = BuiltInTable::find("i386/p4").expect("built in").parse()?;
//! let branches = System::foreign(table).resolve("BRANCH_RETIRED:6000:0xc")?;
//! assert_eq!(branches[0].config, 41 << 57 | 0xc << 41);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

// What was typed.
mod modifier;
mod number;
mod spec;
mod suffix;
mod term;
mod unprintable;

// What the kernel defines.
mod breakpoint;
mod cache;
mod hardware;
mod probe;
mod software;

// What sysfs and tracefs say.
mod cpu_list;
mod format;
mod kernel_file;
mod pmu;
mod system;
mod tracepoint;

// What processors can count, by their vendors and by OProfile.
mod description;
#[doc(hidden)]
pub mod import;
pub mod processor;
pub mod table;

// What an optional library says.
pub mod libpfm;

// What becomes of it.
mod allocation;
mod catalogue;
mod config;
mod encoding;
mod error;
mod known;
mod libpfm_event;
mod lookup;
mod resolve;
mod suggest;

// What the fuzz targets reach beyond the public ways.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;

pub use allocation::{assign, break_up};
pub use catalogue::{EventGroup, ListedEvent};
pub use config::{EventConfig, EventKind, Group, Origin, Probe};
pub use error::Error;
pub use pmu::Pmu;
pub use probe::FunctionFinder;
pub use suggest::closest;
pub use system::System;
pub use table::{EventTable, TableError};
