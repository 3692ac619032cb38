//! Damaged images: whatever their bytes, the answer is a value.

mod built;

use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use oprof_profile::{ImageIdentity, ImageOffset};
use oprof_symbolizer::{DebugDirectories, KernelSymbols, Symbolizer, demangle};

use built::{build, run, skipped, sources};

/// How long each test tries. They end by the clock because a debug build is ten times slower than a release build.
const TIME: Duration = Duration::from_secs(1);

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// A real image, small enough to be tried often.
fn image() -> Vec<u8> {
    std::fs::read("/bin/true").or_else(|_| std::fs::read("/proc/self/exe")).unwrap()
}

fn resolve(image: &[u8]) {
    let offsets: Vec<ImageOffset> =
        (0..image.len() as u64).step_by(509).chain([u64::MAX]).map(ImageOffset).collect();
    let names =
        Symbolizer::new(DebugDirectories::none()).resolve_bytes(image, &ImageIdentity::None, &offsets);
    assert_eq!(names.offsets.len(), offsets.len());
}

#[test]
fn a_truncated_image_gives_an_answer() {
    let image = image();
    let start = Instant::now();
    let step = (image.len() / 512).max(1);
    for length in (0..4096.min(image.len())).step_by(7).chain((0..image.len()).step_by(step)) {
        resolve(&image[..length]);
        if start.elapsed() > TIME {
            break;
        }
    }
}

#[test]
fn an_image_with_changed_bytes_gives_an_answer() {
    let image = image();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let start = Instant::now();
    while start.elapsed() < TIME {
        let mut damaged = image.clone();
        for _ in 0..1 + random.below(8) {
            // Headers are at both ends, and are what steers the reader.
            let place = match random.below(3) {
                0 => random.below(1024),
                1 => damaged.len() - 1 - random.below(4096.min(damaged.len())),
                _ => random.below(damaged.len()),
            };
            let place = place.min(damaged.len() - 1);
            damaged[place] = [0, 0xff, 0x80, damaged[place] ^ 1 << random.below(8)][random.below(4)];
        }
        resolve(&damaged);
    }
}

#[test]
fn any_bytes_are_kernel_symbols_or_none() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let start = Instant::now();
    while start.elapsed() < TIME / 2 {
        let alphabet = b"0f9 \t\nTtd[]_\xff";
        let text: Vec<u8> = (0..random.below(400)).map(|_| alphabet[random.below(alphabet.len())]).collect();
        let offsets = [0, 1, 0xf, 0xff00, u64::MAX].map(ImageOffset);
        assert_eq!(KernelSymbols::parse(&text).resolve(&offsets).offsets.len(), 5);
    }
}

#[test]
fn any_name_is_demangled_or_left_alone() {
    let pieces = [
        "N",
        "I",
        "E",
        "T_",
        "T0_",
        "S_",
        "S0_",
        "St",
        "Dp",
        "DT",
        "L",
        "X",
        "J",
        "F",
        "v",
        "i",
        "1a",
        "P",
        "K",
        "A_",
        "cl",
        "sr",
        "nw",
        "na",
        "il",
        "Z",
        "fL",
        "Ul",
        "C1",
        "Li9",
        "_",
        "R",
        "NvC",
        "B_",
        "INt",
        "17h0123456789abcdefE",
    ];
    let mut random = Random(0xdead_beef_1234_5678);
    let start = Instant::now();
    while start.elapsed() < TIME {
        let mut name = String::from(if random.below(4) == 0 { "_R" } else { "_Z" });
        for _ in 0..1 + random.below(3) {
            let unit: String = (0..1 + random.below(4)).map(|_| pieces[random.below(pieces.len())]).collect();
            name.push_str(&unit.repeat(1 + random.below(12)));
        }
        if let Some(demangled) = demangle(&name) {
            assert!(demangled.len() <= 64 << 10, "{} bytes from {name}", demangled.len());
        }
    }
}

