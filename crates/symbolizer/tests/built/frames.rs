//! The functions in the tables for unwinding as readelf(1) tells them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use super::output;

/// For the start address of each entry of `.eh_frame` and `.debug_frame`, the address behind its end.
pub(crate) fn frames(image: &Path) -> Option<BTreeMap<u64, u64>> {
    // It fails where it warns, as of a libc.
    let text =
        output("readelf", [OsStr::new("--debug-dump=frames"), OsStr::new("--wide"), image.as_os_str()])?;
    let entries = text.lines().filter_map(|line| {
        let (start, end) = line.split_once(" FDE ")?.1.split_once("pc=")?.1.split_once("..")?;
        Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end.trim(), 16).ok()?))
    });
    Some(entries.collect())
}

/// The entry that holds an address.
pub(crate) fn holder(frames: &BTreeMap<u64, u64>, address: u64) -> Option<(u64, u64)> {
    frames.range(..=address).next_back().map(|(&start, &end)| (start, end)).filter(|entry| address < entry.1)
}
