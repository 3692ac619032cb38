//! Source lines and inlined calls of programs as compilers and linkers make them, compared with what addr2line(1) of
//! binutils and llvm-symbolizer(1) say of the same file.
//!
//! What a machine has no tool for is skipped with a line that says so.

mod compare;
mod oracle;
mod program;

use std::path::Path;

use compare::compare;
use oprof_symbolizer::{DebugDirectories, Symbolizer};
use oracle::{Frame, Oracle};
use program::{build, skipped, sources};

const C: &[&str] = &["src/c.c", "src/other.c"];

fn check(symbolizer: &Symbolizer, image: &Path, what: &str) {
    for oracle in [Oracle::Binutils, Oracle::Llvm] {
        match compare(symbolizer, image, what, oracle, known_difference) {
            Some(outcome) => println!("{what}, {oracle:?}: {outcome:?}"),
            None => skipped(&format!("{oracle:?} is missing")),
        }
    }
}

/// Why the tools may say something else.
fn known_difference(oracle: Oracle, ours: &[Frame], theirs: &[Frame]) -> bool {
    let nothing = ours.len() == 1 && ours[0].file.is_empty();
    // Without debugging information binutils show the file that the symbol table names before the symbol (STT_FILE).
    oracle == Oracle::Binutils && nothing && theirs.len() == 1 && theirs[0].line == 0
}

/// Programs in C, by both compilers, in every version of DWARF.
#[test]
fn c_programs_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for compiler in ["gcc", "clang"] {
        for level in ["-O0", "-O1", "-O2", "-O3"] {
            for format in ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
                let folder = sources();
                let flags = [level, format];
                let Some(image) = build(folder.path(), compiler, C, "program", &flags) else { continue };
                check(&symbolizer, &image, &format!("{compiler} {flags:?}"));
            }
        }
    }
}

/// Compressed sections, sections for the garbage collector, and code at other addresses.
#[test]
fn c_programs_of_other_layouts_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
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
        &["-freorder-blocks-and-partition"],
        &["-fuse-ld=gold"],
        &["-fuse-ld=lld"],
        &["-fuse-ld=mold"],
        &["-gno-column-info"],
    ];
    for compiler in ["gcc", "clang"] {
        for layout in layouts {
            let folder = sources();
            let flags = [&["-g", "-O2"], *layout].concat();
            let Some(image) = build(folder.path(), compiler, C, "program", &flags) else { continue };
            check(&symbolizer, &image, &format!("{compiler} {flags:?}"));
        }
    }
}

#[test]
fn cpp_programs_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for compiler in ["g++", "clang++"] {
        for level in ["-O0", "-O2"] {
            for format in ["-gdwarf-2", "-gdwarf-4", "-gdwarf-5"] {
                let folder = sources();
                let flags = [level, format, "-std=c++17"];
                let Some(image) = build(folder.path(), compiler, &["src/cpp.cc"], "program", &flags) else {
                    continue;
                };
                check(&symbolizer, &image, &format!("{compiler} {flags:?}"));
            }
        }
    }
}

#[test]
fn rust_programs_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for flags in [
        &["-g"][..],
        &["-g", "-O"],
        &["-g", "-O", "-Csymbol-mangling-version=v0"],
        &["-g", "-O", "-Cdebuginfo=line-tables-only"],
        &["-g", "-O", "-Zdwarf-version=5"],
    ] {
        let folder = sources();
        let Some(image) = build(folder.path(), "rustc", &["src/rust.rs"], "program", flags) else { continue };
        check(&symbolizer, &image, &format!("rustc {flags:?}"));
    }
}

/// Split DWARF: `.dwo` files where the compiler left them, beside a program that was moved, and in a package.
#[test]
fn split_programs_agree() {
    let symbolizer = Symbolizer::new(DebugDirectories::none());
    for compiler in ["gcc", "clang"] {
        for format in ["-gdwarf-4", "-gdwarf-5"] {
            let folder = sources();
            let flags = ["-g", "-O2", "-gsplit-dwarf", format];
            let Some(image) = build(folder.path(), compiler, C, "program", &flags) else { continue };
            check(&symbolizer, &image, &format!("{compiler} {flags:?}"));
        }
    }
}
