//! What holds of every grouping of every recording, odd ones included.

mod recordings;

use oprof_profile::{
    BuildId, Count, EventId, Image, ImageId, ImageIdentity, ImageKind, ImageOffset, Key, Process, ProcessId,
    Recording, Sampling, SymbolId,
};
use oprof_report::render::{Look, opreport_summary, opreport_symbols, table};
use oprof_report::{By, Cell, ClassOrder, Column, Options, Report, coverage_line, notes};
use recordings::{Builder, counter, cpu_clock};

fn report(recording: &Recording, by: By) -> Report<'_> {
    Report::new(recording, by, ClassOrder::AsAsked, &Options::default())
}

/// Samples and weights of each event, added up without any grouping.
fn totals(recording: &Recording) -> Vec<Count> {
    let mut totals = vec![Count::default(); recording.events.len()];
    for (key, count) in recording.counts.iter() {
        totals[usize::from(key.event.0)].add(count);
    }
    totals
}

fn every_text(recording: &Recording) -> String {
    let mut out = Vec::new();
    for by in By::ALL {
        table(&report(recording, by), Look::default(), &mut out).expect("writing to memory");
    }
    let options = Options { long_names: true, ..Options::default() };
    opreport_summary(recording, &options, &mut out).expect("writing to memory");
    opreport_symbols(recording, &options, &mut out).expect("writing to memory");
    let text = String::from_utf8(out).expect("text");
    format!("{text}{}\n{}", coverage_line(recording), notes(recording).join("\n"))
}

#[test]
fn all_groupings_have_the_samples_of_the_recording() {
    for recording in [recordings::default(), recordings::multi()] {
        for by in By::ALL {
            let report = report(&recording, by);
            let mut sums = vec![Count::default(); recording.events.len()];
            for row in report.rows() {
                sums.iter_mut().zip(&row.counts).for_each(|(sum, count)| sum.add(*count));
            }
            assert_eq!(sums, totals(&recording), "by {by}");
            assert_eq!(report.sums(), sums, "by {by}");
        }
    }
}

#[test]
fn percentages_of_every_grouping_sum_to_a_hundred() {
    for recording in [recordings::default(), recordings::multi()] {
        for by in By::ALL {
            let report = report(&recording, by);
            for class in 0..report.classes().len() {
                let sum: f64 = report.rows().iter().map(|row| report.share(row, class)).sum();
                assert!((sum - 1.0).abs() < 1e-9, "by {by}: {sum}");
            }
        }
    }
}

#[test]
fn the_order_of_rows_does_not_depend_on_the_order_of_samples() {
    let recording = recordings::default();
    let mut sorted = recording.clone();
    sorted.counts = recording.counts.sorted().into_iter().rev().collect();
    for by in By::ALL {
        let rows = report(&recording, by).rows().to_vec();
        assert_eq!(report(&sorted, by).rows(), rows, "by {by}");
    }
}

#[test]
fn builds_of_one_file_are_one_image_and_their_symbols_are_one() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/tmp/test", "/tmp/test", "main", 5);
    // The second build: another build id, the symbol at another address.
    let image = ImageId(builder.recording.images.len() as u32);
    let identity = ImageIdentity::BuildId(BuildId::new(&[7; 20]).expect("20 bytes"));
    builder.recording.images.push(Image { name: "/tmp/test".into(), kind: ImageKind::File, identity });
    builder.recording.names.push(builder.recording.names[0].clone());
    builder.recording.names[1].symbols[0].address.0 += 64;
    let process = builder.process(Process { app: Some(image), ..Process::default() });
    builder.sample(process, image, ImageOffset(0), 0, 2, 1);
    for by in [By::App, By::Image, By::Symbol] {
        let report = report(&builder.recording, by);
        assert_eq!(report.rows().len(), 1, "by {by}");
        assert_eq!(report.rows()[0].counts[0].samples, 7);
    }
}

