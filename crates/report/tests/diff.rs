//! Comparisons of recordings made sample by sample: rows, states, layouts, and what is refused.

mod recordings;

use std::slice::from_ref;

use oprof_profile::{
    BuildId, Count, EventId, Image, ImageId, ImageIdentity, ImageOffset, Key, NameStyle, Process, ProcessId,
    Recording,
};
use oprof_report::render::diff::{self, DiffLook};
use oprof_report::{Diff, DiffBy, DiffRun, DiffSettings, Normalise, State};
use proptest::prelude::*;
use recordings::{Builder, counter, cpu_clock};

fn of(rows: &[(&str, &str, &str, u64)]) -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    for (app, image, symbol, samples) in rows {
        builder.symbol(app, image, symbol, *samples);
    }
    builder.recording
}

fn run_by(recording: &Recording, by: DiffBy) -> DiffRun {
    DiffRun::new("r.data", recording, by, NameStyle::default())
}

fn run(recording: &Recording) -> DiffRun {
    run_by(recording, DiffBy::Symbol)
}

fn compare(before: &[Recording], after: &[Recording], settings: &DiffSettings) -> Diff {
    let runs =
        |side: &[Recording]| side.iter().map(|recording| run_by(recording, settings.by)).collect::<Vec<_>>();
    Diff::new(&runs(before), &runs(after), settings).expect("a comparison")
}

fn states(diff: &Diff) -> Vec<(&str, State, bool)> {
    let mut states: Vec<_> =
        diff.rows.iter().map(|row| (row.name(), row.state, row.change.significant)).collect();
    states.sort_by_key(|state| state.0);
    states
}

fn two_sides() -> [Recording; 2] {
    let before = of(&[
        ("/a/p", "/a/p", "main", 500),
        ("/a/p", "/a/p", "slow", 500),
        ("/a/p", "/a/p", "gone", 300),
        ("/a/p", "/a/libz.so.1.2", "crc32", 200),
        ("/a/p", "/a/p", "parse", 400),
    ]);
    let after = of(&[
        ("/a/p", "/a/p", "main", 510),
        ("/a/p", "/a/p", "slow", 1000),
        ("/a/p", "/a/p", "new|`x`\u{1b}[31m", 300),
        ("/a/p", "/a/libz.so.1.3", "crc32", 190),
        ("/a/p", "/a/p", "parse.isra.0", 410),
    ]);
    [before, after]
}

#[test]
fn rows_are_new_gone_moved_changed_or_as_they_were() {
    let [before, after] = two_sides();
    let diff =
        compare(&[before], &[after], &DiffSettings { normalise: Normalise::Run, ..DiffSettings::default() });
    let expected = [
        ("crc32", State::Moved, false),
        ("gone", State::Gone, true),
        ("main", State::Unchanged, false),
        ("new|`x`\u{1b}[31m", State::New, true),
        ("parse.isra.0", State::Moved, false),
        ("slow", State::Changed, true),
    ];
    assert_eq!(states(&diff), expected);
    let slow = diff.rows.iter().find(|row| row.name() == "slow").expect("a row");
    assert_eq!((slow.change.before, slow.change.after), (500e6, 1000e6));
    assert_eq!(slow.change.relative(), Some(1.0));
    let parse = diff.rows.iter().find(|row| row.name() == "parse.isra.0").expect("a row");
    assert_eq!(parse.moved_from.as_ref().map(|from| from.name.as_str()), Some("parse"));
}

/// A million samples more or less of the same thing are the same shares.
#[test]
fn a_recording_of_twice_the_length_has_the_same_shares() {
    let rows = |times: u64| of(&[("/p", "/p", "a", 70 * times), ("/p", "/p", "b", 930 * times)]);
    let diff = compare(&[rows(1)], &[rows(20)], &DiffSettings::default());
    assert_eq!(diff.significant().count(), 0);
    assert!(diff.total.significant, "what it cost is twenty times as much");
    let by_run = DiffSettings { normalise: Normalise::Run, ..DiffSettings::default() };
    assert_eq!(compare(&[rows(1)], &[rows(20)], &by_run).significant().count(), 2);
    // Each takes twenty times as long.
    let timed = |times: u64| Recording { duration: std::time::Duration::from_secs(times), ..rows(times) };
    let by_time = DiffSettings { normalise: Normalise::Time, ..DiffSettings::default() };
    let diff = compare(&[timed(1)], &[timed(20)], &by_time);
    assert_eq!((diff.significant().count(), diff.total.significant), (0, false));
}

