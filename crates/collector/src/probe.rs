//! Trial opens: what the kernel would let us do.

use std::ffi::OsString;
use std::path::Path;

use oprof_events::{EventConfig, EventKind};
use oprof_profile::{Scope, Target};

use crate::attribute::{self, SamplingChoice};
use crate::buffer_sizes::BufferSizes;
use crate::counter::{Attachment, Counter};
use crate::recorder::{FirstSample, Recorder, RecordingPlan};
use crate::user_code::happens_in_kernel;
use crate::{Error, ScopeChoice};

/// How an event opens in this process, with this process's privileges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It gives samples, from wherever the event asks for.
    Samples,
    /// It gives samples from user code alone; for the kernel's code the privilege is lacking.
    UserSamples,
    /// It counts, and gives no samples.
    Counts,
}

fn open(event: &EventConfig, sampling: bool) -> Result<(), Error> {
    let attachment = match event.cpus.as_deref() {
        Some([first, ..]) if event.count_only => Attachment::Cpu(*first),
        _ => Attachment::Myself,
    };
    Counter::open(&attribute::trial(event, sampling), attachment)
        .map(|_| ())
        .map_err(|source| Error::Open { event: event.spec.clone(), source })
}

/// Tries to open an event for counting in this process.
///
/// # Errors
/// The kernel's refusal, with its cause.
pub fn count_here(event: &EventConfig) -> Result<(), Error> {
    open(event, false)
}

/// The event as it can be counted in a process of this user's: as it is, or in user code alone.
///
/// # Errors
/// The kernel's refusal, with its cause.
pub fn countable_here(event: &EventConfig) -> Result<EventConfig, Error> {
    let Err(error) = count_here(event) else { return Ok(event.clone()) };
    let narrower = user_code(event).filter(|_| error.is_permission() && !happens_in_kernel(event));
    match narrower {
        Some(narrower) => count_here(&narrower).map(|()| narrower),
        None => Err(error),
    }
}

/// Tries to open an event for sampling this process.
///
/// # Errors
/// The kernel's refusal, with its cause.
pub fn sample_here(event: &EventConfig) -> Result<(), Error> {
    open(event, true)
}

/// Tries how an event opens: for sampling, for sampling user code alone, for counting.
///
/// # Errors
/// The kernel's last refusal, with its cause.
pub fn opening_here(event: &EventConfig) -> Result<Opening, Error> {
    if event.count_only {
        return count_here(event).or_else(|_| count_here(&of_guests_too(event))).map(|()| Opening::Counts);
    }
    let Err(error) = sample_here(event) else { return Ok(Opening::Samples) };
    if !error.is_permission() {
        return count_here(event).map(|()| Opening::Counts);
    }
    let narrower = user_code(event).ok_or(error)?;
    match sample_here(&narrower) {
        Ok(()) => Ok(Opening::UserSamples),
        Err(_) => count_here(&narrower).map(|()| Opening::Counts),
    }
}

/// The event in user code alone; `None` where nothing would be left of it.
fn user_code(event: &EventConfig) -> Option<EventConfig> {
    // A tracepoint is a place in the kernel's code.
    if !event.user || !event.kernel || event.kind == EventKind::Tracepoint {
        return None;
    }
    let mut narrower = event.clone();
    (narrower.kernel, narrower.hypervisor) = (false, false);
    Some(narrower)
}

/// The event without any bit that excludes something: PMUs outside the cores cannot tell guests from the host, and
/// refuse to try.
fn of_guests_too(event: &EventConfig) -> EventConfig {
    let mut wider = event.clone();
    wider.guest = true;
    wider
}

/// Whether the kernel reads the build ids of what is mapped (since Linux 5.12); `None` where it cannot be tried.
pub fn build_ids_here() -> Option<bool> {
    let opens = |build_ids| {
        Counter::open(&attribute::tasks(build_ids, false, attribute::LONGER_THAN_A_FORK), Attachment::Myself)
            .is_ok()
    };
    // A kernel that does not know the bit refuses it, and takes the rest.
    opens(true).then_some(true).or_else(|| opens(false).then_some(false))
}

/// Whether this is a virtual machine, as far as that can be told: x86 has a CPU flag for it, others have what the
/// hypervisor describes of itself.
pub fn in_virtual_machine() -> bool {
    let cpu_info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    has_hypervisor_flag(&cpu_info)
        || ["/sys/hypervisor/type", "/proc/device-tree/hypervisor"]
            .iter()
            .any(|path| Path::new(path).exists())
}

fn has_hypervisor_flag(cpu_info: &str) -> bool {
    let flags = cpu_info.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// What a recording would be like that was prepared and not started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// Kernel code would be sampled too.
    pub kernel: bool,
    /// What the recorder would say of its ring buffers, where they are smaller than they should be.
    pub small_buffers: Option<String>,
}

/// Prepares to record a command in a scope, and leaves it at that: the command does not run.
///
/// # Errors
/// As [`Recorder::prepare`] has them.
pub fn rehearse(scope: Scope, events: &[EventConfig]) -> Result<Rehearsal, Error> {
    let plan = RecordingPlan {
        target: Target::Command,
        first_sample: FirstSample::Now,
        switches: false,
        hides_kernel: false,
        separates_threads: false,
        clock: oprof_profile::Clock::default(),
        duration: None,
        user: None,
        command: vec![OsString::from("true")],
        events: events.to_vec(),
        sampling: SamplingChoice::Default,
        scope: ScopeChoice::Only(scope),
        buffer: None,
        build_id_of: |_| None,
    };
    let recorder = Recorder::prepare(&plan)?;
    let rehearsal = Rehearsal {
        kernel: recorder.events().iter().all(|event| event.kernel),
        small_buffers: recorder.shrunk_to().map(BufferSizes::shrunk_note),
    };
    Ok(rehearsal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_events::System;

    fn event(spec: &str) -> EventConfig {
        System::here().resolve(spec).expect("it exists everywhere").remove(0)
    }

    #[test]
    fn user_code_is_less_of_an_event_or_nothing() {
        let narrower = user_code(&event("page-faults")).expect("the kernel is left out");
        assert!(narrower.user && !narrower.kernel && !narrower.hypervisor);
        assert_eq!(user_code(&event("page-faults:u")), None);
        assert_eq!(user_code(&event("page-faults:k")), None);
    }

    #[test]
    fn a_virtual_machine_is_known_by_its_flag() {
        assert!(has_hypervisor_flag("processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n"));
        assert!(!has_hypervisor_flag("model name\t: hypervisor\nflags\t\t: fpu vme\n"));
        assert!(!has_hypervisor_flag(""));
    }

    #[test]
    fn an_event_that_the_kernel_does_not_have_does_not_open() {
        let mut unknown = event("cpu-clock");
        unknown.config = 1 << 20;
        let error = opening_here(&unknown).expect_err("there is no such software event");
        assert!(error.to_string().starts_with("event 'cpu-clock': "), "{error}");
    }
}
