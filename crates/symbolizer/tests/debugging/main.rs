//! Source lines and inlined calls of programs as compilers and linkers make them, compared with what addr2line(1) of
//! binutils and llvm-symbolizer(1) say of the same file.
//!
//! What a machine has no tool for is skipped with a line that says so.

mod compare;
mod oracle;
mod program;

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use compare::{Outcome, addresses, addresses_of, compare, resolve};
use object::{Endianness, Object, ObjectSection};
use oprof_profile::{ImageIdentity, ImageNames, ImageOffset};
use oprof_symbolizer::{DebugDirectories, Symbolizer};
use program::{build, skipped};

const C: &[&str] = &["src/c.c", "src/other.c"];

fn check(symbolizer: &Symbolizer, image: &Path, original: &Path, what: &str) -> Outcome {
    let outcome = compare(symbolizer, image, original, what);
    if outcome.is_none() {
        skipped("neither addr2line nor llvm-symbolizer is here");
    }
    println!("{what}: {outcome:?}");
    outcome.unwrap_or_default()
}

/// Builds a program and checks it as it is.
fn check_built(compiler: &str, sources: &[&str], flags: &[&str]) {
    let folder = program::sources();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    if let Some(image) = build(folder.path(), compiler, sources, "program", flags) {
        check(&symbolizer, &image, &image, &format!("{compiler} {flags:?}"));
    }
}

/// Programs in C, by both compilers, in every version of DWARF.
#[test]
fn c_programs_agree() {
    for compiler in ["gcc", "clang"] {
        for level in ["-O0", "-O1", "-O2", "-O3"] {
            for format in ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
                check_built(compiler, C, &[level, format]);
            }
        }
    }
}

/// Compressed sections, dropped ones, code at other addresses, other linkers.
#[test]
fn c_programs_of_other_layouts_agree() {
    let layouts: &[&[&str]] = &[
        &["-gz"],
        &["-gz=zlib-gnu"],
        &["-gz=zstd"],
        &["-ffunction-sections", "-Wl,--gc-sections"],
        &["-no-pie"],
        &["-static"],
        &["-shared", "-fPIC"],
        &["-flto"],
        &["-g1"],
        &["-m32"],
        &["-gdwarf64"],
        &["-fdebug-types-section"],
        &["-fuse-ld=gold"],
        &["-fuse-ld=lld"],
        &["-fuse-ld=mold"],
        &["-gno-column-info"],
    ];
    for compiler in ["gcc", "clang"] {
        for layout in layouts {
            check_built(compiler, C, &[&["-g", "-O2"], *layout].concat());
        }
    }
}

#[test]
fn cpp_programs_agree() {
    for compiler in ["g++", "clang++"] {
        for level in ["-O0", "-O2"] {
            for format in ["-gdwarf-2", "-gdwarf-4", "-gdwarf-5"] {
                check_built(compiler, &["src/cpp.cc"], &[level, format, "-std=c++17"]);
            }
        }
    }
}

#[test]
fn rust_programs_agree() {
    for flags in [
        &["-g"][..],
        &["-g", "-O"],
        &["-g", "-O", "-Csymbol-mangling-version=v0"],
        &["-O", "-Cdebuginfo=line-tables-only"],
        &["-O", "-Cdebuginfo=1", "-Ccodegen-units=1"],
        &["-g", "-O", "-Cdwarf-version=5"],
        &["-g", "-O", "-Csplit-debuginfo=packed"],
        &["-g", "-O", "-Csplit-debuginfo=unpacked"],
    ] {
        check_built("rustc", &["src/rust.rs"], flags);
    }
}

