//! Hostile debugging information.

use super::image::{CODE, CODE_SIZE, Section};
use super::{Hostile, repeated};

pub(crate) const IMAGES: &[Hostile] = &[
    ("sections of zeros", |size| {
        let names = [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_ranges"];
        names.map(|name| Section::zeros(name, size as u64 * 8)).into()
    }),
    ("smallest units", |size| {
        vec![
            Section::new(".debug_info", repeated(&unit(0, &[1]), size)),
            Section::new(".debug_abbrev", ABBREVIATIONS.to_vec()),
        ]
    }),
    ("endless abbreviations", |size| {
        let mut abbreviations = Vec::new();
        let mut code = 1;
        while abbreviations.len() < size {
            leb(&mut abbreviations, code);
            abbreviations.extend([0x11, 1, 0x55, 0x17, 0, 0]);
            code += 3;
        }
        let info = (0..1000).flat_map(|start| unit(start * 8, &[1, 0, 0, 0, 0])).collect();
        vec![Section::new(".debug_info", info), Section::new(".debug_abbrev", abbreviations)]
    }),
    ("endless line programs", |size| {
        // Every unit has the same: special opcodes without end.
        let mut lines = line_header(size, &[1, b'a', 0, 0, 0, 0]);
        lines.extend(repeated(&[0x4b, 0x83, 2, 0xff, 0x7f], size));
        with_lines(lines, size / 1000)
    }),
    ("endless files", |size| {
        // A name of one byte each.
        let files = repeated(&[b'a', 0, 0, 0, 0], size);
        with_lines(line_header(size, &files), size / 1000)
    }),
    ("deep entries", |size| with_entries(&repeated(&[3], size), 0)),
    ("functions within functions", |size| {
        let mut entries = Vec::new();
        while entries.len() < size {
            let number = entries.len() as u64 / 13;
            entries.push(2);
            entries.extend((CODE + number % (CODE_SIZE / 2)).to_le_bytes());
            entries.extend((CODE_SIZE as u32 / 2 - (number % (CODE_SIZE / 2)) as u32).to_le_bytes());
        }
        with_entries(&entries, 0)
    }),
    ("cyclic references", |size| {
        let mut entries = vec![2];
        entries.extend(CODE.to_le_bytes());
        entries.extend((CODE_SIZE as u32).to_le_bytes());
        // Each inlined call names the next one as its origin, the last the first.
        let begin = 11 + 17 + entries.len();
        while entries.len() < size {
            let next = begin + entries.len() + 13;
            entries.push(4);
            entries.extend((CODE + entries.len() as u64 / 16 % CODE_SIZE).to_le_bytes());
            entries.extend(((CODE_SIZE / 2) as u32).to_le_bytes());
            entries
                .extend((if entries.len() + 17 < size { next as u32 } else { begin as u32 }).to_le_bytes());
        }
        with_entries(&entries, 0)
    }),
    ("one list of ranges", |size| {
        let mut ranges = Vec::new();
        while ranges.len() < size {
            let begin = CODE + ranges.len() as u64 % CODE_SIZE;
            ranges.extend(begin.to_le_bytes());
            ranges.extend((begin + 0x1000).to_le_bytes());
        }
        ranges.extend([0; 16]);
        let mut sections = with_entries(&repeated(&[5, 0, 0, 0, 0], size), 0);
        sections.push(Section::new(".debug_ranges", ranges));
        sections
    }),
    ("one name of a megabyte", |size| {
        let mut sections = with_entries(&repeated(&functions_with_name(), size), 0);
        let mut name = vec![b'x'; 1 << 20];
        name.push(0);
        sections.push(Section::new(".debug_str", name));
        sections
    }),
    ("address ranges", |size| {
        let mut set = 12_u32.to_le_bytes().to_vec();
        set.extend([2, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0]);
        let mut sections = with_entries(&[3], 0);
        sections.push(Section::new(".debug_aranges", repeated(&set, size)));
        sections
    }),
];

/// 1: a unit with low and high address and lines. 2: a function with code. 3: something with children. 4: an inlined
/// call. 5: a function with a list of ranges. 6: a function with a name. 7: a unit that tells nothing.
const ABBREVIATIONS: &[u8] = &[
    1, 0x11, 1, 0x11, 1, 0x12, 6, 0x10, 0x17, 0, 0, //
    2, 0x2e, 1, 0x11, 1, 0x12, 6, 0, 0, //
    3, 0x0b, 1, 0, 0, //
    4, 0x1d, 1, 0x11, 1, 0x12, 6, 0x31, 0x13, 0, 0, //
    5, 0x2e, 0, 0x55, 0x17, 0, 0, //
    6, 0x1d, 0, 0x11, 1, 0x12, 6, 0x6e, 0x0e, 0, 0, //
    7, 0x11, 1, 0, 0, 0,
];

/// A unit of DWARF 4 with its abbreviations at `abbreviations`.
fn unit(abbreviations: u32, entries: &[u8]) -> Vec<u8> {
    let mut unit = (entries.len() as u32 + 7).to_le_bytes().to_vec();
    unit.extend([4, 0]);
    unit.extend(abbreviations.to_le_bytes());
    unit.push(8);
    unit.extend(entries);
    unit
}

/// One unit that holds all code, with these entries in it.
fn with_entries(entries: &[u8], lines: u32) -> Vec<Section> {
    let info = unit(0, &[root(lines).as_slice(), entries].concat());
    vec![Section::new(".debug_info", info), Section::new(".debug_abbrev", ABBREVIATIONS.to_vec())]
}

/// Units that hold all code and have the same line table.
fn with_lines(lines: Vec<u8>, units: usize) -> Vec<Section> {
    let info = repeated(&unit(0, &root(0)), units * unit(0, &root(0)).len());
    vec![
        Section::new(".debug_info", info),
        Section::new(".debug_abbrev", ABBREVIATIONS.to_vec()),
        Section::new(".debug_line", lines),
    ]
}

/// The first entry of a unit.
fn root(lines: u32) -> Vec<u8> {
    let mut root = vec![1];
    root.extend(CODE.to_le_bytes());
    root.extend((CODE_SIZE as u32).to_le_bytes());
    root.extend(lines.to_le_bytes());
    root
}

/// A function that holds all code, and in it an inlined call for each address, each with the first name.
fn functions_with_name() -> Vec<u8> {
    let mut entries = vec![2];
    entries.extend(CODE.to_le_bytes());
    entries.extend((CODE_SIZE as u32).to_le_bytes());
    for place in (0..CODE_SIZE).step_by(1024) {
        entries.push(6);
        entries.extend((CODE + place).to_le_bytes());
        entries.extend(1024_u32.to_le_bytes());
        entries.extend((place as u32 / 1024).to_le_bytes());
    }
    entries
}

/// The header of a line table of DWARF 4 that says it has `size` bytes more, with these files.
fn line_header(size: usize, files: &[u8]) -> Vec<u8> {
    let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    header.extend(files);
    header.push(0);
    let mut bytes = (header.len() as u32 + 6 + size as u32).to_le_bytes().to_vec();
    bytes.extend([4, 0]);
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    // The address of the code.
    bytes.extend([0, 9, 2]);
    bytes.extend(CODE.to_le_bytes());
    bytes
}

fn leb(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
