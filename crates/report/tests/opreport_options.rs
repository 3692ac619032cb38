//! What `opreport` can be told about its tables: column groups, order, sums, details, filters, and two profiles.

mod recordings;

use oprof_profile::{EventId, Key, Recording};
use oprof_report::render::{opreport_differential, opreport_summary, opreport_symbols};
use oprof_report::{
    By, Cell, Change, ClassOrder, Column, Differential, Options, Report, Separation, SortKey, SymbolFilter,
};
use proptest::prelude::*;
use recordings::{Builder, counter};

fn plain() -> Options {
    Options { no_header: true, ..Options::default() }
}

fn symbols(recording: &Recording, options: &Options) -> String {
    let mut out = Vec::new();
    opreport_symbols(recording, options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

fn summary(recording: &Recording, options: &Options) -> String {
    let mut out = Vec::new();
    opreport_summary(recording, options, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

/// The last words of each line.
fn names(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.rsplit(' ').next().unwrap_or_default()).collect()
}

/// Two apps with a library of both, on two CPUs.
fn two_apps() -> Recording {
    let mut builder = Builder::new([counter("CYCLES", "cycles", 1000)]);
    for (app, image, symbol, samples) in [
        ("/bin/a", "/bin/a", "main", 40),
        ("/bin/a", "/lib/l", "work", 30),
        ("/bin/b", "/bin/b", "main", 20),
        ("/bin/b", "/lib/l", "work", 10),
    ] {
        builder.symbol(app, image, symbol, samples);
    }
    builder.recording
}

/// The same, where threads of the two processes are told apart.
fn threads() -> Recording {
    let mut recording = two_apps();
    let counts: Vec<_> = recording.counts.iter().collect();
    let apart = counts.into_iter().map(|(key, count)| {
        let pid = recording.processes[key.process.0 as usize].pid;
        (Key { thread: pid + u32::from(key.cpu), ..key }, count)
    });
    recording.counts = apart.collect();
    recording
}

#[test]
fn column_groups_tell_cpus_apart() {
    let separation = Separation { cpus: true, ..Separation::default() };
    let text = summary(&two_apps(), &Options { separation, ..Options::default() });
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("Counted CYCLES events"), "{text}");
    assert_eq!(lines[2..4], ["Samples on CPU 0", "Samples on CPU 1"]);
    assert_eq!(lines[4], "            cpu:0|            cpu:1|");
    assert_eq!(lines[5], "  samples|      %|  samples|      %|");
}

#[test]
fn what_is_one_for_all_samples_makes_no_column_groups() {
    let mut recording = two_apps();
    let only = recording.counts.iter().map(|(key, count)| (Key { cpu: 3, ..key }, count)).collect();
    recording.counts = only;
    let separation = Separation { cpus: true, threads: true, ..Separation::default() };
    let apart = Options { separation, ..Options::default() };
    assert_eq!(summary(&recording, &apart), summary(&recording, &Options::default()));
}

#[test]
fn several_axes_make_a_group_for_each_of_their_combinations() {
    let separation = Separation { cpus: true, processes: true, threads: true, ..Separation::default() };
    let recording = threads();
    let report =
        Report::new(&recording, By::App, ClassOrder::ByName, &Options { separation, ..Options::default() });
    assert_eq!(report.classes().len(), 3, "one thread of the first process, two of the second");
    let text = summary(&recording, &Options { separation, ..Options::default() });
    assert!(text.contains("\nSamples of thread 100 of process 100 on CPU 0\n"), "{text}");
    assert!(text.contains("\n    cpu:0 tid:100|"), "{text}");
    let sum: u64 = report.sums().iter().map(|count| count.samples).sum();
    assert_eq!(sum, 100, "every sample is in one of the groups");
}

#[test]
fn where_each_process_is_one_thread_it_stands_for_the_thread() {
    let mut recording = two_apps();
    let counts: Vec<_> = recording.counts.iter().collect();
    let one_thread = counts
        .into_iter()
        .map(|(key, count)| (Key { thread: recording.processes[key.process.0 as usize].pid, ..key }, count));
    recording.counts = one_thread.collect();
    let separation = Separation { processes: true, threads: true, ..Separation::default() };
    let text = summary(&recording, &Options { separation, ..Options::default() });
    assert!(text.contains("\nProcesses with a thread group ID of 100\n"), "{text}");
    assert!(text.contains("         tgid:100|"), "{text}");
}

#[test]
fn unit_masks_can_be_one_group() {
    let masked = |unit_mask| oprof_profile::Event { unit_mask, ..counter("MISSES", "misses", 500) };
    let mut builder = Builder::new([masked(1), masked(2)]);
    builder.symbol("/bin/a", "/bin/a", "main", 5);
    let mut recording = builder.recording;
    let first: Vec<_> = recording.counts.iter().collect();
    for (key, count) in first {
        recording.counts.add(Key { event: EventId(1), ..key }, count);
    }
    let rows = |merges_unit_masks| {
        let separation = Separation { merges_unit_masks, ..Separation::default() };
        symbols(&recording, &Options { separation, ..plain() })
    };
    assert_eq!(rows(false), "5        100.000  5        100.000  main\n");
    assert_eq!(rows(true), "10       100.000  main\n");
}

#[test]
fn rows_stand_in_the_order_that_is_asked_for_or_in_its_reverse() {
    let recording = two_apps();
    let order = |sort: &[SortKey], reverse| {
        let options = Options { sort: sort.to_vec(), reverse, ..plain() };
        let text = symbols(&recording, &options);
        let rows = text.lines().map(|line| line.split(' ').next().unwrap_or_default().parse::<u32>());
        rows.collect::<Result<Vec<_>, _>>().expect("numbers")
    };
    assert_eq!(order(&[], false), [40, 30, 20, 10]);
    assert_eq!(order(&[], true), [10, 20, 30, 40]);
    assert_eq!(order(&[SortKey::App], false), [40, 30, 20, 10]);
    assert_eq!(order(&[SortKey::Symbol], false), [40, 20, 30, 10]);
    assert_eq!(order(&[SortKey::Image, SortKey::Sample], false), [40, 20, 30, 10]);
    assert_eq!(order(&[SortKey::Image], true), [10, 30, 20, 40]);
    for key in SortKey::ALL {
        let mut back = order(&[key], true);
        back.reverse();
        assert_eq!(back, order(&[key], false), "{key:?}");
    }
}

#[test]
fn an_image_can_stand_for_its_apps_and_an_app_for_itself_alone() {
    let recording = two_apps();
    let as_apps = Options { images_as_apps: true, ..plain() };
    assert_eq!(names(&summary(&recording, &as_apps)), ["a", "l", "b"]);
    assert!(summary(&recording, &as_apps).starts_with("       40 40.0000 a\n"));
    let alone = Options { exclude_dependent: true, ..plain() };
    assert_eq!(names(&summary(&recording, &alone)), ["a", "b"]);
    assert_eq!(
        symbols(&recording, &alone),
        "40       66.6667  a                        main\n20       33.3333  b                        main\n"
    );
}

#[test]
fn symbols_can_be_chosen_and_percentages_are_of_those_chosen() {
    let recording = two_apps();
    let rows = |include: &[&str], exclude: &[&str]| {
        let symbols_of = SymbolFilter::new(include, exclude);
        symbols(&recording, &Options { symbols: symbols_of, ..plain() })
    };
    assert_eq!(names(&rows(&["ma*"], &[])), ["main", "main"]);
    assert!(rows(&["ma*"], &[]).starts_with("40       66.6667 "));
    assert_eq!(rows(&[], &["main"]), rows(&["work"], &[]));
    assert_eq!(rows(&["nothing"], &[]), "");
}

#[test]
fn addresses_are_wide_for_all_rows_where_one_is() {
    let mut recording = two_apps();
    let options = Options { addresses: true, ..plain() };
    assert!(symbols(&recording, &options).starts_with("00001000 40 "));
    recording.names[0].symbols[0].address = oprof_profile::ImageAddress(1 << 32);
    let wide = symbols(&recording, &options);
    assert!(
        wide.lines().all(|line| line.split(' ').next().is_some_and(|address| address.len() == 16)),
        "{wide}"
    );
}

fn recording_of(samples: &[(u8, u8, u8, u16)]) -> Recording {
    let mut builder = Builder::new([counter("CYCLES", "cycles", 1000)]);
    for (app, image, symbol, samples) in samples {
        let (app, image, symbol) =
            (format!("/bin/{}", app % 3), format!("/lib/{}", image % 3), format!("s{}", symbol % 4));
        builder.symbol(&app, &image, &symbol, u64::from(*samples) + 1);
    }
    builder.recording
}

fn samples() -> impl Strategy<Value = Vec<(u8, u8, u8, u16)>> {
    prop::collection::vec(any::<(u8, u8, u8, u16)>(), 1..30)
}

fn share(cell: Cell<'_>) -> f64 {
    match cell {
        Cell::Percent { part, whole } if whole > 0 => part as f64 * 100.0 / whole as f64,
        _ => 0.0,
    }
}

proptest! {
    /// Shares sum up to 100, what is accumulated ends there, and the details of a row are its samples.
    #[test]
    fn sums_are_whole(samples in samples(), reverse: bool) {
        let recording = recording_of(&samples);
        let options = Options { accumulated: true, details: true, reverse, ..Options::default() };
        let report = Report::new(&recording, By::Symbol, ClassOrder::ByName, &options);
        let shares: f64 = report.rows().iter().map(|row| share(report.cell(row, Column::Percent(0)))).sum();
        prop_assert!((shares - 100.0).abs() < 1e-6, "{}", shares);
        let last = report.rows().last().expect("a row");
        prop_assert!((share(report.cell(last, Column::AccumulatedPercent(0))) - 100.0).abs() < 1e-9);
        for (number, row) in report.rows().iter().enumerate() {
            let details = report.details(number);
            let sum: u64 = details.iter().map(|detail| detail.counts[0].samples).sum();
            prop_assert_eq!(sum, row.counts[0].samples);
            prop_assert!(details.is_sorted_by(|a, b| a.address < b.address));
            let last = report.detail_cell(row, details.last().expect("an address"), Column::AccumulatedPercent(0));
            prop_assert!((share(last) - 100.0).abs() < 1e-9);
        }
    }

    /// Column groups are a partition of the samples, whatever they tell apart.
    #[test]
    fn no_sample_is_in_two_groups(samples in samples(), cpus: bool, processes: bool) {
        let recording = recording_of(&samples);
        let separation = Separation { cpus, processes, ..Separation::default() };
        let options = Options { separation, ..Options::default() };
        let report = Report::new(&recording, By::App, ClassOrder::ByName, &options);
        let together = Report::new(&recording, By::App, ClassOrder::ByName, &Options::default());
        let sum = |report: &Report<'_>| report.sums().iter().map(|count| count.samples).sum::<u64>();
        prop_assert_eq!(sum(&report), sum(&together));
        prop_assert_eq!(report.rows().len(), together.rows().len());
    }

    /// Of a profile and itself nothing changes; of two each symbol of either has a row, and what is new one way is gone
    /// the other.
    #[test]
    fn differences_turn_round(first in samples(), second in samples()) {
        let (first, second) = (recording_of(&first), recording_of(&second));
        let options = Options::default();
        let same = Differential::new(&first, &first, &options).expect("one event");
        prop_assert!(same.rows().iter().all(|row| same.change(row, 0) == Change::Percent(0.0)));
        let there = Differential::new(&first, &second, &options).expect("one event");
        let back = Differential::new(&second, &first, &options).expect("one event");
        prop_assert_eq!(there.rows().len(), back.rows().len());
        let of = |differential: &Differential<'_>, change| {
            differential.rows().iter().filter(|row| differential.change(row, 0) == change).count()
        };
        prop_assert_eq!(of(&there, Change::New), of(&back, Change::Gone));
        prop_assert_eq!(of(&there, Change::Gone), of(&back, Change::New));
        let mut out = Vec::new();
        opreport_differential(&there, true, &mut out).expect("writing to memory");
        prop_assert_eq!(String::from_utf8(out).expect("text").lines().count(), there.rows().len());
    }
}

#[test]
fn profiles_of_other_events_are_not_compared() {
    let mut other = two_apps();
    other.events[0].name = "MISSES".to_owned();
    let error = Differential::new(&two_apps(), &other, &Options::default()).err().expect("they differ");
    let text = error.to_string();
    assert!(
        text.contains("CYCLES:1000") && text.contains("MISSES:1000") && text.contains("event:"),
        "{text}"
    );
}

#[test]
fn a_difference_shows_the_second_profile_and_what_is_gone_of_the_first() {
    let mut builder = Builder::new([counter("CYCLES", "cycles", 1000)]);
    builder.symbol("/bin/a", "/bin/a", "main", 30);
    builder.symbol("/bin/a", "/bin/a", "fresh", 10);
    let (before, after) = (two_apps(), builder.recording);
    let options = Options { accumulated: true, ..plain() };
    let differential = Differential::new(&before, &after, &options).expect("one event");
    let mut out = Vec::new();
    opreport_differential(&differential, true, &mut out).expect("writing to memory");
    let text = String::from_utf8(out).expect("text");
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["30", "30", "75.0000", "75.0000", "+87.5000", "a", "a", "main"]);
    assert_eq!(rows[1], ["30", "---", "---", "---", "---", "l", "a", "work"]);
    assert_eq!(rows[3], ["10", "40", "25.0000", "100.000", "+++", "a", "a", "fresh"]);
    // The threshold is of the change; what is new or gone has none.
    let options = Options { threshold: 90.0, ..options };
    let differential = Differential::new(&before, &after, &options).expect("one event");
    assert_eq!(differential.rows().len(), rows.len() - 1);
}
