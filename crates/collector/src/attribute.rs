//! Turns an encoded event into the `perf_event_attr` that opens it.

use oprof_events::EventConfig;
use oprof_profile::Sampling;
use perf_event_open_sys::bindings::{
    self, PERF_COUNT_SW_DUMMY, PERF_FORMAT_GROUP, PERF_FORMAT_ID, PERF_FORMAT_LOST,
    PERF_FORMAT_TOTAL_TIME_ENABLED, PERF_FORMAT_TOTAL_TIME_RUNNING, PERF_SAMPLE_IDENTIFIER, PERF_SAMPLE_IP,
    PERF_SAMPLE_PERIOD, PERF_SAMPLE_READ, PERF_SAMPLE_REGS_USER, PERF_SAMPLE_STACK_USER, PERF_SAMPLE_TID,
    PERF_SAMPLE_TIME, PERF_TYPE_SOFTWARE, PERF_TYPE_TRACEPOINT, perf_event_attr,
};

use crate::parse::Layout;
use crate::sampled_event::SampledEvent;
use crate::{Error, clock, settings};

/// Samples per second where neither the user nor the event says otherwise; odd, so that it does not fall into step
/// with what runs at round rates.
const DEFAULT_FREQUENCY: u64 = 997;

/// How often to sample, as the user said: the event's own count, if it states one, wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SamplingChoice {
    /// Nothing was said: as suits the event.
    #[default]
    Default,
    /// So many samples a second.
    Frequency(u64),
    /// A sample each time the event has happened so often.
    Count(u64),
}

/// How often the event will be sampled.
///
/// # Errors
/// Where the count is too small for the event or the frequency too high for this machine.
pub(crate) fn sampling(event: &EventConfig, choice: SamplingChoice) -> Result<Sampling, Error> {
    if event.count_only {
        return Err(Error::CountOnly { event: event.spec.clone() });
    }
    let sampling = match (event.count, event.frequency, choice) {
        (Some(count), ..) | (None, None, SamplingChoice::Count(count)) => Sampling::Count(count),
        (None, Some(frequency), _) | (None, None, SamplingChoice::Frequency(frequency)) => {
            Sampling::Frequency(frequency)
        }
        (None, None, SamplingChoice::Default) => default_sampling(event),
    };
    match sampling {
        Sampling::WithLeader => Ok(sampling),
        Sampling::Count(count) => {
            event.check_count(Some(count))?;
            Ok(sampling)
        }
        Sampling::Frequency(frequency) => {
            let limit = settings::max_sample_rate().unwrap_or(u64::MAX);
            if frequency > limit {
                return Err(Error::FrequencyTooHigh { event: event.spec.clone(), frequency, limit });
            }
            Ok(match event.nanoseconds {
                // The kernel makes a fixed period of a clock's frequency; so the period is known here.
                true => Sampling::Count((1_000_000_000 / frequency.max(1)).max(event.min_count)),
                false => sampling,
            })
        }
    }
}

/// Rare events are sampled each time they happen, frequent ones by frequency.
fn default_sampling(event: &EventConfig) -> Sampling {
    use oprof_events::EventKind;
    match event.kind {
        EventKind::Tracepoint | EventKind::Breakpoint | EventKind::Probe => Sampling::Count(1),
        EventKind::Software if !event.nanoseconds => Sampling::Count(1),
        // The kernel lowers its limit by itself where its interrupts take long.
        _ => {
            let limit = settings::max_sample_rate().unwrap_or(u64::MAX).max(1);
            Sampling::Frequency(DEFAULT_FREQUENCY.min(limit))
        }
    }
}

/// What all our events read out: `value, time_enabled, time_running, id`.
const READ_FORMAT: u64 =
    (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_ID) as u64;

fn base() -> perf_event_attr {
    let mut attr =
        perf_event_attr { size: size_of::<perf_event_attr>() as u32, ..perf_event_attr::default() };
    attr.read_format = READ_FORMAT;
    attr.set_disabled(1);
    attr.set_sample_id_all(1);
    attr.set_use_clockid(1);
    attr.clockid = clock::number();
    attr
}

