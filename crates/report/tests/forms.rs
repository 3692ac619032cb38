//! Trees, filters and the forms for programs: every number is the table's, parts sum to what they are parts of, and no name
//! can be taken for anything else.

mod recordings;

use oprof_profile::{Recording, Unresolved};
use oprof_report::render::{Look, Shape, csv, json, markdown, tree as write_tree};
use oprof_report::{By, ClassOrder, Filter, Node, Options, Report, Tree};
use proptest::prelude::*;
use recordings::{Builder, counter, cpu_clock};
use serde_json::Value;

/// What a renderer writes.
fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("written");
    String::from_utf8(out).expect("UTF-8")
}

/// Two apps and a library that both use.
fn small() -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/a", "/bin/a", "main", 60);
    builder.symbol("/bin/a", "/lib/libc.so", "memcpy", 25);
    builder.symbol("/bin/b", "/lib/libc.so", "memcpy", 10);
    builder.symbol("/bin/b", "/bin/b", "main", 5);
    builder.recording
}

/// Names that would act on whatever reads them.
fn hostile() -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/a|b", "/bin/a|b", "x\",\"y\r\n=1+1 | <b>`*_[x](y)\x1b[31m", 7);
    builder.recording
}

#[test]
fn a_tree_is_indented_and_its_rows_are_sorted_at_each_level() {
    let recording = small();
    let tree = Tree::new(&recording, &[By::App, By::Symbol], ClassOrder::AsAsked, &Options::default());
    let table = text(|out| write_tree(&tree, Look::default(), out));
    let expected = "\
samples      %  app > symbol
----------------------------
     85  85.00  a
     60  60.00    main  a
     25  25.00    memcpy  libc.so
     15  15.00  b
     10  10.00    memcpy  libc.so
      5   5.00    main  b
";
    assert_eq!(table, expected);
    let csv = text(|out| csv(&Shape::Tree(&tree), out));
    assert_eq!(csv.lines().next(), Some("samples,share,app,symbol"));
    assert_eq!(csv.lines().nth(1), Some("60,0.600000,a,main"));
    let markdown = text(|out| markdown(&Shape::Tree(&tree), out));
    assert!(markdown.contains("| 25 | 25.00 | &emsp;memcpy  libc.so |"), "{markdown}");
}

#[test]
fn rows_left_out_are_told() {
    let recording = small();
    let options = Options { threshold: 20.0, ..Options::default() };
    let tree = Tree::new(&recording, &[By::App, By::Symbol], ClassOrder::AsAsked, &options);
    let table = text(|out| write_tree(&tree, Look::default(), out));
    assert!(table.ends_with("1 row below 20 % not shown\n"), "{table}");
    let options = Options { top: Some(1), ..Options::default() };
    let report = Report::new(&recording, By::App, ClassOrder::AsAsked, &options);
    assert_eq!((report.rows().len(), report.beyond_top()), (1, 1));
    let json: Value =
        serde_json::from_str(&text(|out| json(&Shape::Flat(&report), &recording, out))).expect("JSON");
    assert_eq!((json["rows"].as_array().map(Vec::len), &json["rows_there_are"]), (Some(1), &Value::from(2)));
    assert_eq!(json["rows"][0]["share"][0], 0.85, "shares are of all");
}

#[test]
fn no_name_is_markup_or_ends_a_field() {
    let recording = hostile();
    let report = Report::new(&recording, By::Symbol, ClassOrder::AsAsked, &Options::default());
    let csv = text(|out| csv(&Shape::Flat(&report), out));
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(csv.contains("\"x\"\",\"\"y\\x0d\\x0a=1+1") && !csv.contains('\x1b'), "{csv}");
    let markdown = text(|out| markdown(&Shape::Flat(&report), out));
    let row = markdown.lines().nth(2).expect("a row");
    assert_eq!(row.matches('|').count() - row.matches("\\|").count(), 4, "{row}");
    assert!(row.contains("&lt;b&gt;\\`\\*\\_\\[x\\]") && !row.contains('\x1b'), "{row}");
    let json = text(|out| json(&Shape::Flat(&report), &recording, out));
    assert!(!json.contains('\x1b'), "JSON escapes control characters");
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["rows"][0]["symbol"], "x\",\"y\r\n=1+1 | <b>`*_[x](y)\x1b[31m");
}