/// Split DWARF: `.dwo` files where the compiler left them, beside a program that was moved, and in a package.
#[test]
fn split_programs_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for (compiler, sources, format) in [
        ("gcc", C, "-gdwarf-4"),
        ("gcc", C, "-gdwarf-5"),
        ("clang", C, "-gdwarf-4"),
        ("clang", C, "-gdwarf-5"),
        ("g++", &["src/cpp.cc"], "-gdwarf-5"),
        ("clang++", &["src/cpp.cc"], "-gdwarf-5"),
    ] {
        let [folder, elsewhere] = [program::sources(), program::sources()];
        let (folder, elsewhere) = (folder.path(), elsewhere.path());
        let flags = ["-O2", "-gsplit-dwarf", format];
        let Some(image) = build(folder, compiler, sources, "program", &flags) else { continue };
        let what = format!("{compiler} {flags:?}");
        let there = check(&symbolizer, &image, &image, &what);

        // The tools look where the compiler left the files, so the copies are compared with what they said of that.
        let files = || std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        let is_split = |path: &Path| path.extension().is_some_and(|extension| extension == "dwo");
        let moved = elsewhere.join("program");
        std::fs::copy(&image, &moved).expect("a copy");
        for file in files().filter(|path| is_split(path)) {
            std::fs::copy(&file, elsewhere.join(file.file_name().expect("a name"))).expect("a copy");
        }
        let packed = folder.join("packed");
        std::fs::copy(&image, &packed).expect("a copy");
        let pack = ["dwp", "llvm-dwp"].into_iter().find(|tool| {
            let arguments = ["-e", "packed", "-o", "packed.dwp"];
            program::run(tool, folder, arguments).is_some() && folder.join("packed.dwp").exists()
        });
        let package = pack.map(|_| {
            let package = elsewhere.join("packed");
            std::fs::copy(&image, &package).expect("a copy");
            std::fs::copy(folder.join("packed.dwp"), elsewhere.join("packed.dwp")).expect("a copy");
            package
        });

        let expected = names_of(&symbolizer, &image);
        for file in files().filter(|path| is_split(path)) {
            std::fs::remove_file(file).expect("removed");
        }
        assert_eq!(names_of(&symbolizer, &moved), expected, "{what}, moved");
        for file in std::fs::read_dir(elsewhere).expect("a folder").flatten() {
            if is_split(&file.path()) {
                std::fs::remove_file(file.path()).expect("removed");
            }
        }
        match package {
            Some(package) => assert_eq!(names_of(&symbolizer, &package), expected, "{what}, packed"),
            None => skipped(&format!("no dwp that packs {what}")),
        }
        let without = names_of(&symbolizer, &moved);
        assert!(there.inlined == 0 || without != expected, "{what}: the files were not needed");
        assert!(
            without.places.iter().any(|place| place.line.is_some()),
            "{what}: lines are in the program itself"
        );
    }
}

/// What a distribution makes of a program: debugging information in a separate file, with the table of symbols or
/// without, compressed, and with what several programs share in a file of its own.
#[test]
fn separate_debug_files_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for format in ["-gdwarf-4", "-gdwarf-5"] {
        let folder = program::sources();
        let folder = folder.path();
        let flags = ["-O2", format];
        let Some(first) = build(folder, "g++", &["src/cpp.cc"], "first", &flags) else { return };
        let Some(_) = build(folder, "g++", &["src/cpp.cc", "-DOTHER"], "second", &flags) else { return };
        let original = folder.join("original");
        std::fs::copy(&first, &original).expect("a copy");
        let step = |tool: &str, arguments: &[&str]| {
            let done = program::run(tool, folder, arguments).is_some();
            if !done {
                skipped(&format!("{tool} {arguments:?} does not work here"));
            }
            done
        };
        for strip in ["--strip-all", "--strip-debug"] {
            for compression in ["none", "zlib", "zlib-gabi", "zstd"] {
                let compress = format!("--compress-debug-sections={compression}");
                std::fs::copy(&original, &first).expect("a copy");
                let separated = step("objcopy", &["--only-keep-debug", &compress, "first", "first.debug"])
                    && step("objcopy", &[strip, "--add-gnu-debuglink=first.debug", "first"]);
                if separated {
                    let outcome =
                        check(&symbolizer, &first, &original, &format!("{format} {strip} {compress}"));
                    assert!(outcome.known.is_empty() || outcome.inlined > 0, "{strip} {compress}");
                }
            }
        }
        // dwz within one file, and with a file for two.
        for arguments in [&["first"][..], &["-m", "common", "first", "second"]] {
            std::fs::copy(&original, &first).expect("a copy");
            if step("dwz", arguments) {
                let what = format!("{format} dwz {arguments:?}");
                let outcome = check(&symbolizer, &first, &original, &what);
                assert!(outcome.inlined > 10, "{what}");
            }
        }
    }
}

