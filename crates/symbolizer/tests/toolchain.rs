//! Programs as compilers and linkers make them, compared with what binutils say about the same file.
//!
//! What a machine has no tool for is skipped with a line that says so.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use oprof_profile::{BuildId, ImageIdentity, ImageNames, ImageOffset, Inode, Unresolved};
use oprof_symbolizer::{DebugDirectories, Symbolizer, build_id};

const C_SOURCE: &str = r#"
#include <stdio.h>
__attribute__((noinline)) static int square(int x) { return x * x; }
__attribute__((noinline)) int twice(int x) { return square(x) + square(x + 1); }
int strong(int x) { return x + 3; }
int weak_alias(int x) __attribute__((weak, alias("strong")));
int __hidden_alias(int x) __attribute__((alias("strong")));
__asm__(".text\n.globl assembled\nassembled: nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop\nret\n");
__attribute__((section(".text.other"), noinline)) int other(int x) { return x ^ 5; }
int main(int argc, char **argv) { printf("%d\n", twice(argc) + other(argc)); return 0; }
"#;

const CPP_SOURCE: &str = r#"
#include <string>
#include <vector>
namespace space {
template <typename T> struct Box { T value; Box(T v); ~Box(); T get() const; };
template <typename T> __attribute__((noinline)) Box<T>::Box(T v) : value(v) {}
template <typename T> __attribute__((noinline)) Box<T>::~Box() {}
template <typename T> __attribute__((noinline)) T Box<T>::get() const { return value; }
template struct Box<std::string>;
template struct Box<std::vector<int>>;
}
int main(int argc, char **) { return space::Box<std::string>(std::string(argc, 'x')).get().size() == 0; }
"#;

const RUST_SOURCE: &str = r#"
trait Shape { fn area(&self) -> u64; }
struct Square(u64);
impl Shape for Square { #[inline(never)] fn area(&self) -> u64 { self.0 * self.0 } }
fn main() { let shape: Box<dyn Shape> = Box::new(Square(std::env::args().count() as u64)); println!("{}", shape.area()); }
"#;

/// The output of a tool; `None` where there is no such tool or it fails.
fn run<S: AsRef<OsStr>>(tool: &str, arguments: impl IntoIterator<Item = S>) -> Option<String> {
    let output = Command::new(tool).args(arguments).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A row of `readelf`, as hexadecimal or decimal numbers where it has them.
fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => u64::from_str_radix(word, 16).ok(),
    }
}

/// A symbol of code as nm(1) tells it.
#[derive(Debug)]
struct NmSymbol {
    start: u64,
    size: u64,
    name: String,
}

/// The symbols of code in one of the tables of an image.
fn nm(image: &Path, dynamic: bool) -> Option<Vec<NmSymbol>> {
    let table = if dynamic { "--dynamic" } else { "--debug-syms" };
    let text = run("nm", [OsStr::new(table), OsStr::new("--format=posix"), image.as_os_str()])?;
    let symbols = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, kind) = (words.next()?, words.next()?);
        let start = u64::from_str_radix(words.next()?, 16).ok()?;
        let size = words.next().and_then(|size| u64::from_str_radix(size, 16).ok()).unwrap_or(0);
        let name = name.split('@').next().unwrap_or(name).to_string();
        // `w` is an undefined weak symbol unless it has an address; `V` and `v` are data.
        (matches!(kind, "T" | "t" | "W" | "w" | "i") && start != 0).then_some(NmSymbol { start, size, name })
    });
    Some(symbols.collect())
}

/// The executable PT_LOAD segments as readelf(1) tells them: file offset, address, size in the file.
fn code_segments(image: &Path) -> Option<Vec<(u64, u64, u64)>> {
    let text = run("readelf", [OsStr::new("--segments"), OsStr::new("--wide"), image.as_os_str()])?;
    let segments = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let flags = line.get(line.len().checked_sub(14)?..)?;
        (words.first() == Some(&"LOAD") && flags.contains('E')).then_some(())?;
        Some((number(words[1])?, number(words[2])?, number(words[4])?))
    });
    Some(segments.collect())
}

