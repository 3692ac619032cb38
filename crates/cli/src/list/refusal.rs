//! Why an event does not open here, in words that hold for all events of its kind.

use oprof_collector::{Error, Settings};
use oprof_events::{EventKind, System};
use rustix::io::Errno;

const FORBIDDEN: &str = "forbidden by a container or a security module; see `oprof doctor`";

/// What has to be known of the machine to say why an event does not open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Machine {
    /// sysfs lists a PMU of the cores.
    pub(crate) core_pmu: bool,
    /// It is a virtual machine.
    pub(crate) is_virtual: bool,
    /// `kernel.perf_event_paranoid`.
    pub(crate) paranoid: Option<i64>,
}

impl Machine {
    /// This machine.
    pub(crate) fn here(system: &System) -> Machine {
        Machine {
            core_pmu: !system.core_pmus().is_empty(),
            is_virtual: oprof_collector::in_virtual_machine(),
            paranoid: Settings::read().paranoid,
        }
    }

    /// Why an event of this kind does not open, and what would help. `whole_cpus`: an event that counts what all users
    /// do on a CPU.
    pub(crate) fn why(&self, kind: &EventKind, whole_cpus: bool, error: &Error) -> String {
        let Error::Open { source, .. } = error else { return error.to_string() };
        match (kind, Errno::from_io_error(source)) {
            (_, Some(Errno::ACCESS)) => self.not_permitted(whole_cpus),
            // What the paranoid level forbids is EACCES.
            (_, Some(Errno::PERM)) => FORBIDDEN.to_owned(),
            (
                EventKind::Hardware | EventKind::HardwareCache | EventKind::Raw,
                Some(Errno::NOENT | Errno::OPNOTSUPP | Errno::NODEV | Errno::INVAL),
            ) => self.no_such_counter().to_owned(),
            (EventKind::Software, Some(Errno::NOENT | Errno::INVAL)) => {
                "this kernel does not have them".to_owned()
            }
            (_, Some(Errno::NOENT | Errno::OPNOTSUPP | Errno::NODEV | Errno::NXIO)) => {
                "this machine does not have them".to_owned()
            }
            (_, Some(Errno::BUSY)) => {
                "the counters are in use, perhaps by the NMI watchdog; as root: sysctl \
                                       kernel.nmi_watchdog=0"
                    .to_owned()
            }
            (_, Some(Errno::MFILE | Errno::NFILE)) => "too many open files; ulimit -n 65536".to_owned(),
            (_, Some(Errno::NOSYS)) => "this kernel has no perf events, or a sandbox hides them".to_owned(),
            (_, Some(Errno::INVAL)) => "the kernel does not take their settings".to_owned(),
            _ => source.to_string(),
        }
    }

    /// Why an event of the processor does not open.
    pub(crate) fn no_such_counter(&self) -> &'static str {
        match (self.core_pmu, self.is_virtual) {
            (true, _) => "this processor does not have them",
            (false, true) => {
                "this virtual machine has no hardware counters; its hypervisor would have to pass them through"
            }
            (false, false) => "the kernel knows no hardware counters on this machine",
        }
    }

    fn not_permitted(&self, whole_cpus: bool) -> String {
        match self.paranoid {
            Some(level) if level > 0 && whole_cpus => format!(
                "not permitted: they count what all users do, and kernel.perf_event_paranoid is {level}; as root: \
                 sysctl kernel.perf_event_paranoid=0"
            ),
            Some(level) if level > 1 => format!(
                "not permitted: kernel.perf_event_paranoid is {level}; as root: sysctl kernel.perf_event_paranoid=1"
            ),
            _ => FORBIDDEN.to_owned(),
        }
    }

    /// Why kernel code is not sampled, and what would help.
    pub(crate) fn no_kernel_code(&self) -> String {
        match self.paranoid {
            Some(level) => {
                format!("kernel.perf_event_paranoid is {level}; as root: sysctl kernel.perf_event_paranoid=1")
            }
            None => "this user may not see the kernel's; see `oprof doctor`".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    const NO_PMU: Machine = Machine { core_pmu: false, is_virtual: true, paranoid: Some(2) };

    fn refused(errno: Errno) -> Error {
        Error::Open { event: "e".to_owned(), source: io::Error::from(errno) }
    }

    #[test]
    fn the_reason_names_no_event_so_that_it_is_said_once() {
        for errno in
            [Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::INVAL, Errno::BUSY, Errno::MFILE, Errno::NOSYS]
        {
            for kind in [EventKind::Hardware, EventKind::Software, EventKind::Tracepoint] {
                let why = NO_PMU.why(&kind, false, &refused(errno));
                assert!(!why.contains("'e'"), "{why}");
            }
        }
    }

    #[test]
    fn counters_are_missing_for_different_reasons() {
        let why = |machine: Machine| machine.why(&EventKind::Hardware, false, &refused(Errno::NOENT));
        assert!(why(NO_PMU).contains("hypervisor"));
        assert!(why(Machine { is_virtual: false, ..NO_PMU }).contains("knows no hardware counters"));
        assert!(why(Machine { core_pmu: true, ..NO_PMU }).contains("processor does not have"));
    }

    #[test]
    fn the_cure_of_a_lacking_permission_is_the_level_that_is_enough() {
        let why = |kind: EventKind, whole_cpus, level| {
            Machine { paranoid: Some(level), ..NO_PMU }.why(&kind, whole_cpus, &refused(Errno::ACCESS))
        };
        let pmu = || EventKind::Pmu { name: "uncore_imc".to_owned() };
        assert!(why(EventKind::Hardware, false, 4).ends_with("paranoid=1"));
        assert!(why(EventKind::Tracepoint, false, 2).ends_with("paranoid=1"));
        assert!(why(pmu(), false, 2).ends_with("paranoid=1"));
        assert!(why(pmu(), true, 2).ends_with("paranoid=0"));
        assert!(why(pmu(), true, 4).ends_with("paranoid=0"));
        assert!(why(pmu(), true, 1).ends_with("paranoid=0"));
        assert!(why(EventKind::Software, false, 1).contains("container"));
        assert_eq!(NO_PMU.why(&EventKind::Software, false, &refused(Errno::PERM)), FORBIDDEN);
    }
}
