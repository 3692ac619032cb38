//! Where symbols are in the source, and inlined functions in rows of their own.

mod recordings;

use oprof_profile::{
    ImageAddress, InlinedFrame, NameSource, SourceFileId, SourceLine, SourcePlace, Symbol, SymbolId,
};
use oprof_report::render::opreport_symbols;
use oprof_report::{Options, SourcePaths};
use recordings::{Builder, cpu_clock};

/// OProfile's `--debug-info`, and samples of inlined functions apart from what they are inlined into.
#[test]
fn symbols_say_where_they_are_in_the_source_and_inlined_functions_are_folded_or_not() {
    let mut builder = Builder::new([cpu_clock()]);
    let app = builder.app("/bin/app");
    let image = builder.image("/bin/app");
    let [plain, inner] = [0, 1].map(|_| builder.offset(image, Ok(("outer", 0))));
    let unknown = builder.offset(image, Ok(("assembled", 0)));
    let names = &mut builder.recording.names[image.0 as usize];
    names.files = vec!["/build/src/outer.c".into(), "/build/inner.h".into()];
    let line = |file, line| Some(SourceLine { file: SourceFileId(file), line, column: 1 });
    names.symbols[0].line = line(0, 7);
    names.symbols.push(Symbol {
        name: "inner".into(),
        mangled: None,
        address: ImageAddress(0),
        size: 0,
        source: NameSource::Dwarf,
        line: line(1, 3),
    });
    let function = SymbolId(names.symbols.len() as u32 - 1);
    let inlined = vec![InlinedFrame { function, call: line(0, 9) }];
    names.places =
        vec![SourcePlace::default(), SourcePlace { line: line(1, 4), inlined }, SourcePlace::default()];
    for (offset, samples) in [(plain, 1), (inner, 2), (unknown, 4)] {
        builder.sample(app, image, offset, 0, samples, 1_000_000);
    }
    let print = |options: Options| {
        let mut out = Vec::new();
        opreport_symbols(&builder.recording, &Options { no_header: true, ..options }, &mut out)
            .expect("memory");
        String::from_utf8(out).expect("text")
    };
    let folded = print(Options { lines: true, ..Options::default() });
    assert_eq!(
        folded,
        "4        57.1429  (no location information)   assembled\n\
         3        42.8571  outer.c:7                   outer\n"
    );
    let source_paths = SourcePaths(vec!["/build=/home/me".parse().expect("a change")]);
    let expanded =
        Options { lines: true, inline: true, long_names: true, source_paths, ..Options::default() };
    assert_eq!(
        print(expanded),
        "4        57.1429  (no location information)   assembled\n\
         2        28.5714  /home/me/inner.h:3          inner\n\
         1        14.2857  /home/me/src/outer.c:7      outer\n"
    );
}
