//! Programs that are built for a test.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Inlined calls through several levels and files, a loop, a recursion, a function in two parts, code of a macro.
const C_SOURCE: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include "part.h"
#define CLAMP(x) ((x) > 100 ? 100 : \
                  (x))
static inline int square(int x) { return x * x + CLAMP(x); }
static inline int sum_of_squares(int x, int y) {
    return square(x)
         + square(y);
}
__attribute__((noinline)) int twice(int x) {
    int total = 0;
    for (int i = 0; i < x; i++)
        total += sum_of_squares(i, part(x));
    return total;
}
__attribute__((noinline, cold)) void refuse(int x) { fprintf(stderr, "%d\n", x); abort(); }
int recursive(int x) {
    if (x < 0) refuse(x);
    return x < 2 ? part(x) : recursive(x - 1) + recursive(x - 2) + square(x);
}
int main(int argc, char **argv) {
    printf("%d %d\n", twice(argc * 50), recursive(argc + 5));
    return other(argc) == 7;
}
"#;

const C_HEADER: &str = r#"
int other(int x);
static inline int part(int x) {
    x ^= x << 3;
    return x + (x >> 2);
}
"#;

const C_OTHER: &str = r#"
#include "part.h"
static inline int square(int x) { return x * x * 3; }
int other(int x) { return square(part(x)) + square(x); }
"#;

const CPP_SOURCE: &str = r#"
#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>
namespace space {
template <typename T> struct Box {
    std::vector<T> values;
    void add(T value) { values.push_back(value); }
    T total() const { return std::accumulate(values.begin(), values.end(), T()); }
    template <typename F> void each(F f) { for (auto &value : values) f(value); }
};
struct Shape { virtual ~Shape() {} virtual int area() const = 0; };
struct Square : Shape { int side; Square(int s) : side(s) {} int area() const override { return side * side; } };
}
static int count(const std::string &text) {
    std::map<char, int> counts;
    for (char c : text) ++counts[c];
    return std::max_element(counts.begin(), counts.end(), [](auto &a, auto &b) { return a.second < b.second; })->second;
}
int main(int argc, char **argv) {
    space::Box<int> box;
    for (int i = 0; i < argc * 20; i++) box.add(i ^ 5);
    std::sort(box.values.begin(), box.values.end(), [](int a, int b) { return a > b; });
    int sum = 0;
    box.each([&](int value) { sum += value; });
    space::Square square(argc);
    space::Shape &shape = square;
    return (sum + shape.area() + count(argv[0]) + box.total()) == 0;
}
"#;

const RUST_SOURCE: &str = r#"
use std::collections::BTreeMap;
trait Shape { fn area(&self) -> u64; }
struct Square(u64);
impl Shape for Square { #[inline(never)] fn area(&self) -> u64 { self.0.pow(2) } }
#[inline(always)]
fn mixed(values: &[u64]) -> u64 { values.iter().map(|x| x ^ 3).filter(|x| x % 3 != 0).sum() }
fn main() {
    let count = std::env::args().count() as u64;
    let mut map = BTreeMap::new();
    for i in 0..count * 10 { map.entry(i % 7).or_insert_with(Vec::new).push(i); }
    let shape: Box<dyn Shape> = Box::new(Square(count));
    let mut all: Vec<u64> = map.values().flatten().copied().collect();
    all.sort_by(|a, b| b.cmp(a));
    println!("{} {}", shape.area(), mixed(&all));
}
"#;

/// A folder with the sources in it, in a folder of its own: paths with and without it are told apart.
pub(crate) fn sources() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("src")).expect("a folder");
    let sources = [
        ("c.c", C_SOURCE),
        ("part.h", C_HEADER),
        ("other.c", C_OTHER),
        ("cpp.cc", CPP_SOURCE),
        ("rust.rs", RUST_SOURCE),
    ];
    for (name, text) in sources {
        std::fs::write(folder.path().join("src").join(name), text).expect("a source");
    }
    folder
}

/// The output of a tool; `None` where there is no such tool, it fails or takes half a minute (llvm-dwp 14 does not end
/// on what gcc makes).
pub(crate) fn run<S: AsRef<OsStr>>(
    tool: &str,
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Option<String> {
    let mut command = Command::new("timeout");
    let output =
        command.args(["30", tool]).args(arguments).current_dir(folder).env("LC_ALL", "C").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Says that something is not tried here.
pub(crate) fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// Builds `sources` in `folder`; `None`, with a line that says so, where this machine cannot.
pub(crate) fn build(
    folder: &Path,
    compiler: &str,
    sources: &[&str],
    output: &str,
    flags: &[&str],
) -> Option<PathBuf> {
    let arguments = flags.iter().chain(sources).map(OsString::from);
    let arguments = arguments.chain(["-o".into(), output.into()]);
    if run(compiler, folder, arguments).is_none() {
        skipped(&format!("{compiler} {flags:?} does not build here"));
        return None;
    }
    Some(folder.join(output))
}
