//! Samples without a name: their count in a line, and what would name them.

mod recordings;

use oprof_profile::recording::Damage;
use oprof_profile::{
    Distribution, Image, ImageId, ImageKind, NameSource, Package, Process, Recording, Unresolved,
};
use oprof_report::{Missing, Options, missing_line, missing_note, notes, render};
use recordings::{Builder, cpu_clock};

fn table(recording: &Recording, options: &Options, width: Option<u16>) -> String {
    let mut out = Vec::new();
    render::missing(&Missing::new(recording), options, width, &mut out).expect("writing to memory");
    String::from_utf8(out).expect("text")
}

/// A stripped library of a package, two programs with code of a compiler at run time, and a function that goes by its
/// address.
fn recording() -> Recording {
    let mut builder = Builder::new([cpu_clock()]);
    builder.recording.run.distribution =
        Distribution { id: "debian".to_owned(), codename: "bookworm".to_owned(), ..Distribution::default() };
    let node = builder.app("/usr/bin/node");
    let other = builder.process(Process { comm: "vm".to_owned(), ..Process::default() });
    let library = builder.image("/usr/lib/libz.so.1");
    let anonymous = builder.image("[anon]");
    let own = builder.image("/home/me/tool");
    builder.recording.packages =
        [(library, Package { name: "zlib1g".to_owned(), version: "1:1.2".to_owned() })].into();
    for (process, image, found, samples) in [
        (node, library, Err(Unresolved::NoSymbols), 300),
        (node, anonymous, Err(Unresolved::Anonymous), 200),
        (other, anonymous, Err(Unresolved::Anonymous), 40),
        (node, own, Ok(("fun_1a2b", 0)), 50),
        (node, own, Ok(("known", 0)), 410),
    ] {
        let offset = builder.offset(image, found);
        builder.sample(process, image, offset, 0, samples, 1);
    }
    let symbols = &mut builder.recording.names[own.0 as usize].symbols;
    symbols[0].source = NameSource::UnwindTable;
    symbols[1].source = NameSource::DynamicSymbols;
    builder.recording
}

#[test]
fn a_line_counts_samples_by_reason_and_leads_to_the_cures() {
    let recording = recording();
    let line = "590 of 1,000 samples (59.0 %) have no symbol: 350 stripped, 240 JIT code without a map";
    assert_eq!(missing_line(&recording).as_deref(), Some(line));
    let note = format!("{line}; oprof report --missing says what would name them");
    assert_eq!(notes(&recording), [note]);
}

#[test]
fn each_image_and_reason_is_a_row_with_its_cure() {
    let expected = "\
samples      %  why                     image name               what would name it
-----------------------------------------------------------------------------------
    300  30.00  stripped                /usr/lib/libz.so.1       apt install zlib1g-dbgsym=1:1.2
    200  20.00  JIT code without a map  [anon] of /usr/bin/node  node --perf-basic-prof
     50   5.00  stripped                /home/me/tool            do not strip it (strip, -s), or tell where its debug file is: --debug-dir DIR
     40   4.00  JIT code without a map  [anon] of [vm]           an option of the program's that writes /tmp/perf-PID.map or a jitdump file
";
    assert_eq!(table(&recording(), &Options::default(), None), expected);
    let remarks = Missing::new(&recording()).remarks().join("\n");
    for part in [
        "50 of these samples are in functions that go by their address",
        "bookworm-debug main",
        "oprof record --debuginfod",
    ] {
        assert!(remarks.contains(part), "{part} is missing in:\n{remarks}");
    }
}

