//! Hostile tables of symbols, stubs, functions and entries for unwinding, and sections that unfold without end.

use std::io::Write;
use std::process::{Command, Stdio};

use super::image::{
    ALLOC, CODE, CODE_SIZE, COMPRESSED, DYNSYM, EXECUTABLE, PROGBITS, RELA, STRTAB, SYMTAB, Section, TEXT,
};
use super::{Hostile, repeated};

pub(crate) const IMAGES: &[Hostile] = &[
    ("symbols of zeros", |size| vec![symbols(SYMTAB, Vec::new(), size as u64 * 8), names(size)]),
    ("symbols that overlap", |size| {
        let row = |row: u64| (CODE + row % CODE_SIZE, CODE_SIZE, 0x12);
        vec![symbols(SYMTAB, rows(size, row), 0), names(size)]
    }),
    ("symbols of one place", |size| {
        vec![symbols(SYMTAB, rows(size, |_| (CODE, CODE_SIZE, 0x12)), 0), names(size)]
    }),
    ("symbols without size", |size| {
        vec![symbols(SYMTAB, rows(size, |row| (CODE + row % CODE_SIZE, 0, 0)), 0), names(size)]
    }),
    ("dynamic symbols", |size| {
        let row = |row: u64| (CODE + row % 1000, CODE_SIZE - row % 1000, 0x12);
        vec![symbols(DYNSYM, rows(size, row), 0), names(size)]
    }),
    ("stubs", |size| {
        let stub = [0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90];
        let mut stubs = Vec::new();
        for place in (0..CODE_SIZE).step_by(8) {
            stubs.extend(&stub[..2]);
            stubs.extend((0x20_0000 - (CODE + place + 6) as i32).to_le_bytes());
            stubs.extend(&stub[6..]);
        }
        let mut relocations = Vec::new();
        while relocations.len() < size {
            for word in [0x20_0000_u64, 1 << 32 | 7, 0] {
                relocations.extend(word.to_le_bytes());
            }
        }
        let plt = Section { flags: ALLOC | EXECUTABLE, address: CODE, ..Section::new(".plt", stubs) };
        let relocations =
            Section { kind: RELA, flags: ALLOC, link: 4, ..Section::new(".rela.plt", relocations) };
        vec![
            plt,
            names(size),
            Section { link: 3, ..symbols(DYNSYM, rows(48, |_| (CODE, 8, 0x12)), 0) },
            relocations,
        ]
    }),
    ("functions of Go", |size| {
        let table = repeated(&go_table(), size);
        vec![
            Section::new(".note.go.buildid", vec![0]),
            Section { address: 1 << 30, ..Section::new(".data.rel.ro", table) },
        ]
    }),
    ("entries for unwinding", |size| {
        let frame = Section { flags: ALLOC, address: 1 << 30, ..Section::new(".eh_frame", frame(size)) };
        vec![frame]
    }),
    ("a note", |size| {
        let mut notes = Vec::new();
        while notes.len() < size {
            notes.extend([4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, b'G', b'N', b'U', 0, 0, 0, 0, 0]);
        }
        vec![Section { kind: 7, ..Section::new(".note", notes) }]
    }),
    ("zlib", |size| packed("gzip", size, |bytes| (1, zlib_of_gzip(bytes)))),
    ("zstd", |size| packed("zstd", size, |bytes| (2, bytes))),
    ("xz", |size| vec![Section::new(".gnu_debugdata", pack("xz", size * 8))]),
];

fn symbols(kind: u32, rows: Vec<u8>, size: u64) -> Section {
    let rows_size = rows.len() as u64;
    let row = size / 24 * 24;
    Section { kind, link: 3, size: row.max(rows_size), ..Section::new(".symtab", rows) }
}

/// The names of all symbols: each has the same megabyte.
fn names(_: usize) -> Section {
    let mut names = vec![b'_'; 1 << 20];
    names.pop();
    names.push(0);
    Section { kind: STRTAB, ..Section::new(".strtab", names) }
}

/// Symbols with value, size and kind as `row` says.
fn rows(size: usize, row: impl Fn(u64) -> (u64, u64, u8)) -> Vec<u8> {
    let mut bytes = vec![0; 24];
    for number in 1..size as u64 / 24 {
        let (value, length, info) = row(number);
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([info, 0]);
        bytes.extend(TEXT.to_le_bytes());
        bytes.extend(value.to_le_bytes());
        bytes.extend(length.to_le_bytes());
    }
    bytes
}

/// A table of Go 1.20 without functions.
fn go_table() -> Vec<u8> {
    let mut table = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
    for word in [1 << 20, 0, CODE, 0x40, 0, 0, 0, 0x40_u64] {
        table.extend(word.to_le_bytes());
    }
    table.resize(96, 0);
    table
}

/// A table with a common part of its own for each function, and functions that all hold the same code.
fn frame(size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < size {
        // CIE: version 1, augmentation "zR", alignments 1 and -8, register 16, encoding udata8.
        bytes.extend([20, 0, 0, 0, 0, 0, 0, 0, 1, b'z', b'R', 0, 1, 0x78, 16, 1, 4, 0, 0, 0, 0, 0, 0, 0]);
        let back = 28_u32;
        bytes.extend(24_u32.to_le_bytes());
        bytes.extend(back.to_le_bytes());
        bytes.extend((CODE + bytes.len() as u64 % CODE_SIZE).to_le_bytes());
        bytes.extend(CODE_SIZE.to_le_bytes());
        bytes.extend([0; 4]);
    }
    bytes
}

/// What a program makes of zeros. Nothing where it is not there.
fn pack(program: &str, zeros: usize) -> Vec<u8> {
    let child = Command::new(program).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return Vec::new() };
    let Some(mut input) = child.stdin.take() else { return Vec::new() };
    let writer = std::thread::spawn(move || {
        let part = vec![0; 1 << 20];
        (0..zeros >> 20).try_for_each(|_| input.write_all(&part))
    });
    let output = child.wait_with_output().map(|output| output.stdout).unwrap_or_default();
    _ = writer.join();
    output
}

/// Sections of debugging information that are compressed and claim to unfold to `size` bytes each.
fn packed(program: &str, size: usize, format: impl Fn(Vec<u8>) -> (u32, Vec<u8>)) -> Vec<Section> {
    let (kind, bytes) = format(pack(program, size));
    let section = |name| {
        let mut all = Vec::new();
        for half in [kind, 0] {
            all.extend(half.to_le_bytes());
        }
        for word in [size as u64 >> 20 << 20, 1] {
            all.extend(word.to_le_bytes());
        }
        all.extend(&bytes);
        Section { flags: COMPRESSED, kind: PROGBITS, ..Section::new(name, all) }
    };
    [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges"].map(section).into()
}

/// The stream in a gzip file as zlib's: its header is another, and the checksum at its end is not looked at before the
/// size is reached.
fn zlib_of_gzip(bytes: Vec<u8>) -> Vec<u8> {
    [&[0x78, 0x9c], bytes.get(10..).unwrap_or_default()].concat()
}
