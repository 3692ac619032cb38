//! Call graphs: every call stands once with its caller and once with its callee, shares are of their sums, and the XML of
//! them is what the schema says.

mod recordings;

use std::io::Write;
use std::process::{Command, Stdio};

use oprof_profile::{Call, EventId, ImageId, ImageOffset, ProcessId, Recording, Unresolved};
use oprof_report::render::{XmlSetting, opreport_call_graph, opreport_xml};
use oprof_report::{CallGraph, Cell, ClassOrder, Column, Options};
use proptest::prelude::*;
use recordings::{Builder, counter};

/// A program whose `main` calls `fib`, which calls itself, and a library without symbols that calls back.
fn recording() -> Recording {
    let mut builder = Builder::new([counter("CYCLES", "cycles", 1000)]);
    let app = builder.app("/bin/app");
    let (program, library) = (builder.image("/bin/app"), builder.image("/lib/plain.so"));
    let main = builder.offset(program, Ok(("main", 0)));
    let fib = builder.offset(program, Ok(("fib", 0)));
    let plain = builder.offset(library, Err(Unresolved::NoSymbols));
    builder.sample(app, program, main, 0, 10, 1000);
    builder.sample(app, program, fib, 0, 37, 1000);
    builder.sample(app, library, plain, 0, 5, 1000);
    let mut recording = builder.recording;
    let mut call = |caller: (ImageId, ImageOffset), callee: (ImageId, ImageOffset), times| {
        let (caller_image, caller) = caller;
        let (callee_image, callee) = callee;
        let call = Call {
            process: app,
            thread: 0,
            caller_image,
            caller,
            callee_image,
            callee,
            event: EventId(0),
            cpu: 0,
        };
        recording.calls.add(call, times);
    };
    call((program, main), (program, fib), 40);
    call((program, fib), (program, fib), 800);
    call((library, plain), (program, fib), 3);
    call((program, main), (library, plain), 8);
    recording
}

fn text(recording: &Recording, options: &Options) -> String {
    let mut out = Vec::new();
    opreport_call_graph(recording, options, &mut out).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

/// Recursion is a caller and a callee of its own beside the function's own samples; what an image without symbols calls is
/// kept.
#[test]
fn callers_stand_above_and_callees_below() {
    let text = text(&recording(), &Options { no_header: true, ..Options::default() });
    let rule = "-".repeat(79);
    let lines = [
        rule.as_str(),
        "  3         0.3559  plain.so                 (no symbols)",
        "  40        4.7450  app                      main",
        "  800      94.8992  app                      fib",
        "37       71.1538  app                      fib",
        "  800      95.5795  app                      fib",
        "  37        4.4205  app                      fib [self]",
        rule.as_str(),
        "10       19.2308  app                      main",
        "  40       68.9655  app                      fib",
        "  10       17.2414  app                      main [self]",
        "  8        13.7931  plain.so                 (no symbols)",
        rule.as_str(),
        "  8        100.000  app                      main",
        "5         9.6154  plain.so                 (no symbols)",
        "  5        62.5000  plain.so                 (no symbols) [self]",
        "  3        37.5000  app                      fib",
        rule.as_str(),
    ];
    let fields = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let got: Vec<String> = text.lines().map(fields).collect();
    assert_eq!(got, lines.map(fields));
    let got: Vec<&str> = text.lines().collect();
    assert!(got[1].starts_with("  3") && got[4].starts_with("37"), "{text}");
}

/// With a threshold symbols without samples of their own go, and so do callers and callees of small shares.
#[test]
fn small_shares_are_left_out() {
    let text = text(&recording(), &Options { threshold: 10.0, ..Options::default() });
    assert!(text.contains("main [self]") && !text.contains("fib [self]"), "{text}");
    assert!(!text.contains("\n5 "), "a symbol of 9.6 %:\n{text}");
}

#[test]
fn the_xml_is_what_the_schema_says() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/opreport.xsd");
    let mut hostile = recording();
    hostile.names[0].symbols[0].name = "a<b>&\"'\u{1}\u{202e}\u{fffe}]]>".to_owned();
    hostile.images[1].name = "/tmp/\u{b}<module>".to_owned();
    for (call_graph, details) in [(false, false), (false, true), (true, false)] {
        let setting = XmlSetting {
            title: "opreport -X \"<",
            call_graph,
            code: &|_, _, size| Some(vec![0x90; usize::try_from(size).expect("small")]),
        };
        let options = Options { details, lines: details, ..Options::default() };
        let mut xml = Vec::new();
        opreport_xml(&hostile, &options, &setting, &mut xml).expect("written");
        let arguments = ["--noout", "--schema", schema, "-"];
        let lint =
            Command::new("xmllint").args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let Ok(mut lint) = lint else {
            eprintln!("skipped: xmllint is not installed");
            return;
        };
        lint.stdin.take().expect("a pipe").write_all(&xml).expect("read");
        let output = lint.wait_with_output().expect("an end");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&xml));
    }
}

fn any_calls() -> impl Strategy<Value = Vec<(u8, u8, u64)>> {
    prop::collection::vec((0..6_u8, 0..6_u8, 1..1000_u64), 0..40)
}

proptest! {
    /// Each call is seen from both of its ends; shares of callers, and of callees with the symbol's own samples, sum to 1.
    #[test]
    fn calls_are_seen_from_both_ends(samples in prop::collection::vec(0..500_u64, 6), calls in any_calls()) {
        let mut builder = Builder::new([counter("CYCLES", "cycles", 1000)]);
        let app = builder.app("/bin/app");
        let image = builder.image("/bin/app");
        let names: Vec<String> = (0..6).map(|number| format!("f{number}")).collect();
        let offsets: Vec<_> = names.iter().map(|name| builder.offset(image, Ok((name.as_str(), 0)))).collect();
        for (offset, samples) in offsets.iter().zip(&samples).filter(|(_, samples)| **samples > 0) {
            builder.sample(app, image, *offset, 0, *samples, 1000);
        }
        let mut recording = builder.recording;
        for (caller, callee, times) in &calls {
            let call = Call {
                process: ProcessId(app.0), thread: 0,
                caller_image: image, caller: offsets[usize::from(*caller)],
                callee_image: image, callee: offsets[usize::from(*callee)],
                event: EventId(0), cpu: 0,
            };
            recording.calls.add(call, *times);
        }
        let graph = CallGraph::new(&recording, ClassOrder::ByName, &Options::default());
        let total: u64 = calls.iter().map(|(_, _, times)| times).sum();
        let (mut from_callees, mut from_callers, mut own) = (0, 0, 0);
        for row in 0..graph.report().rows().len() {
            let relatives = graph.relatives(row).expect("of each row");
            for side in [&relatives.callers, &relatives.callees] {
                let (mut parts, mut of) = (0, 0);
                for relative in side {
                    let Cell::Percent { part, whole } = graph.cell(relative, Column::Percent(0)) else {
                        panic!("a share");
                    };
                    parts += part;
                    of = whole;
                }
                prop_assert_eq!(parts, of);
            }
            let sum = |side: &[oprof_report::Relative], is_self: bool| -> u64 {
                side.iter().filter(|one| one.is_self == is_self).map(|one| one.row.counts[0].samples).sum()
            };
            from_callers += sum(&relatives.callers, false);
            from_callees += sum(&relatives.callees, false);
            own += sum(&relatives.callees, true);
        }
        prop_assert_eq!((from_callers, from_callees), (total, total));
        prop_assert_eq!(own, samples.iter().sum::<u64>());
    }
}