/// Compares every 64th byte of an image's code, and the first and last byte of every function, with the tables
/// as nm tells them. Returns how many bytes had a name; `None` where binutils are missing.
fn compare(image: &Path) -> Option<usize> {
    let segments = code_segments(image)?;
    assert!(!segments.is_empty(), "{}: readelf shows no code", image.display());
    let [symtab, dynsym] = [nm(image, false)?, nm(image, true).unwrap_or_default()];
    let file = File::open(image).unwrap();
    let identity = build_id(&file).unwrap().map_or(ImageIdentity::None, ImageIdentity::BuildId);

    let mut addresses: BTreeMap<u64, u64> = BTreeMap::new();
    for &(offset, address, size) in &segments {
        addresses.extend((0..size).step_by(64).map(|distance| (address + distance, offset + distance)));
        let ends = symtab
            .iter()
            .chain(&dynsym)
            .flat_map(|s| [s.start, s.start + s.size.max(1) - 1, s.start + s.size]);
        for end in ends.filter(|end| (address..address + size).contains(end)) {
            addresses.insert(end, end - address + offset);
        }
    }
    let offsets: Vec<ImageOffset> = addresses.values().copied().map(ImageOffset).collect();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &identity, &offsets);
    if symtab.is_empty() && dynsym.is_empty() {
        assert!(
            names.offsets.iter().all(|(_, name)| *name == Err(Unresolved::NoSymbols)),
            "{}",
            image.display()
        );
        return Some(0);
    }

    let mut named = 0;
    let tables = [Ranges::new(&symtab), Ranges::new(&dynsym)];
    for (&address, &offset) in &addresses {
        let expected = tables.iter().map(|table| table.innermost(address)).find(|names| !names.is_empty());
        let found = names.lookup(ImageOffset(offset)).map(|id| names.symbol(id).unwrap());
        let whither = || format!("{} at address {address:x}, offset {offset:x}", image.display());
        match (expected, found) {
            (Some(expected), Ok(symbol)) => {
                let raw = symbol.mangled.as_ref().unwrap_or(&symbol.name);
                assert!(expected.contains(raw.as_str()), "{}: {raw}, not one of {expected:?}", whither());
                named += 1;
            }
            (Some(expected), Err(reason)) => panic!("{}: {reason:?}, not one of {expected:?}", whither()),
            (None, Ok(symbol)) => {
                // No symbol with a size holds it, so this must be one without, with no other between.
                assert!(
                    symbol.address.0 <= address && address < symbol.address.0 + symbol.size,
                    "{}",
                    whither()
                );
                let between =
                    symtab.iter().chain(&dynsym).find(|s| symbol.address.0 < s.start && s.start <= address);
                assert!(between.is_none(), "{}: {} reaches past {between:?}", whither(), symbol.name);
                let own = symtab.iter().chain(&dynsym).find(|s| s.start == symbol.address.0 && s.size == 0);
                assert!(own.is_some(), "{}: {} is past its end", whither(), symbol.name);
                named += 1;
            }
            (None, Err(reason)) => assert_eq!(reason, Unresolved::NoSymbolAtOffset, "{}", whither()),
        }
    }
    Some(named)
}

/// Sized symbols by start, with the largest size, so that those that may hold an address are found fast.
struct Ranges<'nm> {
    by_start: BTreeMap<u64, Vec<&'nm NmSymbol>>,
    largest: u64,
}

impl<'nm> Ranges<'nm> {
    fn new(symbols: &'nm [NmSymbol]) -> Ranges<'nm> {
        let mut by_start: BTreeMap<u64, Vec<&NmSymbol>> = BTreeMap::new();
        for symbol in symbols.iter().filter(|symbol| symbol.size > 0) {
            by_start.entry(symbol.start).or_default().push(symbol);
        }
        Ranges { by_start, largest: symbols.iter().map(|symbol| symbol.size).max().unwrap_or(0) }
    }

    /// The names of the innermost symbol that holds the address.
    fn innermost(&self, address: u64) -> BTreeSet<&'nm str> {
        for (_, group) in self.by_start.range(address.saturating_sub(self.largest)..=address).rev() {
            let holding = || group.iter().filter(|symbol| address < symbol.start + symbol.size);
            if let Some(smallest) = holding().map(|symbol| symbol.size).min() {
                return holding()
                    .filter(|symbol| symbol.size == smallest)
                    .map(|symbol| symbol.name.as_str())
                    .collect();
            }
        }
        BTreeSet::new()
    }
}

/// A folder with the sources in it.
fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("c.c", C_SOURCE), ("cpp.cc", CPP_SOURCE), ("rust.rs", RUST_SOURCE)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Builds `source` in `folder`; `None`, with a line that says so, where this machine cannot.
fn build(folder: &Path, compiler: &str, source: &str, output: &str, flags: &[&str]) -> Option<PathBuf> {
    let output = folder.join(output);
    let arguments = [OsStr::new("-o"), output.as_os_str()].into_iter().map(OsStr::to_os_string);
    let arguments =
        arguments.chain([folder.join(source).into_os_string()]).chain(flags.iter().map(Into::into));
    let built = run(compiler, arguments);
    if built.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {compiler} {flags:?} does not build here");
    }
    built.map(|_| output)
}

fn names_of(image: &Path) -> ImageNames {
    let file = File::open(image).unwrap();
    let length = file.metadata().unwrap().len();
    let offsets: Vec<ImageOffset> = (0..length).step_by(2).map(ImageOffset).collect();
    Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &ImageIdentity::None, &offsets)
}