fn counting(event: &EventConfig) -> perf_event_attr {
    let mut attr = base();
    attr.type_ = event.pmu_type;
    attr.config = event.config;
    attr.bp_type = event.bp_type;
    attr.__bindgen_anon_3.config1 = event.config1;
    attr.__bindgen_anon_4.config2 = event.config2;
    attr.config3 = event.config3;
    if let Some(probe) = &event.probe {
        // The kernel copies the path when the event is opened, which is while the event's configuration lives.
        attr.__bindgen_anon_3.config1 = probe.path.as_ptr() as u64;
        attr.__bindgen_anon_4.config2 = probe.offset;
    }
    attr.set_exclude_user(u64::from(!event.user));
    attr.set_exclude_kernel(u64::from(!event.kernel));
    attr.set_exclude_hv(u64::from(!event.hypervisor));
    attr.set_exclude_host(u64::from(!event.host));
    attr.set_exclude_guest(u64::from(!event.guest));
    attr
}

/// Samples of an event, laid out as `layout` says; the reader is woken when `watermark` bytes are waiting.
pub(crate) fn samples(
    event: &SampledEvent,
    layout: Layout,
    inherit: bool,
    watermark: usize,
) -> perf_event_attr {
    let reads_group = event.reads_group();
    let SampledEvent { config: event, sampling, exclude_idle } = event;
    let mut attr = counting(event);
    match *sampling {
        Sampling::WithLeader => {}
        Sampling::Count(count) => attr.__bindgen_anon_1.sample_period = count,
        Sampling::Frequency(frequency) => {
            attr.set_freq(1);
            attr.__bindgen_anon_1.sample_freq = frequency;
        }
    }
    attr.sample_type = sample_type(layout);
    if reads_group {
        attr.sample_type |= PERF_SAMPLE_READ as u64;
        attr.read_format |= PERF_FORMAT_GROUP as u64;
    }
    attr.set_precise_ip(u64::from(event.precise));
    attr.set_exclude_idle(u64::from(*exclude_idle));
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = watermark as u32;
    attr.set_inherit(u64::from(inherit));
    tell_lost(&mut attr);
    attr
}

/// Lets a counter's reading tell how many of its records were lost. The kernel puts that into the buffer as soon as
/// there is room again and something to put there (PERF_RECORD_LOST), which at the end of a recording never comes.
fn tell_lost(attr: &mut perf_event_attr) {
    attr.read_format |= PERF_FORMAT_LOST as u64;
}

fn sample_type(layout: Layout) -> u64 {
    let mut sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
    if layout.identifier {
        sample_type |= PERF_SAMPLE_IDENTIFIER;
    }
    if layout.period {
        sample_type |= PERF_SAMPLE_PERIOD;
    }
    sample_type as u64
}

/// A mapping is a longer record than this, a fork, an exit or a change of name alone is not; in bytes.
pub(crate) const LONGER_THAN_A_FORK: usize = 90;

/// What tasks do, as records of their own: mappings, execs, forks, exits. `build_ids`: the kernel reads the build id
/// of what is mapped (since Linux 5.12).
///
/// `inherit`: of those that descend from a task. `watermark`: as of [`tell_tasks`].
pub(crate) fn tasks(build_ids: bool, inherit: bool, watermark: usize) -> perf_event_attr {
    let mut attr = dummy();
    attr.set_inherit(u64::from(inherit));
    tell_tasks(&mut attr, build_ids, watermark);
    attr
}

/// An event that never happens, to which other records are bound.
fn dummy() -> perf_event_attr {
    let mut attr = base();
    attr.type_ = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY as u64;
    attr.sample_type = (PERF_SAMPLE_TID | PERF_SAMPLE_TIME) as u64;
    // To ask for the kernel would only need a privilege.
    attr.set_exclude_kernel(1);
    attr.set_exclude_hv(1);
    tell_lost(&mut attr);
    attr
}

/// The code that the kernel makes and frees, such as BPF programs, as records of their own (since Linux 5.1), with what
/// belongs behind records in a buffer of this layout.
pub(crate) fn ksymbols(layout: Layout) -> perf_event_attr {
    let mut attr = dummy();
    attr.set_ksymbol(1);
    if layout.identifier {
        attr.sample_type |= PERF_SAMPLE_IDENTIFIER as u64;
    }
    attr
}