/// A counter with another period counts the same events.
#[test]
fn another_period_is_no_change() {
    let with_period = |period: u64| {
        let mut builder = Builder::new([counter("cycles", "cycles", period)]);
        let (app, image) = (builder.app("/p"), builder.image("/p"));
        for (name, events) in [("a", 300_000_000), ("b", 700_000_000)] {
            let offset = builder.offset(image, Ok((name, 0)));
            builder.sample(app, image, offset, 0, events / period, period);
        }
        builder.recording
    };
    let settings =
        DiffSettings { normalise: Normalise::Run, fail_above: Some(1.0), ..DiffSettings::default() };
    let diff = compare(&[with_period(100_000)], &[with_period(1_000_000)], &settings);
    assert_eq!((diff.significant().count(), diff.total.significant, diff.regressions.len()), (0, false, 0));
    assert!((diff.total.before / 1e9 - 1.0).abs() < 1e-9 && (diff.total.after / 1e9 - 1.0).abs() < 1e-9);
    let doubts = diff.doubts.join("\n");
    assert!(
        doubts.contains("sampled differently: every 100,000 events before, every 1,000,000 events after"),
        "{doubts}"
    );
}

#[test]
fn rows_by_image_app_command_and_line() {
    let [before, after] = two_sides();
    for (by, rows) in [(DiffBy::Image, 2), (DiffBy::App, 1), (DiffBy::Command, 1)] {
        let settings = DiffSettings { by, ..DiffSettings::default() };
        assert_eq!(compare(from_ref(&before), from_ref(&after), &settings).rows.len(), rows, "{by}");
    }
    let settings = DiffSettings { by: DiffBy::Line, ..DiffSettings::default() };
    let runs = [&before, &after].map(|recording| [run_by(recording, DiffBy::Line)]);
    let refused = Diff::new(&runs[0], &runs[1], &settings).expect_err("there are no lines").to_string();
    assert!(refused.contains("-g") && refused.contains("--by symbol"), "{refused}");
}

/// What has no name is told apart by its image, and a program that was rebuilt elsewhere by its build id.
#[test]
fn a_renamed_program_is_known_by_its_build_id() {
    let named = |name: &str, samples: u64| {
        let mut recording = of(&[(name, name, "main", samples)]);
        let id = BuildId::new(&[7; 20]).expect("an id");
        recording.images[0].identity = ImageIdentity::BuildId(id);
        recording
    };
    let diff = compare(&[named("/bin/one", 100)], &[named("/bin/another", 110)], &DiffSettings::default());
    assert_eq!(states(&diff), [("main", State::Moved, false)]);
}

#[test]
fn without_a_common_event_the_events_of_each_side_are_named() {
    let with = |names: &[&str]| {
        let mut builder = Builder::new(names.iter().map(|name| counter(name, "", 1000)));
        builder.symbol("/p", "/p", "main", 10);
        run(&builder.recording)
    };
    let refused = |before: &[&str], after: &[&str], event: Option<&str>| {
        let settings = DiffSettings { event: event.map(str::to_owned), ..DiffSettings::default() };
        Diff::new(&[with(before)], &[with(after)], &settings).expect_err("nothing to compare").to_string()
    };
    assert_eq!(
        refused(&["cycles", "x\u{1b}"], &["instructions"], None),
        r"no event is on both sides; before: cycles, x\x1b; after: instructions; record both with the same -e"
    );
    let choice = refused(&["cycles", "misses"], &["cycles"], Some("misses"));
    assert!(
        choice.contains("'misses' is not on both sides") && choice.ends_with("choose with --event"),
        "{choice}"
    );
}

#[test]
fn sides_without_samples_or_time_are_refused() {
    let empty = Builder::new([cpu_clock()]).recording;
    let full = of(&[("/p", "/p", "main", 10)]);
    let settings = DiffSettings::default();
    let refused = Diff::new(&[run(&full)], &[run(&empty)], &settings).expect_err("no samples").to_string();
    assert!(refused.starts_with("r.data: no sample"), "{refused}");
    let by_time = DiffSettings { normalise: Normalise::Time, ..settings };
    let refused = Diff::new(&[run(&full)], &[run(&full)], &by_time).expect_err("no time").to_string();
    assert!(refused.contains("--normalise total or run"), "{refused}");
}