/// Changes an image at random for a while, mostly where `places` says, and resolves it each time.
fn damage(image: &[u8], places: &[Range<usize>], time: Duration) {
    let mut random = Random(0x2545_f491_4f6c_dd1d ^ image.len() as u64);
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    while start.elapsed() < time {
        let mut damaged = image.to_vec();
        for _ in 0..1 + random.below(8) {
            let place = match places.get(random.below(places.len() + 1)) {
                Some(range) => range.start + random.below(range.len()),
                None => random.below(damaged.len()),
            };
            let place = place.min(damaged.len() - 1);
            damaged[place] = [0, 0xff, 0x80, damaged[place] ^ 1 << random.below(8)][random.below(4)];
        }
        let begin = Instant::now();
        resolve(&damaged);
        slowest = slowest.max(begin.elapsed());
    }
    // A debug build on a busy machine; what is to be found is minutes.
    assert!(slowest < Duration::from_secs(10), "an image of {} bytes took {slowest:?}", image.len());
}

/// Where the sections of these names are in an image's file, by `readelf`, and its headers.
fn sections(image: &Path, names: &[&str]) -> Vec<Range<usize>> {
    let text = run("readelf", ["-SW".as_ref(), image.as_os_str()]).unwrap_or_default();
    let ranges = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_once(']')?.1.split_whitespace().collect();
        names.contains(words.first()?).then_some(())?;
        let [offset, size] = [3, 4].map(|index| usize::from_str_radix(words.get(index)?, 16).ok());
        Some(offset?..offset? + size?)
    });
    ranges.filter(|range| !range.is_empty()).chain(std::iter::once(0..64)).collect()
}

#[test]
fn damaged_stubs_and_tables_for_unwinding_give_an_answer() {
    let folder = sources();
    for (name, flags) in [
        ("stripped", &["-s"][..]),
        ("no-header", &["-s", "-Wl,--no-eh-frame-hdr"]),
        ("debug-frame", &["-g", "-fno-asynchronous-unwind-tables", "-Wl,--strip-all"]),
        ("compressed", &["-g", "-gz=zlib"]),
    ] {
        let Some(image) = build(folder.path(), "gcc", "other.c", name, flags) else { continue };
        let tables =
            [".rela.plt", ".plt", ".eh_frame", ".eh_frame_hdr", ".dynsym", ".debug_frame", ".dynstr"];
        damage(&std::fs::read(&image).unwrap(), &sections(&image, &tables), TIME / 4);
    }
}

#[test]
fn damaged_small_symbol_tables_give_an_answer() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "other.c", "program", &["-s"]) else { return };
    let Some(mini) = build(folder.path(), "gcc", "other.c", "mini", &[]) else { return };
    let packed = folder.path().join("mini.xz");
    let add = format!("--add-section=.gnu_debugdata={}", packed.display());
    if run("xz", [mini.as_os_str()]).is_none() || run("objcopy", [add.as_ref(), image.as_os_str()]).is_none()
    {
        return skipped("no xz or no objcopy");
    }
    let table = sections(&image, &[".gnu_debugdata"]);
    damage(&std::fs::read(&image).unwrap(), &table, TIME / 2);
}

#[test]
fn damaged_tables_of_go_functions_give_an_answer() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "other.c", "program", &["-s"]) else { return };
    // A table of version 1.20 with one function whose offsets lead to and fro.
    let mut table = vec![0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8];
    for word in [1_u64, 0, 0x1000, 0x48, 0, 0, 0, 0x60] {
        table.extend(word.to_le_bytes());
    }
    table.extend(b"main.main\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    for number in [0_u32, 12, 0x1000, 0, 0] {
        table.extend(number.to_le_bytes());
    }
    let path = folder.path().join("table");
    std::fs::write(&path, table).unwrap();
    let add = format!("--add-section=.gopclntab={}", path.display());
    if run("objcopy", [add.as_ref(), image.as_os_str()]).is_none() {
        return skipped("no objcopy");
    }
    let bytes = std::fs::read(&image).unwrap();
    damage(&bytes, &sections(&image, &[".gopclntab"]), TIME / 2);
}

#[test]
fn what_unfolds_without_end_is_cut_off() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "other.c", "program", &["-s"]) else { return };
    // A gigabyte of zeros in 150 KB.
    let packed = folder.path().join("zeros.xz");
    let command = format!("head -c 1000000000 /dev/zero | xz -0 > '{}'", packed.display());
    let add = format!("--add-section=.gnu_debugdata={}", packed.display());
    if run("sh", ["-c", &command]).is_none() || run("objcopy", [add.as_ref(), image.as_os_str()]).is_none() {
        return skipped("no xz or no objcopy");
    }
    let start = Instant::now();
    resolve(&std::fs::read(&image).unwrap());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?} in a debug build", start.elapsed());
}