#[test]
fn intervals_hold_the_share() {
    let recording = small();
    let options = Options { errors: true, ..Options::default() };
    let report = Report::new(&recording, By::App, ClassOrder::AsAsked, &options);
    let json: Value =
        serde_json::from_str(&text(|out| json(&Shape::Flat(&report), &recording, out))).expect("JSON");
    let interval = &json["rows"][0]["interval"][0];
    let (low, high) = (interval[0].as_f64().expect("a number"), interval[1].as_f64().expect("a number"));
    assert!((0.76..0.77).contains(&low) && (0.90..0.91).contains(&high), "{low} to {high}");
    // Counted half of the time, it is as if there had been half of the samples.
    let mut shared = small();
    (shared.coverage.events[0].time_enabled, shared.coverage.events[0].time_running) = (10, 5);
    let report = Report::new(&shared, By::App, ClassOrder::AsAsked, &options);
    let json: Value = serde_json::from_str(&text(|out| json_of(&report, &shared, out))).expect("JSON");
    assert!(json["rows"][0]["interval"][0][0].as_f64().expect("a number") < low);
}

fn json_of(report: &Report<'_>, recording: &Recording, out: &mut Vec<u8>) -> std::io::Result<()> {
    json(&Shape::Flat(report), recording, out)
}

/// Events that were counted apart, but all the time, say what they say together.
#[test]
fn ratios_come_by_themselves() {
    let events = [counter("cycles", "", 1000), counter("instructions", "", 1000)];
    let mut builder = Builder::new(events);
    let (app, image) = (builder.app("/bin/a"), builder.image("/bin/a"));
    let offset = builder.offset(image, Ok(("main", 0)));
    builder.sample(app, image, offset, 0, 100, 1000);
    builder.sample(app, image, offset, 1, 250, 1000);
    let ratio = |recording: &Recording| {
        let report = Report::new(recording, By::Symbol, ClassOrder::AsAsked, &Options::default());
        let json: Value = serde_json::from_str(&text(|out| json_of(&report, recording, out))).expect("JSON");
        json["rows"][0]["ratios"]["instructions per cycle"].as_f64()
    };
    let mut recording = builder.recording;
    assert_eq!(ratio(&recording), Some(2.5));
    // In turns: it would be of other moments.
    (recording.coverage.events[1].time_enabled, recording.coverage.events[1].time_running) = (10, 5);
    assert_eq!(ratio(&recording), None);
}

/// Every form of JSON, flat and as a tree, is what the schema says.
#[test]
fn json_follows_the_schema() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/report.schema.json");
    let schema = std::fs::read_to_string(schema).expect("the schema");
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report.json", serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    let schema = compiler.compile("report.json", &mut schemas).expect("a valid schema");
    let check = |text: String| {
        let value: Value = serde_json::from_str(&text).expect("JSON");
        if let Err(error) = schemas.validate(&value, schema) {
            panic!("{error:#}\n{text}");
        }
        for field in ["run", "rows", "events", "rows_there_are"] {
            let mut less = value.clone();
            less.as_object_mut().expect("an object").remove(field);
            assert!(schemas.validate(&less, schema).is_err(), "the schema wants {field}");
        }
    };
    for recording in [small(), hostile(), recordings::multi()] {
        let options = Options { errors: true, lines: true, ..Options::default() };
        for by in By::ALL {
            let report = Report::new(&recording, by, ClassOrder::AsAsked, &options);
            check(text(|out| json_of(&report, &recording, out)));
            let tree = Tree::new(&recording, &[by, By::Image], ClassOrder::AsAsked, &options);
            check(text(|out| json(&Shape::Tree(&tree), &recording, out)));
        }
    }
}

fn kept(recording: &Recording, filter: &str) -> u64 {
    let mut recording = recording.clone();
    let filter: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
    match filter.apply(&mut recording) {
        Ok(()) => recording.counts.iter().map(|(_, count)| count.samples).sum(),
        Err(_) => 0,
    }
}