/// Indexes that lead nowhere, as in a damaged recording, and the largest numbers.
#[test]
fn damaged_recordings_are_compared_as_far_as_they_go() {
    let mut recording = of(&[("/p", "/p", "main", 10)]);
    let key = Key {
        process: ProcessId(9),
        thread: 0,
        image: ImageId(9),
        offset: ImageOffset(u64::MAX),
        event: EventId(0),
        cpu: 0,
    };
    recording.counts.add(key, Count { samples: u64::MAX / 2, weight: u64::MAX });
    recording.counts.add(Key { event: EventId(9), ..key }, Count { samples: 1, weight: 1 });
    recording.processes.push(Process { app: Some(ImageId(99)), ..Process::default() });
    recording.images.push(Image { name: String::new(), ..recording.images[0].clone() });
    for by in DiffBy::ALL {
        for normalise in [Normalise::Total, Normalise::Run] {
            let settings = DiffSettings { by, normalise, fail_above: Some(0.0), ..DiffSettings::default() };
            let full = of(&[("/p", "/p", "main", 10)]);
            let runs = [&full, &recording].map(|recording| [run_by(recording, by)]);
            let Ok(diff) = Diff::new(&runs[0], &runs[1], &settings) else { continue };
            let all =
                |row: &oprof_report::DiffRow| row.change.change().is_finite() && row.change.chance >= 0.0;
            assert!(diff.rows.iter().all(all), "{by} {normalise:?}: {:?}", diff.rows);
        }
    }
}

fn rendered(diff: &Diff, look: &DiffLook, render: impl Fn(&Diff, &DiffLook, &mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    render(diff, look, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

const ALL: DiffLook =
    DiffLook { all: true, top: None, no_header: false, long_names: false, width: None, colour: false };

#[test]
fn json_follows_the_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/diff.schema.json");
    let text = std::fs::read_to_string(schema).expect("the schema");
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("diff.json", schema).expect("a schema");
    let schema = compiler.compile("diff.json", &mut schemas).expect("a valid schema");
    let [before, after] = two_sides();
    for normalise in Normalise::ALL {
        for by in [DiffBy::Symbol, DiffBy::Image, DiffBy::App, DiffBy::Command] {
            let side = |recording: &Recording| {
                [Recording { duration: std::time::Duration::from_secs(2), ..recording.clone() }]
            };
            let settings = DiffSettings { by, normalise, fail_above: Some(10.0), ..DiffSettings::default() };
            let diff = compare(&side(&before), &side(&after), &settings);
            let text = rendered(&diff, &ALL, |diff, look, out| diff::json(diff, look, out).expect("written"));
            assert!(!text.trim_end().contains(|character: char| character.is_control()), "{text}");
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            if let Err(error) = schemas.validate(&value, schema) {
                panic!("{by} {normalise:?}: {error:#}\n{text}");
            }
            for field in ["chance", "state", "moved_from"] {
                let mut less = value.clone();
                less["rows"][0].as_object_mut().expect("a row").remove(field);
                assert!(schemas.validate(&less, schema).is_err(), "the schema wants {field}");
            }
        }
    }
}

#[test]
fn csv_has_as_many_fields_in_each_line_and_markdown_no_markup_from_names() {
    let [before, after] = two_sides();
    let diff = compare(&[before], &[after], &DiffSettings::default());
    let csv = rendered(&diff, &ALL, |diff, look, out| diff::csv(diff, look, out).expect("written"));
    let commas: Vec<usize> = csv.lines().map(|line| line.matches(',').count()).collect();
    assert_eq!(commas, vec![18; 7], "{csv}");
    assert!(csv.starts_with("state,significant,before,after,"), "{csv}");
    let markdown = rendered(&diff, &ALL, |diff, look, out| diff::markdown(diff, look, out).expect("written"));
    let table: Vec<&str> = markdown.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(table.len(), 8, "{markdown}");
    let columns = |line: &str| line.replace(r"\|", "").matches('|').count();
    assert!(table.iter().all(|line| columns(line) == columns(table[0])), "{markdown}");
    assert!(markdown.contains(r"new\|\`x\`\\x1b\[31m"), "{markdown}");
}

#[test]
fn a_table_fits_the_terminal_and_its_columns_stand_in_line() {
    let long = "ns::Class<std::vector<int>>::method(std::string const&, int, char const*) const";
    let rows = |samples| {
        let library = "/usr/lib/x86_64-linux-gnu/libsomething-with-a-long-name.so.1";
        of(&[("/p", "/p", "main", 5000), ("/p", library, long, samples), ("/q", "/q", "main", 300)])
    };
    let diff = compare(&[rows(100)], &[rows(900)], &DiffSettings::default());
    for width in [80, 100, 120] {
        let look = DiffLook { width: Some(width), ..ALL };
        let table = rendered(&diff, &look, |diff, look, out| diff::table(diff, look, out).expect("written"));
        let widest = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= usize::from(width), "{width}:\n{table}");
        let title = table.lines().find(|line| line.contains("interval")).expect("titles");
        let end = title.find("chance").expect("a title") + "chance".len();
        let rows = table.lines().skip_while(|line| !line.starts_with("---")).skip(1);
        for row in rows.filter(|row| !row.starts_with("no more")) {
            let digit = row.as_bytes()[end - 1];
            assert!(digit.is_ascii_digit() && row.as_bytes()[end] == b' ', "{row}\n{table}");
        }
    }
    let piped = rendered(&diff, &ALL, |diff, look, out| diff::table(diff, look, out).expect("written"));
    assert!(piped.contains(long), "{piped}");
}

/// Recordings of a few functions, which may have no sample.
fn any_side() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let samples = prop_oneof![Just(0_u64), 1..20_u64, 20..5000_u64];
    proptest::collection::vec(proptest::collection::vec(samples, 8), 1..4)
}