fn has(names: &ImageNames, name: &str) -> bool {
    names.symbols.iter().any(|symbol| symbol.name == name)
}

#[test]
fn c_programs_of_every_layout_agree_with_nm() {
    let folder = sources();
    let layouts: &[(&str, &[&str])] = &[
        ("pie", &["-fPIE", "-pie"]),
        ("no-pie", &["-no-pie"]),
        ("static", &["-static"]),
        ("shared", &["-shared", "-fPIC"]),
        ("separate", &["-Wl,-z,separate-code"]),
        ("together", &["-Wl,-z,noseparate-code"]),
        ("high", &["-no-pie", "-Wl,-Ttext-segment=0x12340000"]),
        // An address and an offset of .text that differ by something other than the first segment's distance.
        ("far-text", &["-no-pie", "-Wl,-Ttext=0x7000100"]),
        (
            "two-code-segments",
            &["-no-pie", "-Wl,--section-start=.text.other=0x9000000", "-Wl,--unique=.text.other"],
        ),
        ("omagic", &["-static", "-Wl,-N"]),
        ("gold", &["-fuse-ld=gold"]),
        ("lld", &["-fuse-ld=lld"]),
        ("lld-rosegment", &["-fuse-ld=lld", "-Wl,--rosegment", "-no-pie"]),
        ("m32", &["-m32"]),
    ];
    for (name, flags) in layouts {
        let flags = [&["-O1"], *flags].concat();
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { continue };
        let Some(named) = compare(&image) else {
            let _ = writeln!(std::io::stderr(), "skipped: nm or readelf is missing");
            return;
        };
        assert!(named > 10, "{name}: only {named} bytes have a name");
        let names = names_of(&image);
        for function in ["main", "twice", "square", "strong", "other", "assembled"] {
            assert!(has(&names, function), "{name}: no {function}");
        }
        assert!(!has(&names, "weak_alias") && !has(&names, "__hidden_alias"), "{name}: an alias was chosen");
    }
}

#[test]
fn the_linker_that_comes_with_rust_agrees_with_nm() {
    let folder = sources();
    let sysroot = run("rustc", ["--print", "sysroot"]).unwrap_or_default();
    let host = run("rustc", ["--print", "host-tuple"]).unwrap_or_default();
    let linkers = format!("-B{}/lib/rustlib/{}/bin/gcc-ld", sysroot.trim(), host.trim());
    for (name, flags) in
        [("lld", &["-pie"][..]), ("lld-no-pie", &["-no-pie"]), ("lld-shared", &["-shared", "-fPIC"])]
    {
        let flags = [&["-O1", "-fuse-ld=lld", linkers.as_str()], flags].concat();
        let Some(image) = build(folder.path(), "gcc", "c.c", name, &flags) else { continue };
        let segments = code_segments(&image).unwrap_or_default();
        println!("{name}: {segments:x?}");
        assert!(compare(&image).is_none_or(|named| named > 10), "{name}");
        assert!(has(&names_of(&image), "twice"), "{name}");
    }
}

#[test]
fn stripped_programs_keep_their_dynamic_symbols_only() {
    let folder = sources();
    let Some(library) = build(folder.path(), "gcc", "c.c", "lib.so", &["-O1", "-shared", "-fPIC", "-s"])
    else {
        return;
    };
    let names = names_of(&library);
    assert!(has(&names, "twice") && !has(&names, "square"), "{:?}", names.symbols);
    assert!(compare(&library).is_none_or(|named| named > 3));

    let Some(program) = build(folder.path(), "gcc", "c.c", "program", &["-O1", "-static", "-s"]) else {
        return;
    };
    assert_eq!(names_of(&program).lookup(ImageOffset(0x1000)), Err(Unresolved::NoSymbols));
}

#[test]
fn cpp_names_are_demangled() {
    let folder = sources();
    let Some(image) = build(folder.path(), "g++", "cpp.cc", "cpp", &["-O1"]) else { return };
    let names = names_of(&image);
    let expected = "space::Box<std::vector<int, std::allocator<int> > >::get() const";
    assert!(has(&names, expected), "{:?}", names.symbols);
    assert!(compare(&image).is_none_or(|named| named > 10));
}

#[test]
fn rust_names_are_demangled_in_both_schemes() {
    let folder = sources();
    // Which scheme is the default depends on the compiler, and only a nightly one may be asked for the legacy one.
    for (scheme, flags) in [("default", &[][..]), ("v0", &["-Csymbol-mangling-version=v0"])] {
        let Some(image) = build(folder.path(), "rustc", "rust.rs", scheme, &[&["-O"], flags].concat()) else {
            continue;
        };
        let names = names_of(&image);
        assert!(has(&names, "<rust::Square as rust::Shape>::area"), "{scheme}: {:?}", names.symbols);
        let hash = |name: &str| name.len() > 19 && name[name.len() - 19..].starts_with("::h");
        let hashed = names.symbols.iter().find(|symbol| symbol.name.is_ascii() && hash(&symbol.name));
        assert!(hashed.is_none(), "{scheme}: {hashed:?}");
        assert!(compare(&image).is_none_or(|named| named > 1000), "{scheme}");
    }
}

