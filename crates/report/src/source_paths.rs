//! Paths of source files as a reader wants to see them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// Beginnings of source paths and what is shown in their place: programs are often built in a folder that is not
/// where the reader has the source. Paths are changed as they are shown; a recording keeps them as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourcePaths(pub Vec<SourcePath>);

/// One beginning of paths and what is shown in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePath {
    from: String,
    to: String,
}

impl SourcePaths {
    /// The path to show. The first that fits counts; whole folders only: `/build` does not fit `/builder/a.c`.
    pub fn show<'path>(&self, path: &'path str) -> Cow<'path, str> {
        let fitting = self.0.iter().find_map(|change| {
            let rest = path.strip_prefix(change.from.as_str())?;
            let whole = rest.is_empty() || rest.starts_with('/') || change.from.ends_with('/');
            whole.then(|| format!("{}{rest}", change.to))
        });
        fitting.map_or(Cow::Borrowed(path), Cow::Owned)
    }
}

impl FromStr for SourcePath {
    type Err = NotAChange;

    fn from_str(text: &str) -> Result<SourcePath, NotAChange> {
        match text.split_once('=') {
            Some((from, to)) if !from.is_empty() => {
                Ok(SourcePath { from: from.to_owned(), to: to.to_owned() })
            }
            _ => Err(NotAChange),
        }
    }
}

/// The text is not of the form `FROM=TO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAChange;

impl fmt::Display for NotAChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not of the form FROM=TO")
    }
}

impl std::error::Error for NotAChange {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_folders_at_the_beginning_are_changed() {
        let changes = ["/build=/src", "/build=/never", "./elf=glibc/elf", "/rustc/=~/rust/"];
        let paths = SourcePaths(changes.iter().map(|change| change.parse().expect("a change")).collect());
        for (path, shown) in [
            ("/build/a/b.c", "/src/a/b.c"),
            ("/build", "/src"),
            ("/builder/a.c", "/builder/a.c"),
            ("/home/build/a.c", "/home/build/a.c"),
            ("./elf/rtld.c", "glibc/elf/rtld.c"),
            ("/rustc/1.95/library", "~/rust/1.95/library"),
        ] {
            assert_eq!(paths.show(path), shown);
        }
        for bad in ["", "=", "=x", "/build"] {
            assert_eq!(bad.parse::<SourcePath>(), Err(NotAChange), "{bad}");
        }
        assert_eq!("/a=".parse::<SourcePath>().map(|change| change.to), Ok(String::new()));
    }
}
