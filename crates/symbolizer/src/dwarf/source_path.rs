//! Turns the number of a file in a line table into its path.

use gimli::{LineProgramHeader, Reader, UnitRef};

use super::bytes::Bytes;

/// The longest path, in bytes: PATH_MAX of Linux.
const LONGEST: usize = 4096;

/// The path as the compiler recorded it: the folder it worked in, the file's folder, the file, each replaced by the
/// next that is absolute (section 6.2.4 of DWARF 5). `None` where there is no such file.
pub(super) fn source_path<'a>(
    unit: UnitRef<'_, Bytes<'a>>,
    header: &LineProgramHeader<Bytes<'a>>,
    file: u64,
) -> Option<String> {
    let file = header.file(file)?;
    let mut path = String::new();
    if let Some(directory) = &unit.comp_dir {
        push(&mut path, &directory.to_string_lossy().ok()?)?;
    }
    // Number 0 is the folder that the compiler worked in.
    if file.directory_index() != 0
        && let Some(directory) = file.directory(header)
    {
        push(&mut path, &unit.attr_string(directory).ok()?.to_string_lossy().ok()?)?;
    }
    push(&mut path, &unit.attr_string(file.path_name()).ok()?.to_string_lossy().ok()?)?;
    Some(path)
}

fn push(path: &mut String, part: &str) -> Option<()> {
    if part.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    (path.len() + part.len() <= LONGEST).then(|| path.push_str(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_part_replaces_what_is_before_it() {
        let join = |parts: &[&str]| {
            let mut path = String::new();
            parts.iter().try_for_each(|part| push(&mut path, part)).map(|()| path)
        };
        assert_eq!(join(&["/project", "src", "a.c"]).as_deref(), Some("/project/src/a.c"));
        assert_eq!(join(&["/project/", "/usr/include", "b.h"]).as_deref(), Some("/usr/include/b.h"));
        assert_eq!(join(&["", "a.c"]).as_deref(), Some("a.c"));
        assert_eq!(join(&["/project", &"x".repeat(LONGEST)]), None);
    }
}
