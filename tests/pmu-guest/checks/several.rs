//! Several events in one recording.

use crate::figures::{
    COUNT, COVERED, COVERED_BY_INSTRUCTIONS, CYCLES, INSTRUCTIONS, SHARES, TOLERANCE, TWICE,
};
use crate::recorded::{Recorded, record};
use crate::workload;

pub(crate) fn two_events() -> String {
    both(&record(&format!("-e cycles:u -e instructions:u -c {COUNT}"), SHARES))
}

pub(crate) fn a_group() -> String {
    both(&record(&format!("-e {{cycles,instructions}}:u -c {COUNT}"), SHARES))
}

/// Cycles and instructions, each with its own samples.
fn both(recorded: &Recorded) -> String {
    recorded.assert_whole();
    recorded.assert_total(0, INSTRUCTIONS * CYCLES, TOLERANCE);
    recorded.assert_total(1, INSTRUCTIONS, TOLERANCE);
    recorded.assert_covered(0, COVERED);
    recorded.assert_covered(1, COVERED_BY_INSTRUCTIONS);
    let [cycles, instructions] = [0, 1].map(|event| recorded.coverage(event).counted.unwrap_or(0) as f64);
    format!(
        "{:.3} cycles for each instruction; cycles: {}; instructions: {}",
        cycles / instructions,
        recorded.assert_shares(0),
        recorded.assert_shares(1)
    )
}

/// Only the cycles are sampled, and with each sample both are read.
pub(crate) fn a_group_read_with_its_leader() -> String {
    let recorded = record(&format!("-e {{cycles,instructions}}:uS -c {COUNT}"), SHARES);
    recorded.assert_whole();
    recorded.assert_total(0, INSTRUCTIONS * CYCLES, TOLERANCE);
    recorded.assert_total(1, INSTRUCTIONS, TOLERANCE);
    recorded.assert_covered(0, COVERED);
    recorded.assert_covered(1, COVERED);
    format!("{}; {}", recorded.assert_shares(0), ratios(&recorded))
}

/// The same while nine others want the counters, too: what both counted they counted at the same time.
pub(crate) fn a_group_that_takes_turns() -> String {
    let others: Vec<String> = ELEVEN[1..10].iter().map(|(event, _)| format!("-e {event}")).collect();
    let options = format!("-e {{cycles:u,INST_RETIRED:u}}:S {} -c {COUNT}", others.join(" "));
    let recorded = record(&options.replace("-e INST_RETIRED:u ", ""), TWICE);
    let running = [0, 1].map(|event| recorded.coverage(event).running());
    assert!(running[0] < 0.95 && (running[0] - running[1]).abs() < 0.01, "{running:?}: {}", recorded.stderr);
    format!("counted {:.0} % of the time; {}", 100.0 * running[0], ratios(&recorded))
}

/// The instructions for each cycle of every function are those of the machine.
fn ratios(recorded: &Recorded) -> String {
    let each = workload::SHARES.map(|(function, _)| {
        let [cycles, instructions] = [0, 1].map(|event| recorded.events_in(event, function) as f64);
        let ratio = instructions / cycles * CYCLES;
        // Where a sample falls into another function than the events before it did.
        assert!((ratio - 1.0).abs() < 0.02, "{function}: {ratio:.4} of the machine's: {}", recorded.stderr);
        format!("{:.5}", instructions / cycles)
    });
    format!("instructions per cycle {}", each.join(", "))
}

/// More than fit, which may take turns.
pub(crate) fn a_weak_group_is_broken_up() -> String {
    let recorded =
        record(&format!("-e {{r11:u,r8:u,r11:k,r8:k,r11,r8,cycles,instructions}}:W -c {COUNT}"), TWICE);
    let note = recorded.stderr.lines().find(|line| line.contains("at the same time"));
    let note = note.unwrap_or_else(|| panic!("it says so: {}", recorded.stderr));
    assert!(recorded.recording.events.iter().all(|event| event.group.is_none()), "no group is left");
    note.trim_start_matches("oprof: ").to_owned()
}

/// Eleven events, all of which count the work's cycles or instructions, on seven counters.
pub(crate) const ELEVEN: [(&str, f64); 11] = [
    ("cycles:u", CYCLES),
    ("r11:u", CYCLES),
    ("CPU_CYCLES:u", CYCLES),
    ("cycles", CYCLES),
    ("r11", CYCLES),
    ("CPU_CYCLES", CYCLES),
    ("instructions:u", 1.0),
    ("r8:u", 1.0),
    ("INST_RETIRED:u", 1.0),
    ("instructions", 1.0),
    ("r8", 1.0),
];

/// They take turns, which the line of each says, with the total scaled to the whole time.
pub(crate) fn eleven_events() -> String {
    let options: Vec<String> = ELEVEN.iter().map(|(event, _)| format!("-e {event}")).collect();
    let recorded = record(&format!("{} -c {COUNT}", options.join(" ")), TWICE);
    let mut running = Vec::new();
    let mut worst = 0.0_f64;
    for (index, (event, each)) in ELEVEN.into_iter().enumerate() {
        running.push(recorded.coverage(index).running());
        let line = recorded.coverage_line(index);
        let scaled = line.split_once("(multiplexed: the total is of that time, over all of it about ");
        let scaled = scaled.and_then(|(_, scaled)| scaled.strip_suffix(')')?.replace(',', "").parse().ok());
        let scaled: f64 = scaled.unwrap_or_else(|| panic!("{event} is not marked: {line}"));
        let off = scaled / (2.0 * INSTRUCTIONS * each) - 1.0;
        // To let events take turns is work of the kernel's, which others than the work's own count too.
        let most = if event.ends_with(":u") { 0.1 } else { 0.25 };
        assert!((-0.1..most).contains(&off), "{event}: off by {:.1} %: {}", 100.0 * off, recorded.stderr);
        worst = worst.max(off.abs());
    }
    let (least, most) =
        (running.iter().copied().fold(1.0, f64::min), running.iter().copied().fold(0.0, f64::max));
    assert!(least > 0.3 && most < 0.9, "eleven on seven counters: {running:?}");
    format!(
        "counted {:.0} to {:.0} % of the time, all marked; scaled they differ by {:.1} % at most",
        100.0 * least,
        100.0 * most,
        100.0 * worst
    )
}
