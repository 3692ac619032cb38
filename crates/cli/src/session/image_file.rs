//! Finds the files of a session's images: below the root directory that they belong to, or in directories to search.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use oprof_profile::{Unresolved, open_regular};

/// Where the images of a session are.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImagePlaces {
    /// Paths are those of a system whose root directory is here; `None`: of this one.
    pub(crate) root: Option<PathBuf>,
    /// Directories in which a file of the same name counts, where there is none of the path.
    pub(crate) search: Vec<PathBuf>,
    /// What is to be known of sampled code.
    pub(crate) names: Names,
    /// Nothing is known beyond what OProfile 1.x knows of an image: neither functions that it exports where it has no other
    /// symbols, nor what compressed debugging information says.
    pub(crate) as_oprofile: bool,
}

/// What is to be known of sampled code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Names {
    /// Nothing: images are not opened.
    Nothing,
    /// The symbol that holds it.
    #[default]
    Symbols,
    /// What the source says of it, too.
    Lines,
}

/// How many symbolic links are followed on the way to a file, as the kernel does (path_resolution(7)).
const MOST_LINKS: usize = 40;
/// How many files are looked at in directories to search, and how deep these are.
const MOST_FILES: usize = 200_000;
const DEEPEST: usize = 32;

/// Finds files of images.
pub(crate) struct ImageFiles<'a> {
    places: &'a ImagePlaces,
    /// The files in the directories to search, by their names.
    found: OnceCell<HashMap<OsString, Vec<PathBuf>>>,
}

impl<'a> ImageFiles<'a> {
    pub(crate) fn new(places: &'a ImagePlaces) -> ImageFiles<'a> {
        ImageFiles { places, found: OnceCell::new() }
    }

    /// Opens the file of an image: where it is now, and the file.
    ///
    /// # Errors
    /// Why there is none; for several of one name a sentence.
    pub(crate) fn open(&self, image: &str) -> Result<(PathBuf, File), NoFile> {
        let path = self.path(Path::new(image));
        if let Some(file) = open_regular(&path) {
            return Ok((path, file));
        }
        let is_there = path.exists();
        let name = Path::new(image).file_name().unwrap_or_default();
        let others = self.found().get(name).or_else(|| {
            // Modules are files NAME.ko, whose dashes the kernel makes underscores.
            let module = self.found().get(&OsString::from(format!("{}.ko", name.to_string_lossy())));
            module.or_else(|| {
                let dashed = name.to_string_lossy().replace('_', "-");
                self.found().get(&OsString::from(format!("{dashed}.ko")))
            })
        });
        match others.map(Vec::as_slice) {
            Some([path]) => match open_regular(path) {
                Some(file) => Ok((path.clone(), file)),
                None => Err(NoFile::Unreadable),
            },
            Some([_, _, ..]) => Err(NoFile::Several),
            _ if is_there => Err(NoFile::Unreadable),
            _ => Err(NoFile::Missing),
        }
    }

    /// Where the path leads. Below another root, symbolic links are followed as if it were the root directory.
    fn path(&self, image: &Path) -> PathBuf {
        match &self.places.root {
            Some(root) => below(root, image),
            None => image.to_owned(),
        }
    }

    fn found(&self) -> &HashMap<OsString, Vec<PathBuf>> {
        self.found.get_or_init(|| {
            let mut found: HashMap<OsString, Vec<PathBuf>> = HashMap::new();
            let mut left = MOST_FILES;
            let mut folders: Vec<_> = self.places.search.iter().map(|folder| (folder.clone(), 0)).collect();
            while let Some((folder, depth)) = folders.pop() {
                for entry in folder.read_dir().into_iter().flatten().flatten() {
                    let Ok(kind) = entry.file_type() else { continue };
                    if kind.is_dir() && depth < DEEPEST {
                        folders.push((entry.path(), depth + 1));
                    } else if !kind.is_dir() {
                        let Some(fewer) = left.checked_sub(1) else { return found };
                        left = fewer;
                        found.entry(entry.file_name()).or_default().push(entry.path());
                    }
                }
            }
            found
        })
    }
}

/// Why an image has no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFile {
    /// There is none of its path.
    Missing,
    /// There is something that is no plain file, or may not be read.
    Unreadable,
    /// There are several of its name in the directories to search.
    Several,
}

impl NoFile {
    /// What that means for the names of its code.
    pub(crate) fn unresolved(self) -> Unresolved {
        match self {
            NoFile::Missing | NoFile::Several => Unresolved::Deleted,
            NoFile::Unreadable => Unresolved::Unreadable,
        }
    }
}

/// The path that `path` has for a process whose root directory is `root` (chroot(2)): a symbolic link never leads out.
fn below(root: &Path, path: &Path) -> PathBuf {
    let parts = |path: &Path| -> Vec<OsString> {
        let parts = path.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        });
        parts.rev().collect()
    };
    let mut coming = parts(path);
    let mut done: Vec<OsString> = Vec::new();
    let whole = |done: &[OsString]| done.iter().fold(root.to_owned(), |path, part| path.join(part));
    let mut links = 0;
    while let Some(part) = coming.pop() {
        if part == ".." {
            done.pop();
            continue;
        }
        done.push(part);
        let Ok(target) = whole(&done).read_link() else { continue };
        links += 1;
        if links > MOST_LINKS {
            break;
        }
        done.pop();
        if target.is_absolute() {
            done.clear();
        }
        coming.extend(parts(&target));
    }
    whole(&done)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_do_not_lead_out_of_the_root() {
        let place = tempfile::tempdir().expect("a directory");
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("usr/lib")).expect("directories");
        std::fs::write(root.join("usr/lib/c.so.6"), "inside").expect("a file");
        std::fs::write(place.path().join("c.so.6"), "outside").expect("a file");
        symlink("/usr/lib", root.join("lib")).expect("a link");
        symlink("../../../c.so.6", root.join("usr/lib/up.so")).expect("a link");
        symlink("loop", root.join("loop")).expect("a link");
        assert_eq!(below(&root, Path::new("/lib/c.so.6")), root.join("usr/lib/c.so.6"));
        assert_eq!(below(&root, Path::new("/lib/up.so")), root.join("c.so.6"));
        assert_eq!(below(&root, Path::new("/../../c.so.6")), root.join("c.so.6"));
        assert!(below(&root, Path::new("/loop/x")).starts_with(&root));
        let places = ImagePlaces { root: Some(root), ..ImagePlaces::default() };
        assert!(ImageFiles::new(&places).open("/lib/c.so.6").is_ok());
        assert_eq!(ImageFiles::new(&places).open("/lib/up.so").err(), Some(NoFile::Missing));
    }

    #[test]
    fn a_file_is_found_by_its_name_unless_there_are_several() {
        let place = tempfile::tempdir().expect("a directory");
        for path in ["one/deep/a.so", "one/b.so", "two/b.so", "one/snd-pcm.ko"] {
            let path = place.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("directories");
            std::fs::write(path, "").expect("a file");
        }
        let search = vec![place.path().to_owned()];
        let places = ImagePlaces { search, ..ImagePlaces::default() };
        let files = ImageFiles::new(&places);
        let found = |image: &str| files.open(image).map(|(path, _)| path);
        assert_eq!(found("/nowhere/a.so"), Ok(place.path().join("one/deep/a.so")));
        assert_eq!(found("/nowhere/b.so"), Err(NoFile::Several));
        assert_eq!(found("/nowhere/c.so"), Err(NoFile::Missing));
        assert_eq!(found("snd_pcm"), Ok(place.path().join("one/snd-pcm.ko")));
    }
}
