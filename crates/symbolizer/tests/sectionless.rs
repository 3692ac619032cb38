//! Images without section headers answer as the same images with them, by what the dynamic linker needs.

mod built;

use std::fs;
use std::path::{Path, PathBuf};

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset, NameSource};
use oprof_symbolizer::{DebugDirectories, Symbolizer};

use built::{build, names_of, run, skipped, sources};

/// The same image without section headers: the fields of the file header that tell where they are (elf(5)) are zero,
/// and what is behind the last segment is gone.
fn without_sections(image: &Path) -> PathBuf {
    let mut bytes = fs::read(image).unwrap();
    assert_eq!(bytes[..6], *b"\x7fELF\x02\x01", "a 64-bit little-endian image");
    let table = u64::from_le_bytes(*bytes[40..].first_chunk().unwrap());
    bytes.truncate(table as usize);
    bytes[40..48].fill(0);
    // e_shnum and e_shstrndx.
    bytes[60..64].fill(0);
    let path = image.with_extension("sectionless");
    fs::write(&path, bytes).unwrap();
    path
}

/// For each offset the name, as far as it comes from `source`.
fn named(names: &ImageNames, source: NameSource) -> Vec<Option<(&str, u64, u64)>> {
    let name = |id| names.symbol(id).filter(|symbol| symbol.source == source);
    let ids = names.offsets.iter().map(|(_, id)| id.ok().and_then(name));
    ids.map(|symbol| symbol.map(|symbol| (symbol.name.as_str(), symbol.address.0, symbol.size))).collect()
}

#[test]
fn dynamic_symbols_are_found_as_the_dynamic_linker_finds_them() {
    let folder = sources();
    for (name, style) in [("gnu.so", "-Wl,--hash-style=gnu"), ("sysv.so", "-Wl,--hash-style=sysv")] {
        let flags = ["-O1", "-s", "-shared", "-fPIC", "-nostdlib", style];
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { return };
        let (with, without) = (names_of(&image), names_of(&without_sections(&image)));
        let expected = named(&with, NameSource::DynamicSymbols);
        let found = named(&without, NameSource::DynamicSymbols);
        assert!(expected.iter().flatten().any(|symbol| symbol.0 == "twice"), "{name}");
        // A symbol without size, which is of assembler, reaches to the end of its section: of its segment without.
        for (expected, found) in
            expected.iter().zip(&found).take(with.offsets.len().min(without.offsets.len()))
        {
            if expected.is_some_and(|symbol| symbol.0 != "assembled") {
                assert_eq!(found, expected, "{name}");
            }
        }
    }
}

#[test]
fn functions_without_name_are_told_by_the_tables_for_unwinding() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "other.c", "program", &["-O1", "-s"]) else { return };
    let (with, without) = (names_of(&image), names_of(&without_sections(&image)));
    let expected = named(&with, NameSource::UnwindTable);
    let found = named(&without, NameSource::UnwindTable);
    assert!(expected.iter().flatten().count() > 10);
    for (expected, found) in expected.iter().zip(&found).filter(|(expected, _)| expected.is_some()) {
        assert_eq!(found, expected);
    }
}

#[test]
fn libraries_of_the_system_answer_the_same() {
    let libraries = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6"];
    let Some(library) = libraries.into_iter().map(Path::new).find(|path| path.exists()) else {
        return skipped("no libc where it is looked for");
    };
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("libc");
    if run("strip", ["-o".as_ref(), image.as_os_str(), library.as_os_str()]).is_none() {
        return skipped("no strip");
    }
    let some_names = |image: &Path| {
        let file = fs::File::open(image).unwrap();
        let offsets: Vec<ImageOffset> = (0..1 << 21).step_by(253).map(ImageOffset).collect();
        Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &ImageIdentity::None, &offsets)
    };
    let (with, without) = (some_names(&image), some_names(&without_sections(&image)));
    let expected = named(&with, NameSource::DynamicSymbols);
    let found = named(&without, NameSource::DynamicSymbols);
    assert!(expected.iter().flatten().count() > 1000);
    let differing =
        expected.iter().zip(&found).filter(|(expected, found)| expected.is_some() && expected != found);
    assert_eq!(differing.count(), 0);
}
