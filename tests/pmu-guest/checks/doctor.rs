//! What oprof says of this machine.

use serde_json::Value;

use crate::figures::{COUNT, COVERED, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE};
use crate::harness::{Place, finish};
use crate::recorded::record;

/// The events of `oprof list --json`.
fn listed() -> Vec<Value> {
    let list = finish(&mut Place::new().oprof(["list", "--json"])).with_status(0);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    list["events"].as_array().expect("events").clone()
}

/// Those of the PMU itself and the kernel's generic ones; caches are refused.
pub(crate) fn events_are_listed_as_openable() -> String {
    let events = listed();
    let state = |name: &str| {
        let event = events
            .iter()
            .find(|event| event["name"] == name)
            .unwrap_or_else(|| panic!("{name} is not listed"));
        event["state"].as_str().expect("a state").to_owned()
    };
    for name in ["cycles", "instructions", "armv8_pmuv3/cpu_cycles/", "armv8_pmuv3/inst_retired/"] {
        assert_eq!(state(name), "samples", "{name}");
    }
    for name in ["cache-misses", "branch-misses"] {
        assert_eq!(state(name), "refused", "{name}");
    }
    let of_pmu = events.iter().filter(|event| event["group"] == "PMU armv8_pmuv3");
    let open = of_pmu.clone().filter(|event| event["state"] == "samples").count();
    assert_eq!(open, of_pmu.clone().count(), "{:#?}", of_pmu.collect::<Vec<_>>());
    format!("{open} events of the PMU can be sampled, cache-misses and branch-misses are refused")
}

pub(crate) fn the_doctor_finds_the_counters() -> String {
    let doctor = finish(&mut Place::new().oprof(["doctor"]));
    let line = doctor.text().lines().find(|line| line.contains("hardware counters"));
    let line = line.unwrap_or_else(|| panic!("{}", doctor.text())).trim();
    assert!(line.contains("armv8_pmuv3") && line.contains("cycles can be sampled"), "{line}");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The table of the emulated core, a Cortex-A57, is found, and its events are what the architecture numbers.
pub(crate) fn names_of_the_vendor_open() -> String {
    let events = listed();
    let of_core: Vec<&Value> = events.iter().filter(|event| event["group"] == "cortex-a57").collect();
    let (open, refused): (Vec<&Value>, Vec<&Value>) =
        of_core.into_iter().partition(|event| event["state"] == "samples");
    let refused: Vec<&Value> = refused.iter().map(|event| &event["name"]).collect();
    // The kernel keeps that for itself, to make one counter of two.
    assert_eq!(refused, ["CHAIN"], "of the core's events");
    let open = open.len();
    assert!(open >= 50, "{open} events of the core");
    let recorded = record(&format!("-e CPU_CYCLES:u -c {COUNT}"), SHARES);
    let total = recorded.assert_total(0, INSTRUCTIONS * CYCLES, TOLERANCE);
    let retired = record(&format!("-e INST_RETIRED:u -c {COUNT}"), SHARES);
    retired.assert_total(0, INSTRUCTIONS, TOLERANCE);
    format!("{open} of cortex-a57; CPU_CYCLES: {total}, {}", recorded.assert_covered(0, COVERED))
}