#[test]
fn filters_keep_what_they_say() {
    let recording = small();
    for (filter, samples) in [
        ("app=a", 85),
        ("app=/bin/a", 85),
        ("image=libc*", 35),
        ("symbol=memcpy and app=b", 10),
        ("symbol=main,memcpy", 100),
        ("symbol~^mem or app=b", 40),
        ("not (symbol~^mem or app=b)", 60),
        ("symbol!=main", 35),
        ("event=CPU-CLOCK", 100),
        ("kernel=no", 100),
        ("kernel=yes", 0),
        ("pid>0 and pid<100000", 100),
    ] {
        assert_eq!(kept(&recording, filter), samples, "{filter}");
    }
}

#[test]
fn a_filter_that_keeps_nothing_says_what_there_is() {
    let mut recording = small();
    let why = |recording: &mut Recording, filter: &str| {
        filter.parse::<Filter>().expect("right").apply(recording).expect_err("nothing").to_string()
    };
    assert_eq!(why(&mut recording, "app=c"), "the filter keeps no sample: app is one of a, b");
    assert_eq!(
        why(&mut recording, "app=a and image=b"),
        "the filter keeps no sample: no sample fulfils all of it"
    );
    assert!(why(&mut recording, "tid=3").contains("--separate-thread"));
    assert_eq!(recording.counts.len(), 4, "nothing is lost");
}

/// Code without names, and images in brackets, are found as they are shown.
#[test]
fn brackets_stand_for_themselves() {
    let mut builder = Builder::new([cpu_clock()]);
    let (app, kernel) = (builder.app("/bin/a"), builder.image("[kernel]"));
    let offset = builder.offset(kernel, Err(Unresolved::KernelRestricted));
    builder.sample(app, kernel, offset, 0, 9, 1);
    assert_eq!(kept(&builder.recording, "image=[kernel]"), 9);
}

fn any_samples() -> impl Strategy<Value = Vec<(u8, u8, u8, u64)>> {
    prop::collection::vec((0..3_u8, 0..3_u8, 0..5_u8, 1..1000_u64), 1..40)
}

fn sums(node: &Node) -> bool {
    node.children.is_empty() || {
        let parts: u64 = node.children.iter().map(|child| child.row.counts[0].samples).sum();
        parts == node.row.counts[0].samples && node.children.iter().all(sums)
    }
}

proptest! {
    /// Each level's rows sum to those that they are parts of, and the roots to all samples, whatever the levels; shares of
    /// rows sum to 100 %.
    #[test]
    fn trees_sum_to_their_roots(samples in any_samples(), levels in prop::sample::subsequence(By::ALL.to_vec(), 1..=4)) {
        let mut builder = Builder::new([cpu_clock()]);
        for (app, image, symbol, count) in &samples {
            builder.symbol(&format!("/bin/{app}"), &format!("/lib/{image}"), &format!("f{symbol}"), *count);
        }
        let recording = builder.recording;
        let total: u64 = samples.iter().map(|(.., count)| count).sum();
        let tree = Tree::new(&recording, &levels, ClassOrder::AsAsked, &Options::default());
        prop_assert!(tree.roots().iter().all(sums));
        prop_assert_eq!(tree.roots().iter().map(|node| node.row.counts[0].samples).sum::<u64>(), total);
        let shares: f64 = tree.roots().iter().map(|node| tree.report().share(&node.row, 0)).sum();
        prop_assert!((shares - 1.0).abs() < 1e-9);
    }

    /// A filter and its opposite keep all samples, each once.
    #[test]
    fn a_filter_and_its_opposite_are_everything(samples in any_samples(), app in 0..3_u8, symbol in 0..5_u8) {
        let mut builder = Builder::new([cpu_clock()]);
        for (app, image, symbol, count) in &samples {
            builder.symbol(&format!("/bin/{app}"), &format!("/lib/{image}"), &format!("f{symbol}"), *count);
        }
        let recording = builder.recording;
        let total: u64 = samples.iter().map(|(.., count)| count).sum();
        let naive: u64 =
            samples.iter().filter(|(a, _, s, _)| *a == app || *s == symbol).map(|(.., count)| count).sum();
        let filter = format!("app={app} or symbol=f{symbol}");
        prop_assert_eq!(kept(&recording, &filter), naive);
        prop_assert_eq!(kept(&recording, &format!("not ({filter})")), total - naive);
    }

    /// No text makes the reader of filters fail otherwise than by an error that points into the text.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z=~!<>(), '\"*.0-9]{0,40}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
        }
    }
}
