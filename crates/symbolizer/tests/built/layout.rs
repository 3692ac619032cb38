//! The segments of an image as readelf(1) tells them.

use std::ffi::OsStr;
use std::path::Path;

use super::run;

/// A row of `readelf`, as hexadecimal or decimal numbers where it has them.
pub(crate) fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => u64::from_str_radix(word, 16).ok(),
    }
}

/// The executable PT_LOAD segments as readelf(1) tells them: file offset, address, size in the file.
pub(crate) fn code_segments(image: &Path) -> Option<Vec<(u64, u64, u64)>> {
    let text = run("readelf", [OsStr::new("--segments"), OsStr::new("--wide"), image.as_os_str()])?;
    let segments = text.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let flags = line.get(line.len().checked_sub(14)?..)?;
        (words.first() == Some(&"LOAD") && flags.contains('E')).then_some(())?;
        Some((number(words[1])?, number(words[2])?, number(words[4])?))
    });
    Some(segments.collect())
}
