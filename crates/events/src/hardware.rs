//! The generic hardware events, which the kernel maps to the processor's own.

use crate::config::{
    DEFAULT_COUNT, DEFAULT_COUNT_FREQUENT, EventConfig, EventKind, PMU_TYPE_SHIFT, TYPE_HARDWARE, min_count,
};

/// A generic hardware event.
#[derive(Debug)]
pub(crate) struct HardwareEvent {
    /// Canonical name first, then the other names in use.
    pub(crate) names: &'static [&'static str],
    /// Number in `enum perf_hw_id` of the kernel's `include/uapi/linux/perf_event.h`.
    pub(crate) id: u64,
    /// What is counted.
    pub(crate) description: &'static str,
    /// Events per sample when the user gives none.
    pub(crate) default_count: u64,
}

const fn event(
    names: &'static [&'static str],
    id: u64,
    default_count: u64,
    description: &'static str,
) -> HardwareEvent {
    HardwareEvent { names, id, description, default_count }
}

/// All generic hardware events, by number.
pub(crate) const HARDWARE_EVENTS: [HardwareEvent; 10] = [
    event(&["cycles", "cpu-cycles"], 0, DEFAULT_COUNT_FREQUENT, "core clock cycles while not halted"),
    event(&["instructions"], 1, DEFAULT_COUNT_FREQUENT, "instructions retired"),
    event(&["cache-references"], 2, DEFAULT_COUNT, "accesses to a cache, mostly the last level"),
    event(&["cache-misses"], 3, DEFAULT_COUNT, "accesses that missed a cache, mostly the last level"),
    event(&["branches", "branch-instructions"], 4, DEFAULT_COUNT, "branch instructions retired"),
    event(&["branch-misses"], 5, DEFAULT_COUNT, "branch instructions retired that were mispredicted"),
    event(&["bus-cycles"], 6, DEFAULT_COUNT, "bus clock cycles while not halted"),
    event(
        &["stalled-cycles-frontend", "idle-cycles-frontend"],
        7,
        DEFAULT_COUNT_FREQUENT,
        "cycles in which fetch and decode delivered nothing",
    ),
    event(
        &["stalled-cycles-backend", "idle-cycles-backend"],
        8,
        DEFAULT_COUNT_FREQUENT,
        "cycles in which execution took nothing",
    ),
    event(&["ref-cycles"], 9, DEFAULT_COUNT_FREQUENT, "cycles at a constant clock rate while not halted"),
];

/// The event of this name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static HardwareEvent> {
    HARDWARE_EVENTS.iter().find(|event| event.names.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

impl HardwareEvent {
    /// The canonical name.
    pub(crate) fn name(&self) -> &'static str {
        self.names[0]
    }

    /// Encodes the event; `pmu_type` is that of the core PMU where there are several.
    pub(crate) fn encode(&self, pmu_type: Option<u32>) -> EventConfig {
        let pmu_bits = u64::from(pmu_type.unwrap_or(0)) << PMU_TYPE_SHIFT;
        EventConfig {
            description: self.description.to_owned(),
            default_count: self.default_count,
            min_count: min_count(self.default_count),
            ..EventConfig::new(self.name(), EventKind::Hardware, TYPE_HARDWARE, pmu_bits | self.id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_positions_and_names_are_found_in_any_case() {
        for (position, event) in HARDWARE_EVENTS.iter().enumerate() {
            assert_eq!(event.id, position as u64);
            for name in event.names {
                assert_eq!(find(&name.to_uppercase()).unwrap().id, event.id);
            }
        }
        assert!(find("cycle").is_none());
    }

    #[test]
    fn the_type_of_one_pmu_among_several_goes_to_the_upper_half() {
        assert_eq!(find("cycles").unwrap().encode(Some(8)).config, 0x8_0000_0000);
        assert_eq!(find("branch-misses").unwrap().encode(Some(4)).config, 0x4_0000_0005);
        assert_eq!(find("ref-cycles").unwrap().encode(None).config, 9);
    }
}