/// Makes an event tell what tasks do besides; the reader is woken when more than `watermark` bytes are waiting. With
/// [`LONGER_THAN_A_FORK`] it is woken by each mapping, since the names of files and processes can be had only while these
/// exist. Forks and exits come with them (the kernel writes these for every event that wants mappings or names) and are not
/// worth a wake-up each.
pub(crate) fn tell_tasks(attr: &mut perf_event_attr, build_ids: bool, watermark: usize) {
    attr.set_mmap(1);
    attr.set_mmap2(1);
    attr.set_comm(1);
    attr.set_comm_exec(1);
    attr.set_task(1);
    attr.set_build_id(u64::from(build_ids));
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = watermark as u32;
}

/// Exact counts of an event over the tasks that inherit it; `each`: with a record of each task's at its end
/// (PERF_RECORD_READ).
///
/// When the kernel switches between two tasks that have inherited the same counters it may exchange these in place of
/// scheduling them (`perf_event_context_sched_out` in kernel/events/core.c), and then moves the counts back one by one
/// (`perf_event_sync_stat`), by the order of the counters in either task. Those orders differ as soon as another
/// profiler, which the command runs, adds its own: then a count lands in a process that has nothing to do with it.
/// Counters that a sample of theirs would read are never exchanged, whether they take samples or not; kernels before
/// 6.13 refuse that for inherited ones (EINVAL).
pub(crate) fn task_totals(
    event: &EventConfig,
    start: Start,
    watermark: usize,
    each: bool,
) -> perf_event_attr {
    let mut attr = counts(event, true, start);
    if !each {
        return attr;
    }
    attr.sample_type = (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_READ) as u64;
    attr.set_watermark(1);
    attr.__bindgen_anon_2.wakeup_watermark = watermark as u32;
    attr.set_inherit_stat(1);
    attr
}

/// A sample for each program that is executed, by the tracepoint of this number: it has the stack with which the program
/// begins, and so its arguments, however soon it ends. `stack_pointer`: the bit of that register.
pub(crate) fn program_starts(tracepoint: u64, stack_pointer: u32, inherit: bool) -> perf_event_attr {
    let mut attr = base();
    attr.type_ = PERF_TYPE_TRACEPOINT;
    attr.config = tracepoint;
    attr.__bindgen_anon_1.sample_period = 1;
    attr.sample_type =
        (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER) as u64;
    attr.sample_regs_user = 1 << stack_pointer;
    attr.sample_stack_user = STACK;
    tell_lost(&mut attr);
    attr.set_inherit(u64::from(inherit));
    attr
}

/// As much of a program's first stack is copied, in bytes: at random the kernel leaves up to 8192 free between the pointers
/// and the strings (`arch_align_stack`), and the rest has room for arguments of some thousand. Longer ones are those of
/// compilers and linkers, which last long enough to be asked. Where a page of what is left free was never touched the copy
/// ends there, without the strings: so it is with one start in fifteen.
const STACK: u32 = 12 << 10;

/// When counters start that a task and all that descend from it inherit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// When they are enabled.
    Enabled,
    /// When the task executes a program: what it does before is not the command's.
    Executed,
}

/// Counts of an event, without any record; `inherit`: of a task and all that descend from it.
pub(crate) fn counts(event: &EventConfig, inherit: bool, start: Start) -> perf_event_attr {
    let mut attr = counting(event);
    attr.set_inherit(u64::from(inherit));
    attr.set_enable_on_exec(u64::from(start == Start::Executed));
    if event.count_only {
        // PMUs outside the cores cannot tell guests from the host, and refuse to try.
        attr.set_exclude_guest(0);
    }
    attr
}

/// An event opened just to see whether it opens: counting, or sampling at a low rate.
pub(crate) fn trial(event: &EventConfig, sampling: bool) -> perf_event_attr {
    let mut attr = counting(event);
    if sampling {
        attr.sample_type = sample_type(Layout::default());
        attr.__bindgen_anon_1.sample_period = event.default_count;
        attr.set_precise_ip(u64::from(event.precise));
    }
    attr
}

// The layout on which the kernel and this crate agree (PERF_ATTR_SIZE_VER9 has config4).
const _: () = assert!(size_of::<bindings::perf_event_attr>() == 144);
