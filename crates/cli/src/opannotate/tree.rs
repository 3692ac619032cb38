//! A directory of annotated files.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::archive::make_empty;
use crate::own_file;

/// A directory that was new or empty: nothing in it is another's.
pub(super) struct Tree<'a>(&'a Path);

impl Tree<'_> {
    /// Makes the directory.
    ///
    /// # Errors
    /// Where it is there and not empty, is something else or cannot be made.
    pub(super) fn create(directory: &Path) -> Result<Tree<'_>> {
        make_empty(directory)?;
        Ok(Tree(directory))
    }

    /// Writes a file, of mode 0600, at its path below the directory: what leads upwards in a path is left out of it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn write(&self, path: &str, content: &[u8]) -> Result<()> {
        let place = self.0.join(below(path));
        let folder = place.parent().unwrap_or(self.0);
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
        let mut options = own_file::open_options();
        let file = options.write(true).create_new(true).open(&place);
        let mut file = file.with_context(|| format!("{}: cannot be made", place.display()))?;
        file.write_all(content).with_context(|| format!("{}: cannot be written", place.display()))
    }
}

/// A path that stays below where it is put.
fn below(path: &str) -> PathBuf {
    let parts = Path::new(path).components().filter_map(|part| match part {
        Component::Normal(part) => Some(part),
        _ => None,
    });
    let below: PathBuf = parts.collect();
    if below.as_os_str().is_empty() { PathBuf::from("unnamed") } else { below }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out() {
        assert_eq!(below("/src/a.c"), Path::new("src/a.c"));
        assert_eq!(below("../../etc/passwd"), Path::new("etc/passwd"));
        assert_eq!(below("/a/../../../b.c"), Path::new("a/b.c"));
        assert_eq!(below("/.."), Path::new("unnamed"));
    }
}