#[test]
fn functions_agree_with_addr2line() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &["-O1"]) else { return };
    let (Some(segments), Some(symbols)) = (code_segments(&image), nm(&image, false)) else { return };
    let inside: Vec<u64> = symbols.iter().filter(|s| s.size > 4).map(|s| s.start + s.size / 2).collect();
    let arguments = ["-f", "-e", image.to_str().unwrap()].map(String::from).into_iter();
    let Some(text) = run("addr2line", arguments.chain(inside.iter().map(|address| format!("{address:x}"))))
    else {
        let _ = writeln!(std::io::stderr(), "skipped: addr2line is missing");
        return;
    };
    let offset = |address: u64| {
        let segment = segments.iter().find(|segment| (segment.1..segment.1 + segment.2).contains(&address));
        segment.map(|segment| ImageOffset(address - segment.1 + segment.0))
    };
    let offsets: Vec<ImageOffset> = inside.iter().filter_map(|&address| offset(address)).collect();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &File::open(&image).unwrap(),
        &ImageIdentity::None,
        &offsets,
    );
    for (address, function) in inside.iter().zip(text.lines().step_by(2)) {
        let name = &names.symbol(names.lookup(offset(*address).unwrap()).unwrap()).unwrap().name;
        let aliases = ["strong", "weak_alias", "__hidden_alias"];
        let same = name == function || (aliases.contains(&name.as_str()) && aliases.contains(&function));
        assert!(same, "{address:x}: {name}, addr2line says {function}");
    }
    assert!(inside.len() > 4);
}

#[test]
fn system_libraries_agree_with_nm() {
    let mut compared = 0;
    for folder in ["/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64", "/usr/lib"] {
        for name in [
            "libc.so.6",
            "libm.so.6",
            "libstdc++.so.6",
            "libz.so.1",
            "ld-linux-x86-64.so.2",
            "libcrypto.so.3",
        ] {
            let image = Path::new(folder).join(name);
            let Some(named) = image.exists().then(|| compare(&image)).flatten() else { continue };
            println!("{}: {named} bytes named", image.display());
            assert!(named > 10, "{}", image.display());
            compared += 1;
        }
        if compared > 0 {
            return;
        }
    }
    let _ = writeln!(std::io::stderr(), "skipped: no system library or no nm");
}

#[test]
fn the_build_id_is_what_readelf_shows() {
    let folder = sources();
    let flags = ["-Wl,--build-id=0x00112233445566778899"];
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &flags) else { return };
    let file = File::open(&image).unwrap();
    let expected = BuildId::new(&[0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99]);
    assert_eq!(build_id(&file), Ok(expected));
    let Some(image) = build(folder.path(), "gcc", "c.c", "without", &["-Wl,--build-id=none"]) else { return };
    let file = File::open(&image).unwrap();
    assert_eq!(build_id(&file), Ok(None));
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &file,
        &ImageIdentity::BuildId(expected.unwrap()),
        &[ImageOffset(0)],
    );
    assert_eq!(names.lookup(ImageOffset(0)), Err(Unresolved::BuildIdMismatch));
}

#[test]
fn a_rebuilt_program_is_told_by_its_inode() {
    let folder = sources();
    let Some(image) = build(folder.path(), "gcc", "c.c", "program", &[]) else { return };
    let metadata = std::fs::metadata(&image).unwrap();
    let device = metadata.dev();
    let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
    let minor = (device & 0xff) | (device >> 12 & !0xff);
    let inode = Inode { device: major << 32 | (minor & 0xffff_ffff), number: metadata.ino(), generation: 5 };
    let identity = ImageIdentity::Inode(inode);
    let offsets: Vec<ImageOffset> = (0..metadata.len()).step_by(16).map(ImageOffset).collect();
    assert!(has(
        &Symbolizer::new(DebugDirectories::none()).resolve_file(
            None,
            &File::open(&image).unwrap(),
            &identity,
            &offsets
        ),
        "main"
    ));

    let copy = folder.path().join("copy");
    std::fs::copy(&image, &copy).unwrap();
    std::fs::rename(&copy, &image).unwrap();
    let names = Symbolizer::new(DebugDirectories::none()).resolve_file(
        None,
        &File::open(&image).unwrap(),
        &identity,
        &offsets,
    );
    assert_eq!(names, ImageNames::unresolved(offsets, Unresolved::BuildIdMismatch));
}