#[test]
fn what_is_wider_than_a_terminal_is_continued_below() {
    let expected = "\
samples      %  why                     image name, what would name it
----------------------------------------------------------------------
    300  30.00  stripped                /usr/lib/libz.so.1
                                        apt install
                                        zlib1g-dbgsym=1:1.2
    200  20.00  JIT code without a map  [anon] of /usr/bin/node
                                        node --perf-basic-prof
2 rows below 10 % not shown
";
    let options = Options { threshold: 10.0, ..Options::default() };
    assert_eq!(table(&recording(), &options, Some(70)), expected);
    for width in 0..200 {
        let text = table(&recording(), &Options::default(), Some(width));
        assert!(text.contains("300  30.00  stripped"), "at width {width}:\n{text}");
        assert!(width < 50 || text.lines().all(|line| line.chars().count() <= width.into()), "{text}");
    }
}

#[test]
fn code_that_a_program_s_map_leaves_out_is_not_cured_by_its_option() {
    let mut recording = recording();
    let jit = ImageId(recording.images.len() as u32);
    recording.images.push(Image::jit());
    let (key, count) = recording.counts.sorted()[0];
    recording.counts.add(oprof_profile::Key { image: jit, ..key }, count);
    let text = table(&recording, &Options::default(), None);
    assert!(text.contains("[anon] of /usr/bin/node  - (the program's own map"), "{text}");
}

#[test]
fn without_a_header_there_are_rows_alone() {
    let options = Options { threshold: 25.0, no_header: true, ..Options::default() };
    let text = table(&recording(), &options, None);
    assert_eq!(
        text.lines().next(),
        Some("300  30.00  stripped  /usr/lib/libz.so.1  apt install zlib1g-dbgsym=1:1.2")
    );
}

#[test]
fn nothing_missing_is_said_in_a_line() {
    let mut builder = Builder::new([cpu_clock()]);
    assert_eq!(table(&builder.recording, &Options::default(), None), "there are no samples\n");
    builder.symbol("/bin/app", "/bin/app", "main", 1);
    assert_eq!(table(&builder.recording, &Options::default(), Some(80)), "the one sample has a symbol\n");
    builder.symbol("/bin/app", "/bin/app", "main", 1233);
    assert_eq!(table(&builder.recording, &Options::default(), None), "all 1,234 samples have symbols\n");
    assert_eq!(missing_note(&builder.recording), None);
}

#[test]
fn a_share_too_small_to_show_is_not_none() {
    let mut builder = Builder::new([cpu_clock()]);
    builder.symbol("/bin/app", "/bin/app", "main", 9_999);
    let (app, image) = (builder.app("/bin/app"), builder.image("/bin/app"));
    let offset = builder.offset(image, Err(Unresolved::NoSymbolAtOffset));
    builder.sample(app, image, offset, 0, 1, 1);
    let line = "1 of 10,000 samples (less than 0.1 %) has no symbol: 1 no symbol there";
    assert_eq!(missing_line(&builder.recording).as_deref(), Some(line));
}

#[test]
fn a_recording_without_its_names_says_why() {
    let mut recording = recording();
    recording.names.clear();
    let note = missing_note(&recording).expect("names are missing");
    assert!(note.contains("760 names missing, 240 JIT code without a map: they are resolved when"), "{note}");
    assert!(note.ends_with("Ctrl-C or SIGTERM"), "{note}");
    recording.damage = Some(Damage { offset: 1, what: "a checksum does not match" });
    let note = missing_note(&recording).expect("names are missing");
    assert!(note.ends_with("they were in the part that is damaged"), "{note}");
}

#[test]
fn names_of_a_hostile_recording_are_made_printable() {
    let mut recording = recording();
    recording.images[1].name = "/usr/lib/\x1b[31m\n$(reboot)".to_owned();
    recording.packages.insert(ImageId(1), Package { name: "a;\x07b".to_owned(), version: "$(x)".to_owned() });
    recording.run.distribution.codename = "\x1b]0;x\x07".to_owned();
    recording.images[1].kind = ImageKind::File;
    let text = table(&recording, &Options::default(), None);
    assert!(text.contains(r"'a;\x07b-dbgsym=$(x)'"), "{text}");
    assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
}
