//! Indexes of real programs answer as their tables do, and those of damaged ones do no harm.

use std::io::{Seek, Write};

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset};

use super::super::index::Index;
use super::*;

/// Programs that every system has, small enough to be damaged often.
const PROGRAMS: [&str; 4] = ["/bin/sh", "/bin/cat", "/usr/bin/env", "/lib64/ld-linux-x86-64.so.2"];

const LIMIT: Duration = Duration::from_secs(30);

fn programs() -> Vec<Vec<u8>> {
    PROGRAMS.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}

/// The index of an image, whenever it was changed; what it was asked for is made to cost nothing.
fn index(symbolizer: &Symbolizer, image: &File, most: u64, limit: Duration) -> Option<Vec<u8>> {
    let budget = Budget::new();
    let bytes = FileBytes::new(image, &budget);
    let elf = Elf::<FileHeader64<Endianness>, _>::parse(&bytes).ok()?;
    let key = Key::of(&elf, image, None, &symbolizer.directories)?;
    let missing = Missing { key, file: image.try_clone().ok()?, path: None, cost: Duration::ZERO };
    Some(symbolizer.index(&missing, most, Instant::now() + limit)?.concat())
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn names(symbolizer: &Symbolizer, image: &File) -> ImageNames {
    let offsets: Vec<ImageOffset> =
        (0..image.metadata().unwrap().len()).step_by(61).map(ImageOffset).collect();
    symbolizer.resolve_file(None, image, &ImageIdentity::None, &offsets)
}

/// What the index answers for the same offsets.
fn names_by(index: &[u8], image: &File) -> ImageNames {
    let budget = Budget::new();
    let bytes = FileBytes::new(image, &budget);
    let elf = Elf::<FileHeader64<Endianness>, _>::parse(&bytes).unwrap();
    let offsets: Vec<ImageOffset> =
        (0..image.metadata().unwrap().len()).step_by(61).map(ImageOffset).collect();
    let mut addresses: Vec<_> = offsets.iter().filter_map(|offset| elf.image_address(*offset)).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let answers = Index::parse(index).unwrap().ask(&addresses).unwrap();
    answers.name(&offsets, |offset| addresses.binary_search(&elf.image_address(offset)?).ok())
}

#[test]
fn an_index_answers_as_the_tables_do() {
    let symbolizer = Symbolizer::new(crate::DebugDirectories::none());
    for program in programs().iter().filter(|program| program.starts_with(b"\x7fELF\x02")) {
        let file = file(program);
        let index = index(&symbolizer, &file, u64::MAX, LIMIT).expect("an index");
        let (by_tables, by_index) = (names(&symbolizer, &file), names_by(&index, &file));
        assert_eq!(by_tables.symbols, by_index.symbols);
        assert_eq!(by_tables.offsets, by_index.offsets);
    }
}

#[test]
fn an_index_keeps_to_its_limits() {
    let symbolizer = Symbolizer::new(crate::DebugDirectories::none());
    for program in programs().iter().filter(|program| program.starts_with(b"\x7fELF\x02")) {
        let file = file(program);
        let whole = index(&symbolizer, &file, u64::MAX, LIMIT).expect("an index");
        let size = whole.len() as u64;
        assert_eq!(index(&symbolizer, &file, size, LIMIT), Some(whole));
        assert_eq!(index(&symbolizer, &file, size - 1, LIMIT), None);
        assert_eq!(index(&symbolizer, &file, u64::MAX, Duration::ZERO), None);
    }
}

/// Damage that tables do not show may give an index that answers otherwise; it must not take this process with it.
#[test]
fn indexes_of_damaged_images_do_no_harm() {
    let symbolizer = Symbolizer::new(crate::DebugDirectories::none());
    let mut made = 0;
    for program in programs() {
        let headers = program.len().saturating_sub(2500)..program.len();
        for seed in 0..80_usize {
            let mut bytes = program.clone();
            for step in 0..1 + seed % 6 {
                let random = (seed * 7 + step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let place = match step % 3 {
                    0 => (random >> 20) % bytes.len(),
                    1 => (random >> 20) % 0x4000.min(bytes.len()),
                    _ => headers.start + (random >> 20) % headers.len().max(1),
                };
                bytes[place.min(program.len() - 1)] = [0, 0xff, 0x7f, random as u8][seed / 6 % 4];
            }
            let file = file(&bytes);
            let start = Instant::now();
            if let Some(index) = index(&symbolizer, &file, 64 << 20, LIMIT) {
                assert!(names_by(&index, &file).offsets.len() > 10);
                made += 1;
            }
            assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
        }
    }
    assert!(made > 20, "{made}");
}
