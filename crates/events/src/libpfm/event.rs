//! An event that libpfm4 has encoded.

use std::ffi::CStr;

use super::library::{Code, Encoded, Library};

/// One event encoded for `perf_event_attr`. Fields mean what they mean in [`EventConfig`](crate::EventConfig).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PfmEvent {
    /// The name with its PMU and every mask and modifier spelled out, as libpfm4 spells them.
    pub name: String,
    /// libpfm4's name of the PMU, such as `skl`, which is not the kernel's.
    pub pmu: String,
    /// `perf_event_attr.type`: a `PERF_TYPE_` constant or the dynamic number of a PMU.
    pub attr_type: u32,
    /// `perf_event_attr.config`.
    pub config: u64,
    /// `perf_event_attr.config1`.
    pub config1: u64,
    /// `perf_event_attr.config2`.
    pub config2: u64,
    /// `precise_ip`. libpfm 4.13 leaves it at 0 and refuses `:precise=`.
    pub precise: u8,
    /// Counts in user space (`!exclude_user`).
    pub user: bool,
    /// Counts in the kernel (`!exclude_kernel`).
    pub kernel: bool,
    /// Counts in a hypervisor (`!exclude_hv`). False unless asked for where the PMU can tell, true where it cannot.
    pub hypervisor: bool,
    /// Counts on the host (`!exclude_host`).
    pub host: bool,
    /// Counts in guests (`!exclude_guest`).
    pub guest: bool,
}

/// Encodes one event.
pub(super) fn encode(library: &mut Library, event: &CStr) -> Result<PfmEvent, Code> {
    let Encoded { attr, name, event } = library.encode(event)?;
    let pmu = library.event(event)?.pmu;
    let pmu = library.pmu(pmu)?.name;
    let included = |bit: u32| attr.flags >> bit & 1 == 0;
    Ok(PfmEvent {
        name,
        pmu,
        attr_type: attr.kind,
        config: attr.config,
        config1: attr.config1,
        config2: attr.config2,
        precise: (attr.flags >> 15 & 0b11) as u8,
        user: included(4),
        kernel: included(5),
        hypervisor: included(6),
        host: included(19),
        guest: included(20),
    })
}
