//! Names as they are asked for (`-D`), and clones of functions in the rows of those.

mod recordings;

use oprof_profile::{
    ImageAddress, ImageId, InlinedFrame, NameSource, NameStyle, Recording, SourceFileId, SourceLine,
    SourcePlace, Symbol, SymbolId,
};
use oprof_report::render::{Look, opreport_symbols, table};
use oprof_report::{By, ClassOrder, Options, Report};
use recordings::{Builder, cpu_clock};

/// The rows of OProfile's layout, blanks folded.
fn plain(recording: &Recording, options: &Options) -> Vec<String> {
    let mut out = Vec::new();
    opreport_symbols(recording, &Options { no_header: true, ..options.clone() }, &mut out).expect("memory");
    let text = String::from_utf8(out).expect("text");
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The rows of the table, blanks folded and shares left out.
fn rows(recording: &Recording, options: &Options) -> Vec<String> {
    let options = Options { no_header: true, ..options.clone() };
    let report = Report::new(recording, By::Symbol, ClassOrder::AsAsked, &options);
    let mut out = Vec::new();
    table(&report, Look::default(), &mut out).expect("memory");
    let text = String::from_utf8(out).expect("text");
    let without_share = |line: &str| {
        let mut fields: Vec<&str> = line.split_whitespace().collect();
        fields.remove(1);
        fields.join(" ")
    };
    text.lines().map(without_share).collect()
}

/// A program's symbols, each with its mangled name, the line of its first byte, and its samples.
fn program(symbols: &[(&str, &str, u32, u64)]) -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    let (app, image) = (builder.app("/bin/app"), builder.image("/bin/app"));
    let mut occurrences = std::collections::HashMap::new();
    for &(name, mangled, line, samples) in symbols {
        let occurrence = occurrences.entry(name).and_modify(|seen| *seen += 1).or_insert(0);
        let offset = builder.offset(image, Ok((name, *occurrence)));
        let names = &mut builder.recording.names[0];
        names.files = vec!["/src/app.cpp".to_owned()];
        let symbol = names.symbols.last_mut().expect("one was added");
        symbol.mangled = Some(mangled.to_owned()).filter(|name| !name.is_empty());
        symbol.line = (line > 0).then_some(SourceLine { file: SourceFileId(0), line, column: 0 });
        builder.sample(app, image, offset, 0, samples, 1);
    }
    builder.recording
}

const SHORT_ALIKE: [(&str, &str, u32, u64); 3] =
    [("std::f(std::ostream&)", "_ZSt1fRSo", 0, 4), ("f(std::ostream&)", "_Z1fRSo", 0, 2), ("main", "", 0, 1)];

#[test]
fn names_are_shown_as_asked_and_symbols_stay_what_they_are() {
    let recording = program(&SHORT_ALIKE);
    let shown = |name_style| rows(&recording, &Options { name_style, ..Options::default() });
    assert_eq!(shown(NameStyle::Full), ["4 std::f(std::ostream&)", "2 f(std::ostream&)", "1 main"]);
    assert_eq!(shown(NameStyle::None), ["4 _ZSt1fRSo", "2 _Z1fRSo", "1 main"]);
    assert_eq!(shown(NameStyle::Simple), ["4 f(ostream&)", "2 f(ostream&)", "1 main"]);
}

#[test]
fn opreports_layout_has_the_same_names() {
    let recording = program(&SHORT_ALIKE);
    let options = Options { name_style: NameStyle::Simple, ..Options::default() };
    let expected = ["4 57.1429 f(ostream&)", "2 28.5714 f(ostream&)", "1 14.2857 main"];
    assert_eq!(plain(&recording, &options), expected);
}

const CLONES: [(&str, &str, u32, u64); 6] = [
    ("ns::f(std::ostream&) [clone .cold]", "_ZN2ns1fERSo.cold", 30, 4),
    ("ns::f(std::ostream&)", "_ZN2ns1fERSo", 20, 2),
    ("g.cold", "", 50, 8),
    ("g.isra.0", "", 40, 16),
    ("g.part.1.cold", "", 0, 32),
    ("main", "", 1, 1),
];

#[test]
fn clones_are_merged_only_where_that_is_asked_for() {
    let recording = program(&CLONES);
    assert_eq!(rows(&recording, &Options::default()).len(), CLONES.len());
    let options = Options { merge_clones: true, ..Options::default() };
    assert_eq!(rows(&recording, &options), ["56 g", "6 ns::f(std::ostream&)", "1 main"]);
    let expected = ["56 88.8889 g", "6 9.5238 ns::f(std::ostream&)", "1 1.5873 main"];
    assert_eq!(plain(&recording, &options), expected);
    for (name_style, name) in [(NameStyle::None, "6 _ZN2ns1fERSo"), (NameStyle::Simple, "6 ns::f(ostream&)")]
    {
        assert_eq!(rows(&recording, &Options { name_style, ..options.clone() })[1], name);
    }
}

#[test]
fn a_joined_row_has_the_line_of_the_function_else_the_first_of_its_clones() {
    let recording = program(&CLONES);
    let options = Options { merge_clones: true, lines: true, ..Options::default() };
    let expected = ["56 app.cpp:40 g", "6 app.cpp:20 ns::f(std::ostream&)", "1 app.cpp:1 main"];
    assert_eq!(rows(&recording, &options), expected);
}

#[test]
fn a_clone_joins_the_inlined_copies_of_its_function() {
    let mut recording = program(&[("g.cold", "", 50, 8), ("main", "", 1, 3)]);
    let names = &mut recording.names[0];
    let line = Some(SourceLine { file: SourceFileId(0), line: 39, column: 0 });
    names.symbols.push(Symbol {
        name: "g".to_owned(),
        mangled: None,
        address: ImageAddress(0),
        size: 0,
        source: NameSource::Dwarf,
        line,
    });
    // The code of main is that of g, inlined.
    let inlined = vec![InlinedFrame { function: SymbolId(2), call: None }];
    names.places = vec![SourcePlace::default(), SourcePlace { line: None, inlined }];
    let options = Options { merge_clones: true, lines: true, ..Options::default() };
    assert_eq!(rows(&recording, &options), ["8 app.cpp:39 g", "3 app.cpp:1 main"]);
    assert_eq!(rows(&recording, &Options { inline: true, ..options }), ["11 app.cpp:39 g"]);
}

#[test]
fn clones_join_within_one_image_and_across_its_builds() {
    let mut recording = program(&[("f.cold", "", 50, 8), ("f", "", 1, 3)]);
    // Another build of the program, and a library with a function of the same name.
    for name in ["/bin/app", "/lib/other.so"] {
        let id = ImageId(recording.images.len() as u32);
        recording.images.push(oprof_profile::Image { name: name.to_owned(), ..recording.images[0].clone() });
        recording.names.push(recording.names[0].clone());
        let samples: Vec<_> = recording.counts.sorted();
        for (key, count) in samples.into_iter().filter(|(key, _)| key.image == ImageId(0)) {
            recording.counts.add(oprof_profile::Key { image: id, ..key }, count);
        }
    }
    let options = Options { merge_clones: true, ..Options::default() };
    assert_eq!(rows(&recording, &options), ["22 app f", "11 other.so f"]);
}
