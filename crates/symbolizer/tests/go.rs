//! Go programs: what their own table of functions tells once they are stripped.

mod built;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use oprof_profile::NameSource;

use built::{has, names_of, run, skipped, symbol_at};

const SOURCE: &str = r#"package main

import (
	"fmt"
	"os"
	"strings"
)

type shape interface{ area() int }
type square struct{ side int }

//go:noinline
func (s *square) area() int { return s.side * s.side }

//go:noinline
func sum[T int | float64](values ...T) (total T) {
	for _, v := range values {
		total += v
	}
	return
}

func main() {
	var s shape = &square{len(os.Args)}
	fmt.Println(strings.Repeat("x", s.area()), sum(1, 2), sum(1.5, 2.5))
}
"#;

/// Where Go keeps what it compiled: its library takes a minute to compile for each way to link.
fn cache(folder: &Path) -> PathBuf {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-cache");
    let usable = std::fs::create_dir_all(&kept).is_ok() && tempfile::tempfile_in(&kept).is_ok();
    if usable { kept } else { folder.join("cache") }
}

/// Builds the program; `None`, with a line that says so, where this machine cannot.
fn build_go(folder: &Path, name: &str, flags: &[&str], architecture: &str) -> Option<PathBuf> {
    let (source, output) = (folder.join("main.go"), folder.join(name));
    std::fs::write(&source, SOURCE).unwrap();
    let mut go = Command::new("go");
    go.arg("build").args(flags).arg("-o").args([output.as_os_str(), source.as_os_str()]);
    go.env("GOCACHE", cache(folder)).env("HOME", folder).env("GO111MODULE", "off");
    go.env("GOFLAGS", "").env("GOARCH", architecture).env("GOTOOLCHAIN", "local").current_dir(folder);
    let built = go.output().is_ok_and(|output| output.status.success());
    if !built {
        skipped(&format!("go build {flags:?} for {architecture} does not work here"));
    }
    built.then_some(output)
}

/// Compares a program with what is left of it when it is stripped.
fn compare_with_stripped(image: &Path) {
    let stripped = image.with_extension("stripped");
    let arguments = [OsStr::new("-o"), stripped.as_os_str(), image.as_os_str()];
    let tools = ["strip", "aarch64-linux-gnu-strip", "llvm-strip"];
    if !tools.into_iter().any(|tool| run(tool, arguments).is_some()) {
        return skipped("no strip for this program");
    }
    let (whole, left) = (names_of(image), names_of(&stripped));
    let main = whole.symbols.iter().find(|symbol| symbol.name == "main.main").expect("main.main");
    assert_eq!(main.source, NameSource::SymbolTable);
    let (mut compared, mut go) = (0, 0);
    for (offset, id) in &whole.offsets {
        let Some(symbol) = id.ok().and_then(|id| whole.symbol(id)) else { continue };
        let Some(found) = symbol_at(&left, offset.0) else { continue };
        compared += 1;
        if found.source != NameSource::GoFunctions {
            continue;
        }
        go += 1;
        // Symbols end before the padding, entries of the table behind it; a symbol without size may be a label.
        assert_eq!(found.address, symbol.address, "{}: {found:?}, {symbol:?}", image.display());
        assert!(found.size >= symbol.size, "{}: {found:?}, {symbol:?}", image.display());
        assert!(same_name(&symbol.name, &found.name), "{}: {found:?}, {symbol:?}", image.display());
    }
    println!("{}: {compared} bytes, {go} by Go's table", image.display());
    assert!(go > 100_000, "{}: {go} of {compared}", image.display());
    for function in ["main.main", "main.(*square).area", "runtime.mallocgc"] {
        assert!(has(&left, function), "{}: no {function}", image.display());
    }
}

/// The table leaves out what a generic function was made for, and which ABI a wrapper is for.
fn same_name(symbol: &str, entry: &str) -> bool {
    let without_abi =
        |name: &str| name.trim_end_matches(".abi0").trim_end_matches(".abiinternal").to_string();
    let is_generic = symbol.contains('[') && entry.contains("[...]");
    is_generic || without_abi(symbol) == without_abi(entry)
}

#[test]
fn stripped_programs_keep_their_functions() {
    let folder = tempfile::tempdir().unwrap();
    let native = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let ways: [(&str, &[&str], &str); 5] = [
        ("plain", &[], native),
        ("pie", &["-buildmode=pie"], native),
        ("external", &["-ldflags=-linkmode=external"], native),
        ("external-pie", &["-buildmode=pie", "-ldflags=-linkmode=external"], native),
        ("other", &[], if native == "amd64" { "arm64" } else { "amd64" }),
    ];
    for (name, flags, architecture) in ways {
        let Some(image) = build_go(folder.path(), name, flags, architecture) else { continue };
        compare_with_stripped(&image);
    }
}
