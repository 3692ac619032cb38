//! What the end-to-end tests share: a directory for each, programs compiled from literal source, `oprof` run with a
//! limit on its time, and its tables read back.
//!
//! Each test is a program of its own to the compiler, and none uses all of this.
#![allow(dead_code, unused_imports)]

use std::io::Write as _;

mod coverage;
mod place;
mod programs;
mod run;
pub(crate) mod session;
mod small_disk;
mod symbols;
mod user;

pub(crate) use coverage::Coverage;
pub(crate) use place::Place;
pub(crate) use programs::BURN;
pub(crate) use run::{Finished, Started, finish, until};
pub(crate) use small_disk::SmallDisk;
pub(crate) use symbols::{Symbol, samples_of, samples_where, share_of, symbols_of};
pub(crate) use user::{User, users};

/// Says why a test does not run here; for use as `return skipped(...)`. It goes past what the test runner keeps back
/// of a test that passes.
pub(crate) fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// The text is one line that oprof says, and holds all of `words`.
#[track_caller]
pub(crate) fn assert_one_line(text: &str, words: &[&str]) {
    assert_eq!(text.lines().count(), 1, "one line was expected:\n{text}");
    assert!(text.starts_with("oprof: "), "oprof gives its name: {text}");
    assert!(text.ends_with('\n'), "the line is whole: {text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in: {text}");
    }
    assert_no_panic(text);
}

/// The text is not what a panic leaves on stderr.
#[track_caller]
pub(crate) fn assert_no_panic(text: &str) {
    assert!(!text.contains("panicked") && !text.contains("RUST_BACKTRACE"), "a panic:\n{text}");
}

/// No control character but the line end is in the bytes.
#[track_caller]
pub(crate) fn assert_printable(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("what oprof prints is UTF-8");
    let raw = text.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t'));
    assert_eq!(raw, None, "a raw control character in:\n{}", text.escape_debug());
}
