//! The encoded event: what becomes of a name.

use std::ffi::CString;
use std::fmt;

use crate::Error;
use crate::modifier::Modifiers;
use crate::table::Counters;

/// `PERF_TYPE_HARDWARE` of the kernel's `include/uapi/linux/perf_event.h`.
pub(crate) const TYPE_HARDWARE: u32 = 0;
/// `PERF_TYPE_SOFTWARE`, same header.
pub(crate) const TYPE_SOFTWARE: u32 = 1;
/// `PERF_TYPE_TRACEPOINT`, same header.
pub(crate) const TYPE_TRACEPOINT: u32 = 2;
/// `PERF_TYPE_HW_CACHE`, same header.
pub(crate) const TYPE_CACHE: u32 = 3;
/// `PERF_TYPE_RAW`, same header.
pub(crate) const TYPE_RAW: u32 = 4;
/// `PERF_TYPE_BREAKPOINT`, same header.
pub(crate) const TYPE_BREAKPOINT: u32 = 5;
/// `PERF_PMU_TYPE_SHIFT`, same header: generic hardware and cache events of one PMU among several carry its type above.
pub(crate) const PMU_TYPE_SHIFT: u32 = 32;

/// One event encoded for `perf_event_attr`. The field names are those of perf_event_open(2) where it has one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EventConfig {
    /// The event's name in its canonical spelling, without count and modifiers: `cycles` for `CPU-CYCLES:u`,
    /// `cpu_core/cycles/` where several core PMUs share the work, the value of a `name=` term where given.
    pub name: String,
    /// The specification as typed, without surrounding blanks.
    pub spec: String,
    /// What is counted, in a few words; empty where nobody says.
    pub description: String,
    /// What sort of event it is to the kernel.
    pub kind: EventKind,
    /// Who knew its name.
    pub origin: Origin,
    /// `perf_event_attr.type`: a `PERF_TYPE_` constant or the dynamic number of a PMU.
    pub pmu_type: u32,
    /// `perf_event_attr.config`.
    pub config: u64,
    /// `perf_event_attr.config1`.
    pub config1: u64,
    /// `perf_event_attr.config2`.
    pub config2: u64,
    /// `perf_event_attr.config3`; kernels before 6.3 refuse any value but 0.
    pub config3: u64,
    /// `perf_event_attr.bp_type` of a breakpoint, whose address and length are `config1` and `config2`; else 0.
    pub bp_type: u32,
    /// The code that a probe watches; `perf_event_attr.config1` is then the address of its path (`uprobe_path`) and
    /// `config2` its offset (`probe_offset`).
    pub probe: Option<Probe>,
    /// The value of the `umask` term, 0 without one. It is part of `config` already.
    pub unit_mask: u64,
    /// The name of the chosen unit mask; empty where it has none.
    pub unit_mask_name: String,
    /// What the unit mask selects, in a few words, else its name; empty where neither is known.
    pub unit_mask_description: String,
    /// The counters that the event can be counted on, as far as a table says.
    pub counters: Counters,
    /// The group that the event is scheduled with; `None` for an event on its own.
    pub group: Option<Group>,
    /// Counts in user space (`!exclude_user`).
    pub user: bool,
    /// Counts in the kernel (`!exclude_kernel`).
    pub kernel: bool,
    /// Counts in a hypervisor (`!exclude_hv`).
    pub hypervisor: bool,
    /// Counts on the host (`!exclude_host`).
    pub host: bool,
    /// Counts in guests (`!exclude_guest`).
    pub guest: bool,
    /// How close the sampled address has to be to the event's, 0 to 3 (`precise_ip`).
    pub precise: u8,
    /// `precise` is the most that is wanted: where the machine cannot do it the most that it can will do.
    pub most_precise: bool,
    /// The event counts nanoseconds (cpu-clock, task-clock).
    pub nanoseconds: bool,
    /// The event's PMU gives counts but never samples (uncore, power, msr): opening it with a period is `EINVAL`.
    pub count_only: bool,
    /// The CPUs on which to open the event, from the PMU's `cpus` or `cpumask`; `None` for every CPU. May be empty when
    /// all CPUs of the PMU are offline.
    pub cpus: Option<Vec<u32>>,
    /// Events per sample as the specification gave it; `None` when it did not.
    pub count: Option<u64>,
    /// Samples per second as the specification's `freq=` gave it; `None` when it did not.
    pub frequency: Option<u64>,
    /// Events per sample when the user gives neither count nor frequency.
    pub default_count: u64,
    /// The fewest events per sample: with less, the machine would do little but take samples.
    pub min_count: u64,
    /// Factor from the raw count to [`unit`](Self::unit); 1 where the PMU names none.
    pub scale: f64,
    /// Unit of the scaled count such as `Joules`; empty where the PMU names none.
    pub unit: String,
}

/// A group of events that are counted at the same time or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Its number among the groups that were asked for.
    pub number: u32,
    /// Where the kernel cannot count all of them at once, they are counted in turns (`W`).
    pub weak: bool,
    /// Only its first event is sampled, and with each sample all of them are read (`S`).
    pub leader_samples: bool,
}