/// Libraries whose debug files are installed.
#[test]
fn system_libraries_agree() {
    let folder = Path::new("/lib/x86_64-linux-gnu");
    let symbolizer = Symbolizer::default();
    let mut compared = 0;
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_library = |path: &PathBuf| path.to_string_lossy().contains(".so") && !path.is_symlink();
    // The largest ones that are sure to be there come first.
    let images =
        [folder.join("libc.so.6"), folder.join("libm.so.6")].into_iter().chain(listed.filter(is_library));
    for image in images {
        let Some(debug) = debug_file(&image) else { continue };
        let outcome = check(&symbolizer, &image, &debug, &image.display().to_string());
        compared += usize::from(outcome.lines > 0);
        if compared == 10 {
            break;
        }
    }
    if compared == 0 {
        skipped("no library has a debug file here");
    }
}

/// The debug file of a library by its build id.
fn debug_file(image: &Path) -> Option<PathBuf> {
    let id = oprof_symbolizer::build_id(&File::open(image).ok()?).ok()??;
    let digits: String = id.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let path = PathBuf::from(format!("/usr/lib/debug/.build-id/{}/{}.debug", &digits[..2], &digits[2..]));
    path.exists().then_some(path)
}

fn names_of(symbolizer: &Symbolizer, image: &Path) -> ImageNames {
    let offsets: Vec<ImageOffset> = addresses(image).into_iter().map(|(_, offset)| offset).collect();
    resolve(symbolizer, image, &offsets)
}

/// Whatever the bytes of the debugging information, there is an answer, and the table of symbols still counts.
#[test]
fn damaged_sections_give_an_answer() {
    let folder = program::sources();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for flags in [&["-O2", "-gdwarf-5"][..], &["-O2", "-gdwarf-4"], &["-O2", "-gdwarf-5", "-gsplit-dwarf"]] {
        let Some(image) = build(folder.path(), "gcc", C, "program", flags) else { continue };
        let whole = std::fs::read(&image).expect("an image");
        let sections = debug_sections(&whole);
        assert!(sections.len() > 4, "{flags:?}: {sections:?}");
        let offsets: Vec<ImageOffset> = addresses(&image).into_iter().map(|(_, offset)| offset).collect();
        let names = symbolizer.resolve_bytes(&whole, &ImageIdentity::None, &offsets);
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |limit: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % limit as u64) as usize
        };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            let mut damaged = whole.clone();
            let section = &sections[below(sections.len())];
            for _ in 0..1 + below(6) {
                let place = section.start + below(section.len());
                damaged[place] = [0, 0xff, 0x80, 1, damaged[place] ^ 1 << below(8)][below(5)];
            }
            let answer = symbolizer.resolve_bytes(&damaged, &ImageIdentity::None, &offsets);
            assert_eq!(answer.offsets, names.offsets);
            assert!(answer.places.is_empty() || answer.places.len() == offsets.len());
        }
    }
}