fn recordings_of(side: &[Vec<u64>]) -> Vec<Recording> {
    let recording = |samples: &Vec<u64>| {
        let mut builder = Builder::new([cpu_clock()]);
        builder.symbol("/p", "/p", "always", 10);
        for (index, samples) in samples.iter().enumerate().filter(|(_, samples)| **samples > 0) {
            builder.symbol("/p", "/p", &format!("f{index}"), *samples);
        }
        builder.recording
    };
    side.iter().map(recording).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The other way round everything that grew shrinks, as surely; nothing differs from itself; and an interval leaves out
    /// zero exactly where the chance is below the level.
    #[test]
    fn a_comparison_is_the_reverse_of_its_reverse(before in any_side(), after in any_side(), by_run in any::<bool>()) {
        let normalise = if by_run { Normalise::Run } else { Normalise::Total };
        let settings = DiffSettings { normalise, ..DiffSettings::default() };
        let (before, after) = (recordings_of(&before), recordings_of(&after));
        let (there, back) = (compare(&before, &after, &settings), compare(&after, &before, &settings));
        prop_assert_eq!(there.rows.len(), back.rows.len());
        let shares: f64 = there.rows.iter().map(|row| row.change.after).sum();
        prop_assert!(by_run || (shares - 1.0).abs() < 1e-9, "shares make a whole: {}", shares);
        for row in &there.rows {
            let reverse = back.rows.iter().find(|other| other.name() == row.name()).expect("the same rows");
            let (one, other) = (&row.change, &reverse.change);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
            prop_assert!(close(one.chance, other.chance), "{:?} {:?}", one, other);
            prop_assert!(close(one.interval.0, -other.interval.1), "{:?} {:?}", one, other);
            prop_assert_eq!(one.change(), -other.change());
            prop_assert!(one.interval.0 <= one.change() && one.change() <= one.interval.1, "{:?}", one);
            prop_assert_eq!(one.chance <= 0.05, one.interval.0 > 0.0 || one.interval.1 < 0.0, "{:?}", one);
            prop_assert!(one.adjusted >= one.chance && (!one.significant || one.adjusted <= 0.05), "{:?}", one);
        }
        let same = compare(&before, &before, &settings);
        prop_assert_eq!(same.significant().count(), 0);
    }
}
