//! Programs that are built for a test, and what binutils say of them.
//!
//! What a machine has no tool for is skipped with a line that says so.
#![allow(dead_code, reason = "each program of tests uses a part")]

pub(crate) mod compare;
pub(crate) mod frames;
pub(crate) mod layout;
pub(crate) mod nm;
pub(crate) mod objdump;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use oprof_profile::{ImageIdentity, ImageNames, ImageOffset, Symbol};
use oprof_symbolizer::{DebugDirectories, Symbolizer};

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

/// Without assembler of one processor, and with calls that a linker makes stubs for.
const OTHER_SOURCE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline)) static int square(int x) { return x * x; }
__attribute__((noinline)) int twice(int x) { return square(x) + square(x + 1); }
void *volatile taken;
int main(int argc, char **argv) {
    taken = (void *)free;
    void *(*volatile allocate)(size_t) = malloc;
    free(allocate(argc));
    puts(argv[0]);
    return twice(atoi(argv[0]));
}
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

/// The output of a tool, however it ends; `None` where there is no such tool.
pub(crate) fn output<S: AsRef<OsStr>>(tool: &str, arguments: impl IntoIterator<Item = S>) -> Option<String> {
    let output = Command::new(tool).args(arguments).env("LC_ALL", "C").output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The output of a tool; `None` where there is no such tool or it fails.
pub(crate) fn run<S: AsRef<OsStr>>(tool: &str, arguments: impl IntoIterator<Item = S>) -> Option<String> {
    let output = Command::new(tool).args(arguments).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Says that a test, or a part of it, cannot be made here.
pub(crate) fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// A folder with the sources in it.
pub(crate) fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("c.c", C_SOURCE), ("other.c", OTHER_SOURCE), ("cpp.cc", CPP_SOURCE), ("rust.rs", RUST_SOURCE)]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Builds `source` in `folder`; `None`, with a line that says so, where this machine cannot.
pub(crate) fn build(
    folder: &Path,
    compiler: &str,
    source: &str,
    output: &str,
    flags: &[&str],
) -> Option<PathBuf> {
    let output = folder.join(output);
    let arguments = [OsStr::new("-o"), output.as_os_str()].into_iter().map(OsStr::to_os_string);
    let arguments =
        arguments.chain([folder.join(source).into_os_string()]).chain(flags.iter().map(Into::into));
    let built = run(compiler, arguments);
    if built.is_none() {
        skipped(&format!("{compiler} {flags:?} does not build here"));
    }
    built.map(|_| output)
}

pub(crate) fn names_of(image: &Path) -> ImageNames {
    let file = File::open(image).unwrap();
    let length = file.metadata().unwrap().len();
    let offsets: Vec<ImageOffset> = (0..length).step_by(2).map(ImageOffset).collect();
    Symbolizer::new(DebugDirectories::none()).resolve_file(None, &file, &ImageIdentity::None, &offsets)
}

/// The symbol at an offset of an image's file.
pub(crate) fn symbol_at(names: &ImageNames, offset: u64) -> Option<&Symbol> {
    names.lookup(ImageOffset(offset)).ok().and_then(|id| names.symbol(id))
}

pub(crate) fn has(names: &ImageNames, name: &str) -> bool {
    names.symbols.iter().any(|symbol| symbol.name == name)
}
