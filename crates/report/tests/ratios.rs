//! What the events of a group say together, row by row.

mod recordings;

use oprof_profile::{Event, Recording, Sampling};
use oprof_report::render::{Look, opreport_summary, opreport_symbols, table};
use oprof_report::{By, ClassOrder, Options, Report};
use recordings::{Builder, counter};

/// Cycles, and instructions that are read with their samples; two functions, one of which has few samples.
fn recording(group: Option<u32>, sampling: Sampling) -> Recording {
    let cycles = Event { group, ..counter("cycles", "", 1000) };
    let instructions = Event { group, sampling, ..counter("instructions", "", 1000) };
    let mut builder = Builder::new([instructions, cycles]);
    let (app, image) = (builder.app("/bin/app"), builder.image("/bin/app"));
    for (symbol, samples, instructions_each) in [("fast", 40, 2500), ("slow", 60, 500), ("rare", 5, 1000)] {
        let offset = builder.offset(image, Ok((symbol, 0)));
        builder.sample(app, image, offset, 0, samples, instructions_each);
        builder.sample(app, image, offset, 1, samples, 1000);
    }
    builder.recording
}

fn plain(recording: &Recording) -> String {
    let mut out = Vec::new();
    opreport_symbols(recording, &Options::default(), &mut out).expect("writing to memory");
    let text = String::from_utf8(out).expect("text");
    text.lines().skip(3).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_group_that_is_read_has_events_and_a_ratio_in_each_row_of_enough_samples() {
    let recording = recording(Some(0), Sampling::WithLeader);
    let expected = "\
samples  %        events        %        per cycle symbol name
60       57.1429  30000         22.2222  0.500     slow
40       38.0952  100000        74.0741  2.500     fast
5         4.7619  5000           3.7037            rare
";
    assert_eq!(plain(&recording), expected, "the leader comes first, shares are of the events");
    let mut out = Vec::new();
    let report = Report::new(&recording, By::App, ClassOrder::AsAsked, &Options::default());
    table(&report, Look::default(), &mut out).expect("writing to memory");
    let text = String::from_utf8(out).expect("text");
    // 135,000 instructions in 105,000 cycles.
    assert!(text.contains("per cycle") && text.contains("1.286"), "{text}");
    let mut out = Vec::new();
    opreport_summary(&recording, &Options::default(), &mut out).expect("writing to memory");
    let summary = String::from_utf8(out).expect("text");
    assert!(summary.contains("  samples|      %|   events|      %|\n"), "{summary}");
    assert!(summary.ends_with("      105 100.000    135000 100.000 app\n"), "{summary}");
}

#[test]
fn events_that_each_have_samples_have_a_ratio_in_a_group_alone() {
    let grouped = plain(&recording(Some(3), Sampling::Count(1000)));
    assert!(grouped.starts_with("samples  %        samples  %        per cycle symbol name\n"), "{grouped}");
    let single = plain(&recording(None, Sampling::Count(1000)));
    assert!(!single.contains("per cycle"), "{single}");
}
