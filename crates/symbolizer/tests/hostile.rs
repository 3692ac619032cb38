//! Damaged images: whatever their bytes, the answer is a value.

use std::time::{Duration, Instant};

use oprof_profile::{ImageIdentity, ImageOffset};
use oprof_symbolizer::{DebugDirectories, KernelSymbols, Symbolizer, demangle};

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
