//! What goes into an archive of a session: which file to which place.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use oprof_profile::session::PathPart;
use oprof_symbolizer::{DebugDirectories, FoundDebugFile, debug_files};

use crate::sampled_profile::ChosenFiles;
use crate::session::{ImageFiles, NoFile};

/// Where a session is in an archive.
const SESSION: &str = "var/lib/oprofile";

/// A file to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it is.
    pub(super) from: PathBuf,
    /// What a list calls it: its path in the system that was sampled.
    pub(super) shown: PathBuf,
    /// Where it goes, below the archive's directory.
    pub(super) to: PathBuf,
}

/// What goes into an archive.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The files, in the order in which they are listed: images with their debug files, sample files, the rest of the session.
    pub(super) pieces: Vec<Piece>,
    /// What is left out, and why, a line each.
    pub(super) left_out: Vec<String>,
    /// Something that is there is left out.
    pub(super) is_incomplete: bool,
}

impl Contents {
    /// Of the sample files that were chosen.
    pub(super) fn new(files: &ChosenFiles, exclude_dependent: bool) -> Contents {
        let mut contents = Contents::default();
        let chosen: Vec<_> =
            files.chosen.iter().filter(|file| !exclude_dependent || file.of.app == file.of.image).collect();
        let images: BTreeSet<&str> = chosen
            .iter()
            .flat_map(|file| [Some(&file.of.app), Some(&file.of.image), file.of.callee.as_ref()])
            .flatten()
            .filter_map(image)
            .collect();
        contents.images(&images, files);
        let samples = files.directory.path.join("samples");
        for file in &chosen {
            contents.of_session(&file.path, &files.directory.path, files);
        }
        for path in &files.listing.jit_images {
            contents.of_session(path, &files.directory.path, files);
        }
        contents.of_session(&files.directory.path.join("abi"), &files.directory.path, files);
        contents.of_session(&samples.join("operf.log"), &files.directory.path, files);
        for session in &files.listing.sessions {
            contents.statistics(&session.join("stats"), files);
        }
        let mut known = HashSet::new();
        contents.pieces.retain(|piece| known.insert(piece.to.clone()));
        contents
    }

    /// Images, each followed by the files with its debugging information.
    fn images(&mut self, images: &BTreeSet<&str>, files: &ChosenFiles) {
        let found = ImageFiles::new(&files.places);
        let root = files.places.root.as_deref();
        let directories = root.map_or_else(DebugDirectories::default, DebugDirectories::below);
        for &image in images {
            let Some(to) = below(Path::new(image)) else {
                self.leave_out(image, "its path leads elsewhere", true);
                continue;
            };
            let (from, file) = match found.open(image) {
                Ok(found) => found,
                Err(NoFile::Missing) => {
                    // A kernel thread or a module by its name alone need not have a file.
                    if image.starts_with('/') {
                        self.leave_out(image, "is not there", false);
                    }
                    continue;
                }
                Err(NoFile::Unreadable) => {
                    self.leave_out(image, "cannot be read", true);
                    continue;
                }
                Err(NoFile::Several) => {
                    self.leave_out(image, "is in several places below --image-path", true);
                    continue;
                }
            };
            let beside = to.parent().map(|folder| folder.join(".debug")).unwrap_or_default();
            self.pieces.push(Piece { from: from.clone(), shown: PathBuf::from(image), to });
            for FoundDebugFile { path, build_id, link } in debug_files(&file, Some(&from), &directories) {
                let to = match (link, build_id) {
                    (Some(name), _) => beside.join(name),
                    (None, Some(id)) => {
                        let digits = id.to_string();
                        let (first, rest) = digits.split_at_checked(2).unwrap_or((&digits, ""));
                        PathBuf::from(format!("usr/lib/debug/.build-id/{first}/{rest}.debug"))
                    }
                    (None, None) => continue,
                };
                self.pieces.push(Piece { shown: without(root, &path), from: path, to });
            }
        }
    }

    /// A file of the session, if it is there.
    fn of_session(&mut self, path: &Path, directory: &Path, files: &ChosenFiles) {
        if !path.is_file() {
            return;
        }
        // A session elsewhere, named by its path, becomes one of the archive's own.
        let within = path.strip_prefix(directory).ok().map(Path::to_owned).or_else(|| {
            files.listing.sessions.iter().find_map(|session| {
                let name = session.file_name()?;
                Some(Path::new("samples").join(name).join(path.strip_prefix(session).ok()?))
            })
        });
        match within.as_deref().and_then(below) {
            Some(within) => {
                let shown = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                self.pieces.push(Piece { from: path.to_owned(), shown, to: Path::new(SESSION).join(within) });
            }
            None => self.leave_out(&path.to_string_lossy(), "its path leads elsewhere", true),
        }
    }

    /// What was lost and throttled: without it reports of the archive would not warn.
    fn statistics(&mut self, folder: &Path, files: &ChosenFiles) {
        let mut folders = vec![folder.to_owned()];
        let throttled = folder.join("throttled");
        if throttled.is_dir() {
            folders.push(throttled);
        }
        for folder in folders {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort();
            for path in paths.iter().filter(|path| !path.is_symlink()) {
                self.of_session(path, &files.directory.path, files);
            }
        }
    }

    fn leave_out(&mut self, path: &str, why: &str, is_there: bool) {
        self.left_out.push(format!("{path}: {why}; left out"));
        self.is_incomplete |= is_there;
    }
}

/// The name by which an image is looked for, if it can be a file.
fn image(part: &PathPart) -> Option<&str> {
    match part {
        PathPart::File(path) => Some(path),
        PathPart::Kernel(name) => Some(name),
        PathPart::Memory { .. } => None,
    }
}

/// The path as one below a directory: of plain names alone.
fn below(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::RootDir => {}
            Component::Normal(part) => plain.push(part),
            _ => return None,
        }
    }
    (!plain.as_os_str().is_empty()).then_some(plain)
}

/// The path without that of the root directory.
fn without(root: Option<&Path>, path: &Path) -> PathBuf {
    let real = root.and_then(|root| root.canonicalize().ok());
    let roots = [root, real.as_deref()].into_iter().flatten();
    match roots.filter_map(|root| path.strip_prefix(root).ok()).next() {
        Some(below) => [OsString::from("/").as_os_str(), below.as_os_str()].iter().collect(),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_archive() {
        assert_eq!(below(Path::new("/usr/bin/ls")), Some(PathBuf::from("usr/bin/ls")));
        assert_eq!(below(Path::new("module")), Some(PathBuf::from("module")));
        for bad in ["", "/", "/usr/../../etc/passwd", "../x", ".."] {
            assert_eq!(below(Path::new(bad)), None, "{bad}");
        }
        assert_eq!(without(Some(Path::new("root")), Path::new("root/usr/x")), Path::new("/usr/x"));
    }
}
