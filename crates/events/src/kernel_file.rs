//! Small files of sysfs and tracefs, read with caps.

use crate::unprintable::is_unprintable;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Longest file that is read, in bytes. The kernel's own end at a page.
const MAX_BYTES: u64 = 64 * 1024;
/// Most names taken from one directory.
const MAX_NAMES: usize = 100_000;

/// Reads a file of at most 64 KiB of UTF-8.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    read_up_to(path, MAX_BYTES)
}

/// Reads a file of at most so many bytes of UTF-8.
pub(crate) fn read_up_to(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(io::Error::other(format!("larger than {} KiB", most >> 10)));
    }
    Ok(text)
}

/// Reads the first page of a file that the kernel makes as it is read; of /proc/cpuinfo that is the first processor, and
/// the others need not be asked.
pub(crate) fn read_start(path: &Path) -> io::Result<String> {
    let mut start = vec![0; 4096];
    let length = File::open(path)?.read(&mut start)?;
    Ok(String::from_utf8_lossy(&start[..length]).into_owned())
}

/// The names in a directory, sorted, without those that nobody can type (not UTF-8, control characters, blanks).
///
/// Typed names are looked up in such a list and never made into a path, so that `..` and `/` lead nowhere.
pub(crate) fn names(directory: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<_> = fs::read_dir(directory)?
        .take(MAX_NAMES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.contains(|c: char| is_unprintable(c) || c.is_whitespace()))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// The name in the list that is meant: the same, or else the same in another case.
pub(crate) fn pick<'n>(names: &'n [String], wanted: &str) -> Option<&'n String> {
    names
        .iter()
        .find(|name| *name == wanted)
        .or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_stops_at_the_cap() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, vec![b'a'; 64 * 1024]).unwrap();
        assert_eq!(read(&path).unwrap().len(), 64 * 1024);
        fs::write(&path, vec![b'a'; 64 * 1024 + 1]).unwrap();
        assert!(read(&path).is_err());
        assert!(read(directory.path()).is_err());
    }

    #[test]
    fn names_are_sorted_and_typeable_and_the_exact_one_wins() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b", "B", "a\x1b", "a b"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let names = names(directory.path()).unwrap();
        assert_eq!(names, ["B", "b"]);
        assert_eq!(pick(&names, "b").unwrap(), "b");
        assert_eq!(pick(&names, ".."), None);
        assert_eq!(pick(&names[..1], "b").unwrap(), "B");
    }
}
