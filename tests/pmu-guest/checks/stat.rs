//! `oprof stat`: counts without samples.

use serde_json::Value;

use crate::figures::{CYCLES, INSTRUCTIONS, SHARES, TOLERANCE, TWICE};
use crate::harness::{Place, assert_one_line, finish};
use crate::several::ELEVEN;

/// Counts work of `workload.rs`; gives the events of the JSON.
#[track_caller]
fn counted(options: &str, work: &str) -> Vec<Value> {
    let place = Place::new();
    let mut stat = place.oprof(["stat", "--json"]);
    stat.args(options.split_whitespace()).arg("--").arg(std::env::current_exe().expect("a path"));
    let finished = finish(stat.arg("workload").args(work.split_whitespace())).with_status(0);
    let json = finished.stderr.lines().find(|line| line.starts_with('{')).unwrap_or(&finished.stderr);
    let json: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    json["events"].as_array().expect("events").clone()
}

#[track_caller]
fn count(event: &Value) -> f64 {
    event["count"].as_f64().unwrap_or_else(|| panic!("no count: {event}"))
}

/// In both scopes, and the ratio of the two.
pub(crate) fn counts_are_exact() -> String {
    let mut figures = Vec::new();
    for scope in ["inherit", "cgroup"] {
        let events = counted(&format!("--scope {scope} -e {{cycles,instructions}}:u"), SHARES);
        for (event, expected) in events.iter().zip([INSTRUCTIONS * CYCLES, INSTRUCTIONS]) {
            let ratio = count(event) / expected;
            assert!((ratio - 1.0).abs() < TOLERANCE, "{scope}: {ratio:.4} of what is expected: {event}");
            figures.push(format!("{:.2} %", 100.0 * ratio));
        }
        let ratios = events[1]["ratios"].as_array().expect("ratios");
        let of_cycles = ratios.iter().find(|ratio| ratio["unit"] == "per cycle");
        let of_cycles = of_cycles.and_then(|ratio| ratio["value"].as_f64()).expect("instructions per cycle");
        assert!((of_cycles * CYCLES - 1.0).abs() < 0.001, "{scope}: {of_cycles} instructions per cycle");
    }
    format!("of the program's cycles and instructions {}", figures.join(", "))
}

/// Where events take turns their counts are scaled, and the times tell that.
pub(crate) fn eleven_are_scaled() -> String {
    let options: Vec<String> = ELEVEN.iter().map(|(event, _)| format!("-e {event}")).collect();
    let events = counted(&options.join(" "), TWICE);
    assert_eq!(events.len(), ELEVEN.len());
    let mut worst = 0.0_f64;
    for ((name, each), event) in ELEVEN.iter().zip(&events) {
        let time = |name: &str| event[name].as_f64().expect("a time");
        let running = time("time_running") / time("time_enabled");
        assert!((0.3..0.9).contains(&running), "{name} was counted {running:.2} of the time: {event}");
        if name.ends_with(":u") {
            let off = count(event) / (2.0 * INSTRUCTIONS * each) - 1.0;
            assert!(off.abs() < 0.1, "{name} is off by {:.1} %: {event}", 100.0 * off);
            worst = worst.max(off.abs());
        }
    }
    format!("the user code's are off by {:.1} % at most", 100.0 * worst)
}

pub(crate) fn an_event_that_this_pmu_lacks() -> String {
    let place = Place::new();
    let finished = finish(&mut place.oprof(["stat", "-e", "cache-misses", "touch", "ran"])).with_status(125);
    assert_one_line(&finished.stderr, &["cache-misses"]);
    assert!(!place.path("ran").exists(), "the command has run");
    finished.stderr.trim_end().trim_start_matches("oprof: ").to_owned()
}
