//! OProfile's layouts, byte for byte. The golden files are the output of OProfile 1.5git on recordings with the
//! counts of `recordings/*.tsv`, named by recording and flags. OProfile names the code of an image without symbols
//! by the image's path and leaves out samples between symbols: the tests ask for the same.

mod recordings;

use oprof_profile::{EventId, Recording};
use oprof_report::Options;
use oprof_report::render::{opreport_summary, opreport_symbols};

fn oprofile() -> Options {
    Options { symbolless_path: true, exclude_unresolved: true, ..Options::default() }
}

fn symbols(recording: &Recording, options: Options) -> String {
    let mut out = Vec::new();
    opreport_symbols(recording, &options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

fn summary(recording: &Recording, options: Options) -> String {
    let mut out = Vec::new();
    opreport_summary(recording, &options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

/// Compares line by line: a difference is told by its line, not by two texts of many thousand characters.
#[track_caller]
fn assert_same(text: &str, golden: &str) {
    for (number, (line, expected)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(line, expected, "line {}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "number of lines");
    assert_eq!(text, golden);
}

#[test]
fn summary_of_one_event() {
    assert_same(&summary(&recordings::default(), oprofile()), include_str!("golden/opreport.default.txt"));
}

#[test]
fn summary_of_three_events() {
    assert_same(&summary(&recordings::multi(), oprofile()), include_str!("golden/opreport.multi.txt"));
}

#[test]
fn summary_without_header() {
    let options = Options { no_header: true, ..oprofile() };
    assert_same(&summary(&recordings::default(), options), include_str!("golden/opreport.default.-n.txt"));
}

#[test]
fn summary_with_long_names() {
    let options = Options { long_names: true, ..oprofile() };
    assert_same(&summary(&recordings::multi(), options), include_str!("golden/opreport.multi.-f.txt"));
}

#[test]
fn summary_with_a_threshold_cuts_apps_only() {
    let options = Options { threshold: 5.0, ..oprofile() };
    assert_same(&summary(&recordings::default(), options), include_str!("golden/opreport.default.-t5.txt"));
}

#[test]
fn summary_with_global_percentages() {
    let options = Options { global_percent: true, ..oprofile() };
    assert_same(&summary(&recordings::multi(), options), include_str!("golden/opreport.multi.-pct.txt"));
}

#[test]
fn symbols_of_one_event() {
    assert_same(&symbols(&recordings::default(), oprofile()), include_str!("golden/opreport.default.-l.txt"));
}

#[test]
fn symbols_with_long_names() {
    let options = Options { long_names: true, ..oprofile() };
    assert_same(&symbols(&recordings::default(), options), include_str!("golden/opreport.default.-l.-f.txt"));
}

#[test]
fn symbols_of_three_events() {
    assert_same(&symbols(&recordings::multi(), oprofile()), include_str!("golden/opreport.multi.-l.txt"));
}

#[test]
fn symbols_without_header() {
    let options = Options { no_header: true, ..oprofile() };
    let golden = include_str!("golden/opreport.multi.-l.txt");
    let rows = golden.split_once("symbol name\n").expect("a line of titles").1;
    assert_same(&symbols(&recordings::multi(), options), rows);
}

#[test]
fn symbols_reach_the_threshold_with_any_event() {
    let options = Options { threshold: 1.0, ..oprofile() };
    assert_same(&symbols(&recordings::multi(), options), include_str!("golden/opreport.multi.-l.-t1.txt"));
}

#[test]
fn events_stand_in_the_order_of_their_names_however_they_were_asked_for() {
    let mut recording = recordings::multi();
    recording.events.reverse();
    let turned = recording.counts.iter().map(|(mut key, count)| {
        key.event = EventId(2 - key.event.0);
        (key, count)
    });
    recording.counts = turned.collect();
    assert_same(&symbols(&recording, oprofile()), include_str!("golden/opreport.multi.-l.txt"));
    assert_same(&summary(&recording, oprofile()), include_str!("golden/opreport.multi.txt"));
}

#[test]
fn an_event_without_a_sample_has_no_columns() {
    let mut recording = recordings::default();
    recording.events.push(recordings::counter("A_RARE_ONE", "", 1));
    assert_same(&symbols(&recording, oprofile()), include_str!("golden/opreport.default.-l.txt"));
}

#[test]
fn images_of_an_app_with_as_many_samples_stand_in_the_order_of_sample_files() {
    let mut builder = recordings::Builder::new([recordings::cpu_clock()]);
    for image in ["/a/lib.so", "[vdso]", "/z/app", "/b/lib.so"] {
        builder.symbol("/z/app", image, "code", 5);
    }
    let options = Options { no_header: true, long_names: true, ..Options::default() };
    let text = summary(&builder.recording, options);
    let names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next_back()).collect();
    assert_eq!(names, ["/z/app", "/z/app", "[vdso]", "/a/lib.so", "/b/lib.so"]);
}