/// A unit whose entries are damaged costs its own inlined calls; the other unit has its own.
#[test]
fn a_damaged_unit_harms_no_other() {
    let folder = program::sources();
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    let Some(image) = build(folder.path(), "gcc", C, "program", &["-O2", "-gdwarf-5"]) else { return };
    let whole = std::fs::read(&image).expect("an image");
    let offsets: Vec<ImageOffset> = addresses_of(&image, 1).into_iter().map(|(_, offset)| offset).collect();
    let inlined = |bytes: &[u8], function: &str| {
        let names = symbolizer.resolve_bytes(bytes, &ImageIdentity::None, &offsets);
        let within = names.offsets.iter().zip(&names.places).filter(|((_, symbol), _)| {
            symbol.is_ok_and(|id| names.symbol(id).is_some_and(|symbol| symbol.name == function))
        });
        within.filter(|(_, place)| !place.inlined.is_empty()).count()
    };
    let (twice, other) = (inlined(&whole, "twice"), inlined(&whole, "other"));
    assert!(twice > 0 && other > 0);
    let info = section(&whole, ".debug_info").expect("debugging information");
    let mut damaged = whole.clone();
    // Behind the header: the first unit's entries are of no known form.
    damaged[info.start + 12..info.start + 40].fill(0x7f);
    assert_eq!((inlined(&damaged, "twice"), inlined(&damaged, "other")), (0, other));
}

/// Where a section is in a file.
fn section(data: &[u8], name: &str) -> Option<Range<usize>> {
    let file = object::read::elf::ElfFile64::<Endianness>::parse(data).ok()?;
    let (start, size) = file.section_by_name(name)?.file_range()?;
    Some(start as usize..(start + size) as usize)
}

fn debug_sections(data: &[u8]) -> Vec<Range<usize>> {
    let names =
        ["info", "abbrev", "line", "line_str", "str", "aranges", "ranges", "rnglists", "addr", "str_offsets"];
    names
        .iter()
        .filter_map(|name| section(data, &format!(".debug_{name}")))
        .filter(|range| !range.is_empty())
        .collect()
}

/// Entries that refer to the same large list of ranges over and over: reading them all would take hours.
#[test]
fn hostile_sections_cost_a_bounded_time() {
    let folder = program::sources();
    std::fs::write(folder.path().join("hostile.s"), HOSTILE).expect("a source");
    let Some(image) = build(folder.path(), "gcc", &["hostile.s"], "hostile", &["-nostdlib", "-no-pie"])
    else {
        return;
    };
    let start = Instant::now();
    let names = names_of(&Symbolizer::new(DebugDirectories::none()), &image);
    // Less than a tenth of a second in a release build.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(names.symbols.iter().any(|symbol| symbol.name == "_start"));
}

/// A function with 200,000 inlined calls, each of which has the same 100,000 ranges; and 20,000 units that each have
/// those ranges, too.
const HOSTILE: &str = r#"
    .globl _start
    .type _start, @function
_start:
    .skip 4096, 0x90
.Lend:
    .size _start, . - _start
    .section .debug_abbrev
.Labbreviations:
    .uleb128 1, 0x11
    .byte 1
    .uleb128 0x11, 1, 0x12, 6, 0, 0
    .uleb128 2, 0x2e
    .byte 1
    .uleb128 0x11, 1, 0x12, 6, 0, 0
    .uleb128 3, 0x1d
    .byte 0
    .uleb128 0x55, 0x17, 0, 0
    .uleb128 4, 0x11
    .byte 0
    .uleb128 0x55, 0x17, 0, 0
    .uleb128 0
    .section .debug_info
    .long .Lunit_end - .Lunit
.Lunit:
    .short 4
    .long .Labbreviations
    .byte 8
    .uleb128 1
    .quad _start
    .long .Lend - _start
    .uleb128 2
    .quad _start
    .long .Lend - _start
    .rept 200000
    .uleb128 3
    .long 0
    .endr
    .uleb128 0, 0
.Lunit_end:
    .rept 20000
    .long 12
    .short 4
    .long .Labbreviations
    .byte 8
    .uleb128 4
    .long 0
    .endr
    .section .debug_ranges
    .rept 100000
    .quad _start, .Lend
    .endr
    .quad 0, 0
"#;