#[test]
fn static_functions_of_one_name_are_two_symbols() {
    let mut builder = Builder::new([cpu_clock()]);
    let (app, image) = (builder.app("/bin/app"), builder.image("/bin/app"));
    let offsets = [0, 1].map(|occurrence| builder.offset(image, Ok(("helper", occurrence))));
    // The one at the higher address is sampled first, and as often as the other.
    builder.recording.names[0].symbols[0].address.0 = 0x9000;
    for offset in offsets {
        builder.sample(app, image, offset, 0, 3, 1 + offset.0);
    }
    let report = report(&builder.recording, By::Symbol);
    let weights: Vec<u64> = report.rows().iter().map(|row| row.counts[0].weight).collect();
    assert_eq!(weights, [6, 3], "the lower address first");
}

#[test]
fn files_of_one_basename_are_two_images() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/a/test", "/a/test", "main", 1);
    builder.symbol("/b/test", "/b/test", "main", 1);
    assert_eq!(report(&builder.recording, By::Image).rows().len(), 2);
}

#[test]
fn a_counter_sampled_by_frequency_takes_shares_of_events_not_of_samples() {
    let mut cycles = counter("cycles", "", 0);
    cycles.sampling = Sampling::Frequency(1000);
    let mut builder = Builder::new([cycles]);
    let (app, image) = (builder.app("/bin/app"), builder.image("/bin/app"));
    // Many samples at a short period stand for less than one at a long one.
    for (symbol, samples, period) in [("ramp", 9, 1), ("steady", 1, 91)] {
        let offset = builder.offset(image, Ok((symbol, 0)));
        builder.sample(app, image, offset, 0, samples, period);
    }
    let mut out = Vec::new();
    opreport_symbols(&builder.recording, &Options::default(), &mut out).expect("writing to memory");
    let expected = "\
CPU: AMD64 generic, speed 2596.13 MHz (estimated)
Counted cycles events (no description) with a unit mask of 0x00 (No unit mask) sampled at 1000 Hz
samples  %        symbol name
1        91.0000  steady
9         9.0000  ramp
";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn a_clock_sampled_by_frequency_has_a_count() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/app", "/bin/app", "main", 1);
    let text = every_text(&builder.recording);
    let line =
        "Counted cpu-clock events (time on a CPU) with a unit mask of 0x00 (No unit mask) count 1000000\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn what_a_recording_names_never_reaches_a_terminal_raw() {
    const EVIL: &str = "/evil\x1b]0;title\x07\n\u{202e}\u{9b}31m";
    let mut builder = Builder::new([counter(EVIL, EVIL, 1), counter("other", "", 1)]);
    builder.symbol(EVIL, EVIL, EVIL, 5);
    builder.symbol("/bin/app", EVIL, EVIL, 5);
    builder.process(Process {
        comm: EVIL.into(),
        arguments: vec![EVIL.into()],
        working_directory: Some(EVIL.into()),
        event_totals: vec![9, 9],
        ..Process::default()
    });
    let lonely = builder.process(Process { comm: EVIL.into(), ..Process::default() });
    builder.sample(lonely, ImageId(0), ImageOffset(0), 0, 1, 1);
    builder.recording.run.cpu = EVIL.into();
    builder.recording.run.notes = vec![EVIL.into()];
    let text = every_text(&builder.recording);
    let raw = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
    assert_eq!(text.lines().find(|line| line.contains(raw) || line.starts_with(r"\u{202e}")), None);
    assert!(text.contains(r"evil\x1b]0;title\x07\x0a\u{202e}\x9b31m"), "{text}");
}

