//! What perf(1) asks the kernel for.
//!
//! perf prints each `perf_event_attr` before it opens it, so that no PMU is needed: only a tree that looks like one.
#![allow(dead_code, reason = "each test program uses its part")]

use std::io::Write as _;
use std::process::Command;

use oprof_events::EventConfig;

use crate::tree::Tree;

/// Type, config, config1, config2.
pub(crate) type Encoded = [u64; 4];
/// exclude_user, exclude_kernel, exclude_hv, precise_ip.
pub(crate) type Modes = [u64; 4];
/// What is compared of an attribute.
pub(crate) type Attribute = (Encoded, Modes);

/// Most events of one perf, which takes hundreds in a tenth of a second.
const AT_ONCE: usize = 100;

/// What `perf --version` prints; where perf is not installed, a note that the test is skipped.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("perf").arg("--version").output().ok().filter(|output| output.status.success());
    if output.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: perf is not installed");
    }
    Some(String::from_utf8_lossy(&output?.stdout).trim().to_owned())
}

/// Whether this is the version whose peculiarities the tests know.
pub(crate) fn is_6_1(version: &str) -> bool {
    version.starts_with("perf version 6.1.")
}

/// The same of an event of ours.
pub(crate) fn encoded(config: &EventConfig) -> Attribute {
    let modes = [!config.user, !config.kernel, !config.hypervisor].map(u64::from);
    (
        [u64::from(config.pmu_type), config.config, config.config1, config.config2],
        [modes[0], modes[1], modes[2], u64::from(config.precise)],
    )
}

/// An event that was resolved, and how it is spelt out for perf.
pub(crate) struct Pair {
    pub(crate) ours: EventConfig,
    pub(crate) spelt_out: String,
}

/// What perf makes otherwise of the events.
pub(crate) fn differences(tree: &Tree, pairs: &[Pair]) -> Vec<String> {
    let mut different = Vec::new();
    for pairs in pairs.chunks(AT_ONCE) {
        let asked: Vec<_> = pairs.iter().map(|pair| pair.spelt_out.as_str()).collect();
        let printed = attributes(tree, &asked);
        // perf opens an event again with less where it may not look into the kernel, and others first to probe it.
        let of_each = printed.len() / pairs.len();
        let probes = printed.len() - of_each * pairs.len();
        for (at, Pair { ours, spelt_out }) in pairs.iter().enumerate() {
            let wanted = encoded(ours);
            if printed[probes..][at * of_each..][..of_each].contains(&wanted) {
                continue;
            }
            // An error may have ended perf before this event.
            let theirs = attributes(tree, &[spelt_out]);
            if !theirs.contains(&wanted) {
                different.push(format!("{} as {spelt_out}: {wanted:x?}, perf's {theirs:x?}", ours.spec));
            }
        }
    }
    different
}

/// The attributes that perf prints for events, in their order.
pub(crate) fn attributes<S: AsRef<str>>(tree: &Tree, events: &[S]) -> Vec<Attribute> {
    let output = Command::new("perf")
        .args(["stat", "-vv"])
        .args(events.iter().flat_map(|event| ["-e", event.as_ref()]))
        .arg("true")
        .env("SYSFS_PATH", tree.path())
        // Keeps perf's own tables for this machine's processor out.
        .env("PERF_CPUID", "none")
        .output()
        .expect("perf starts");
    let text = String::from_utf8_lossy(&output.stderr);
    text.split("perf_event_attr:").skip(1).map(attribute).collect()
}

/// Reads an attribute as it is printed: a name and a value a line, without those of value 0.
fn attribute(text: &str) -> Attribute {
    let block = text.split("-----").next().unwrap_or_default();
    let value = |names: &[&str]| {
        let line = block.lines().find_map(|line| {
            let (name, value) = line.trim().rsplit_once("  ")?;
            names.contains(&name.trim()).then(|| value.trim())
        });
        let number = line.and_then(|value| value.split_whitespace().next()).unwrap_or("0");
        let parsed = match number.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => number.parse(),
        };
        parsed.unwrap_or_else(|_| panic!("a number is missing in {block}"))
    };
    let encoded = [
        &["type"][..],
        &["config"],
        &["{ bp_addr, config1 }", "config1"],
        &["{ bp_len, config2 }", "config2"],
    ];
    let modes = ["exclude_user", "exclude_kernel", "exclude_hv", "precise_ip"];
    (encoded.map(value), modes.map(|name| value(&[name])))
}

/// The events that perf's own table has for a processor: PMU, name and terms, without the period.
pub(crate) fn table(tree: &Tree, processor: &str) -> Vec<(String, String, String)> {
    let output = Command::new("perf")
        .args(["list", "-v", "--details"])
        .env("SYSFS_PATH", tree.path())
        .env("PERF_CPUID", processor)
        .output()
        .expect("perf starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut name = "";
    let mut events = Vec::new();
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        if depth == 2 {
            // `NAME` or `NAME OR cpu/NAME/`.
            name = line.split_whitespace().next().unwrap_or_default();
        }
        let spelt_out = line.trim().strip_suffix('/').and_then(|line| line.split_once('/'));
        if let Some((pmu, terms)) = spelt_out.filter(|(pmu, _)| depth == 8 && pmu.starts_with("cpu")) {
            let terms: Vec<_> = terms.split(',').filter(|term| !term.starts_with("period=")).collect();
            events.push((pmu.to_owned(), name.to_owned(), terms.join(",")));
        }
    }
    events
}