/// Where an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A generic hardware event, mapped by the kernel to one of the processor's own.
    Hardware,
    /// A generic cache event, likewise.
    HardwareCache,
    /// An event of the kernel's software.
    Software,
    /// A static tracepoint of the kernel.
    Tracepoint,
    /// A number for the core PMU, given as it is.
    Raw,
    /// An event of a PMU in sysfs.
    Pmu {
        /// The PMU's name in sysfs, such as `cpu` or `power`.
        name: String,
    },
    /// Accesses to an address, by the processor's debug registers.
    Breakpoint,
    /// Calls of a function or returns from it, by a trap in the code (uprobe).
    Probe,
}

/// The code that a probe watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The program or library.
    pub path: CString,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// It is where a function begins, and so an instruction.
    pub begins_function: bool,
}

/// Who knew an event's name: of several, the first in this order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody: it was spelt out (`cpu/event=0xc5/`, `r1a8`, `sched:sched_switch`, `mem:0x1000:w`).
    Explicit,
    /// A table that the user gave.
    UserTable(String),
    /// The kernel, in sysfs.
    Sysfs,
    /// A built-in table of the processor's vendor, by its CPU type.
    Vendor(String),
    /// OProfile, by its CPU type.
    OProfile(String),
    /// The kernel, as one of its generic events.
    Generic,
    /// libpfm4, by its name of the PMU.
    Libpfm(String),
}

/// `built-in table skylake`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit => f.write_str("spelt out"),
            Self::UserTable(table) => write!(f, "event table {table}"),
            Self::Sysfs => f.write_str("the kernel's sysfs"),
            Self::Vendor(cpu) => write!(f, "built-in table {cpu}"),
            Self::OProfile(cpu) => write!(f, "OProfile's {cpu}"),
            Self::Generic => f.write_str("the kernel's generic events"),
            Self::Libpfm(pmu) => write!(f, "libpfm4's {pmu}"),
        }
    }
}

impl EventConfig {
    /// An event with all else at the defaults: all of the host, imprecise, on every CPU.
    pub(crate) fn new(name: &str, kind: EventKind, pmu_type: u32, config: u64) -> Self {
        let default_count = DEFAULT_COUNT;
        Self {
            name: name.to_owned(),
            spec: name.to_owned(),
            description: String::new(),
            origin: match &kind {
                EventKind::Hardware | EventKind::HardwareCache | EventKind::Software => Origin::Generic,
                _ => Origin::Explicit,
            },
            kind,
            pmu_type,
            config,
            config1: 0,
            config2: 0,
            config3: 0,
            bp_type: 0,
            probe: None,
            unit_mask: 0,
            unit_mask_name: String::new(),
            unit_mask_description: String::new(),
            counters: Counters::Any,
            group: None,
            user: true,
            kernel: true,
            hypervisor: true,
            host: true,
            guest: false,
            precise: 0,
            most_precise: false,
            nanoseconds: false,
            count_only: false,
            cpus: None,
            count: None,
            frequency: None,
            default_count,
            min_count: min_count(default_count),
            scale: 1.0,
            unit: String::new(),
        }
    }

    /// Where the event counts and how precisely.
    pub(crate) fn modifiers(&self) -> Modifiers {
        Modifiers {
            user: self.user,
            kernel: self.kernel,
            hypervisor: self.hypervisor,
            host: self.host,
            guest: self.guest,
            precise: self.precise,
            most_precise: self.most_precise,
        }
    }

    /// Takes over where the event counts and how precisely.
    pub(crate) fn apply(&mut self, modifiers: Modifiers) {
        self.user = modifiers.user;
        self.kernel = modifiers.kernel;
        self.hypervisor = modifiers.hypervisor;
        self.host = modifiers.host;
        self.guest = modifiers.guest;
        self.precise = modifiers.precise;
        self.most_precise = modifiers.most_precise;
    }
}

impl EventConfig {
    /// A member of a group of which only the first event is sampled can have no count of its own.
    pub(crate) fn refuse_own_count(&self) -> Result<(), Error> {
        match self.count.or(self.frequency) {
            Some(count) => Err(Error::malformed(
                &self.spec,
                &count.to_string(),
                "in a group with S only the first event is sampled; leave the count of the others out",
            )),
            None => Ok(()),
        }
    }

    /// A count that was given is not below the minimum.
    ///
    /// # Errors
    /// [`Error::BelowMinimum`].
    pub fn check_count(&self, count: Option<u64>) -> Result<(), Error> {
        match count {
            Some(count) if count < self.min_count => {
                Err(Error::BelowMinimum { event: self.spec.clone(), count, minimum: self.min_count })
            }
            _ => Ok(()),
        }
    }
}

/// Events per sample of a hardware event whose rate is not known. Primes keep samples from falling into step with loops.
pub(crate) const DEFAULT_COUNT: u64 = 100_003;
/// Events per sample of events that come about once a cycle.
pub(crate) const DEFAULT_COUNT_FREQUENT: u64 = 2_000_003;

/// The minimum of an event that was spelt out, of which nothing is known.
pub(crate) const LEAST_COUNT: u64 = 128;

/// The minimum that goes with a default count: a twentieth, never below 128.
pub(crate) fn min_count(default_count: u64) -> u64 {
    (default_count / 20).max(LEAST_COUNT)
}