#[test]
fn an_odd_recording_is_reported_all_the_same() {
    let mut builder = Builder::new([cpu_clock()]);
    let image = builder.image("/bin/app");
    let offset = builder.offset(image, Ok(("main", 0)));
    builder.recording.names[0].offsets[0].1 = Ok(SymbolId(77));
    builder.process(Process {
        app: Some(ImageId(99)),
        before_exec: Some(ProcessId(0)),
        ..Process::default()
    });
    builder.process(Process { event_totals: vec![u64::MAX; 9], ..Process::default() });
    builder.process(Process { event_totals: vec![u64::MAX], ..Process::default() });
    builder.sample(ProcessId(0), image, offset, 0, 1, 1);
    let strays = [
        Key { process: ProcessId(9), thread: 0, image: ImageId(9), offset, event: EventId(0), cpu: 0 },
        Key {
            process: ProcessId(u32::MAX),
            thread: 0,
            image,
            offset: ImageOffset(u64::MAX),
            event: EventId(0),
            cpu: 9,
        },
        Key { process: ProcessId(0), thread: 9, image, offset, event: EventId(9), cpu: u16::MAX },
    ];
    for key in strays {
        builder.recording.counts.add(key, Count { samples: u64::MAX / 2, weight: u64::MAX });
    }
    builder.recording.coverage.events.clear();
    builder.recording.end = None;
    let text = every_text(&builder.recording);
    assert!(text.contains("[unknown]") && text.contains("(unresolved)"), "{text}");
    assert!(text.contains("recording was cut off"), "{text}");
}

#[test]
fn an_empty_recording_is_reported_all_the_same() {
    every_text(&Recording::default());
    let text = every_text(&Builder::new([cpu_clock()]).recording);
    assert!(text.contains("samples  %        symbol name\n"), "{text}");
}

#[test]
fn a_name_of_any_length_is_shown_whole() {
    let mut builder = Builder::new([cpu_clock()]);
    let long = "n".repeat(100_000);
    builder.symbol("/bin/app", "/bin/app", &long, 1);
    builder.symbol("/bin/app", "/bin/app", "short", 1);
    let text = every_text(&builder.recording);
    assert_eq!(text.matches(&long).count(), 2, "in the table and in OProfile's");
    assert!(text.lines().all(|line| line.len() < 101_000));
}

#[test]
fn a_hidden_row_stays_in_the_percentages() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/app", "/bin/app", "hot", 98);
    builder.symbol("/bin/app", "/bin/app", "cold", 2);
    let options = Options { threshold: 5.0, ..Options::default() };
    let report = Report::new(&builder.recording, By::Symbol, ClassOrder::AsAsked, &options);
    assert_eq!((report.rows().len(), report.below_threshold()), (1, 1));
    let cell = report.cell(&report.rows()[0], Column::Percent(0));
    assert_eq!(cell, Cell::Percent { part: 98, whole: 100 });
}

/// An entry that stands for many processes is counted as many, and has no pid of its own.
#[test]
fn folded_processes_are_counted_and_named_as_several() {
    let mut recording = recordings::default();
    let before = number_of_processes(&recording);
    let app = recording.processes[0].app;
    let entry =
        |folded, before_exec| Process { app, folded, before_exec, comm: "cc1".into(), ..Process::default() };
    let first = ProcessId(recording.processes.len() as u32);
    recording.processes.extend([entry(40, None), entry(40, Some(first)), entry(7, None)]);
    let key = Key {
        process: ProcessId(first.0 + 1),
        thread: 0,
        image: app.expect("an app"),
        offset: ImageOffset(0),
        event: EventId(0),
        cpu: 0,
    };
    recording.counts.add(key, Count { samples: 3, weight: 3 });
    assert_eq!(number_of_processes(&recording), before + 47, "one is executed after the other");
    let line = coverage_line(&recording);
    assert!(line.contains(&format!("{} processes", before + 47)), "{line}");
    let mut out = Vec::new();
    table(&report(&recording, By::Process), Look::default(), &mut out).expect("writing to memory");
    table(&report(&recording, By::Command), Look::default(), &mut out).expect("writing to memory");
    let text = String::from_utf8(out).expect("text");
    assert!(text.contains("cc1 (40 processes)") && text.contains("[cc1] (40 processes)"), "{text}");
    assert!(text.contains("more processes without samples"), "{text}");
}

/// What the rows of apps say, and what is said below them.
fn number_of_processes(recording: &Recording) -> u64 {
    let report = report(recording, By::App);
    let number = |row| match report.cell(row, Column::Processes) {
        Cell::Number(number) => number,
        other => panic!("{other:?} is not a number"),
    };
    report.rows().iter().map(number).sum::<u64>() + report.idle_processes()
}
