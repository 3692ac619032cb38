//! OProfile's layouts, byte for byte. The golden files are the output of OProfile 1.5git on recordings with the
//! counts of `recordings/*.tsv`, named by recording and flags. OProfile names the code of an image without symbols
//! by the image's path and leaves out samples between symbols: the tests ask for the same.

mod recordings;

use oprof_profile::Recording;
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
