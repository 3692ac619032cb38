//! The machine whose events are meant.

use std::path::PathBuf;

use crate::kernel_file;
use crate::pmu::Pmu;

/// The machine whose events are meant: where its sysfs and tracefs are.
///
/// Nothing is kept in memory; every call reads what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    sysfs: PathBuf,
    tracefs: Vec<PathBuf>,
}

impl System {
    /// The running machine.
    pub fn here() -> Self {
        Self {
            sysfs: "/sys".into(),
            tracefs: ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].map(PathBuf::from).into(),
        }
    }

    /// A machine whose trees are elsewhere, such as a made-up one: `sysfs` holds `bus/event_source/devices`, `tracefs`
    /// holds `events`.
    pub fn at(sysfs: impl Into<PathBuf>, tracefs: impl Into<PathBuf>) -> Self {
        Self { sysfs: sysfs.into(), tracefs: vec![tracefs.into()] }
    }

    /// All PMUs that sysfs lists, by name; empty where it lists none.
    pub fn pmus(&self) -> Vec<Pmu> {
        let devices = self.sysfs.join("bus/event_source/devices");
        let names = kernel_file::names(&devices).unwrap_or_default();
        names.iter().filter_map(|name| Pmu::read(&devices, name)).collect()
    }

    /// The PMUs that count what a core executes: one, several on a hybrid part, none in most virtual machines.
    pub fn core_pmus(&self) -> Vec<Pmu> {
        self.pmus().into_iter().filter(|pmu| pmu.core).collect()
    }

    /// Where tracefs may be, likeliest first.
    pub(crate) fn tracefs(&self) -> &[PathBuf] {
        &self.tracefs
    }
}
