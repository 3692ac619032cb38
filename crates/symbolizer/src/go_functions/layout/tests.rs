use super::*;

/// A table of three functions at 0x1000, 0x1020 and 0x1100, the last ending at 0x1180.
fn table(magic: u32, endian: Endianness, pointer: usize) -> Vec<u8> {
    let functions: [(u64, &str); 3] =
        [(0x1000, "runtime.text"), (0x1020, "main.main"), (0x1100, "main.(*T).f·1")];
    let end = 0x1180_u64;
    let number = |value: u64, size: usize| match (endian, size) {
        (Endianness::Little, 4) => (value as u32).to_le_bytes().to_vec(),
        (Endianness::Big, 4) => (value as u32).to_be_bytes().to_vec(),
        (Endianness::Little, _) => value.to_le_bytes().to_vec(),
        (Endianness::Big, _) => value.to_be_bytes().to_vec(),
    };
    let (words, width, base) = match magic {
        0xffff_fffb => (1, pointer, 0),
        0xffff_fffa => (7, pointer, 0),
        _ => (8, 4, 0x1000),
    };
    let header_size = 8 + words * pointer;
    let mut names = Vec::new();
    let mut name_offsets = Vec::new();
    for (_, name) in functions {
        name_offsets.push(names.len());
        names.extend_from_slice(name.as_bytes());
        names.push(0);
    }
    let entries_size = (2 * functions.len() + 1) * width;
    let record_size = width + 4;
    // The header, the names, the entries, the records; in 1.2 the entries come before the names.
    let is_old = magic == 0xffff_fffb;
    let names_at = if is_old { header_size + entries_size + 3 * record_size } else { header_size };
    let entries_at = if is_old { header_size } else { header_size + names.len() };

    let mut bytes = number(magic.into(), 4);
    bytes.extend([0, 0, 1, pointer as u8]);
    let mut header = vec![functions.len() as u64, 0];
    if words == 8 {
        header.push(0x1000);
    }
    header.extend([names_at as u64, 0, 0, 0, entries_at as u64]);
    header.iter().take(words).for_each(|&word| bytes.extend(number(word, pointer)));
    if !is_old {
        bytes.extend(&names);
    }
    let records_from = if is_old { 0 } else { entries_at };
    for (index, (start, _)) in functions.iter().enumerate() {
        let record = entries_at + entries_size + index * record_size - records_from;
        bytes.extend(number(start - base, width));
        bytes.extend(number(record as u64, width));
    }
    bytes.extend(number(end - base, width));
    for (index, (start, _)) in functions.iter().enumerate() {
        bytes.extend(number(start - base, width));
        let from = if is_old { names_at } else { 0 };
        bytes.extend(number((name_offsets[index] + from) as u64, 4));
    }
    if is_old {
        bytes.extend(&names);
    }
    bytes
}

const MAGICS: [u32; 4] = [0xffff_fffb, 0xffff_fffa, 0xffff_fff0, 0xffff_fff1];

#[test]
fn every_version_width_and_endianness_is_read() {
    for magic in MAGICS {
        for endian in [Endianness::Little, Endianness::Big] {
            for pointer in [4, 8] {
                let bytes = table(magic, endian, pointer);
                let what = format!("{magic:x} {endian:?} {pointer}");
                let start = || text_start(&bytes, endian).map(|(_, start)| start);
                let table = FunctionTable::parse(&bytes, endian, start).expect(&what);
                let at = |address| {
                    let function = table.function(ImageAddress(address))?;
                    Some((function.start.0, function.size, str::from_utf8(function.name).unwrap()))
                };
                assert_eq!(at(0xfff), None, "{what}");
                assert_eq!(at(0x1000), Some((0x1000, 0x20, "runtime.text")), "{what}");
                assert_eq!(at(0x101f), Some((0x1000, 0x20, "runtime.text")), "{what}");
                assert_eq!(at(0x1020), Some((0x1020, 0xe0, "main.main")), "{what}");
                assert_eq!(at(0x117f), Some((0x1100, 0x80, "main.(*T).f·1")), "{what}");
                assert_eq!(at(0x1180), None, "{what}");
                assert_eq!(at(u64::MAX), None, "{what}");
            }
        }
    }
}

#[test]
fn a_table_that_is_cut_or_damaged_tells_less_and_never_panics() {
    for magic in MAGICS {
        let bytes = table(magic, Endianness::Little, 8);
        let ask = |bytes: &[u8]| {
            let start = || Some(ImageAddress(0x1000));
            let table = FunctionTable::parse(bytes, Endianness::Little, start)?;
            let asked = [0, 0x1000, 0x1100, 0x117f, u64::MAX];
            Some(asked.iter().filter(|&&at| table.function(ImageAddress(at)).is_some()).count())
        };
        for length in 0..bytes.len() {
            let _ = ask(&bytes[..length]);
        }
        for place in 0..bytes.len() {
            for value in [0, 0x7f, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] = value;
                let _ = ask(&damaged);
            }
        }
        assert_eq!(ask(&bytes), Some(3));
    }
    assert!(FunctionTable::parse(b"", Endianness::Little, || None).is_none());
    assert!(text_start(&table(0xffff_fffb, Endianness::Little, 8), Endianness::Little).is_none());
}

#[test]
fn a_table_among_other_bytes_is_found() {
    for magic in MAGICS {
        let mut bytes = vec![0xff; 96];
        // A magic number alone is no table.
        bytes[32..40].copy_from_slice(&[0xfb, 0xff, 0xff, 0xff, 0, 0, 1, 8]);
        assert_eq!(FunctionTable::find(&bytes, Endianness::Little), None);
        bytes.extend(table(magic, Endianness::Little, 8));
        assert_eq!(FunctionTable::find(&bytes, Endianness::Little), Some(96), "{magic:x}");
        assert_eq!(FunctionTable::find(&bytes, Endianness::Big), None);
    }
}
