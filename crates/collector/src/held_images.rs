//! Files of images, held open from first sight so that they can be read after they were deleted or replaced.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use oprof_profile::{BuildId, Image, ImageIdentity, ImageKind, Unresolved, VirtualAddress, open_regular};
use rustc_hash::FxHashMap;

/// Reads the build id of an ELF file; `None` where it has none.
pub type BuildIdReader = fn(&File) -> Option<BuildId>;

/// Descriptors that are kept free for everything else.
const RESERVED: usize = 64;

/// What became of the file of an image at first sight.
enum Held {
    File(File, Content),
    /// It could not be opened.
    Gone,
    /// It was not opened, since the limit of open files was reached.
    BeyondLimit,
}

/// What tells whether a file was written to in place: a build id is looked at again when names are given, but a file
/// without one stays the same inode whatever is copied over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    size: u64,
    /// Seconds and nanoseconds (st_mtim of stat(3type)).
    modified: (i64, i64),
}

impl Content {
    /// What the file holds now; nothing that another one could equal where it cannot be told.
    fn of(file: &File) -> Option<Content> {
        let metadata = file.metadata().ok()?;
        Some(Content { size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) })
    }
}

/// Files of images, each opened when the image was first mapped.
pub struct HeldImages {
    files: FxHashMap<(String, ImageIdentity), Held>,
    open: usize,
    most: usize,
    build_id_of: BuildIdReader,
}

impl fmt::Debug for HeldImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldImages")
            .field("open", &self.open)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

impl HeldImages {
    /// Holds as many files as a limit of `descriptors` open files leaves room for.
    pub(crate) fn new(descriptors: usize, build_id_of: BuildIdReader) -> HeldImages {
        let most = descriptors.saturating_sub(RESERVED);
        HeldImages { files: FxHashMap::default(), open: 0, most, build_id_of }
    }

    /// Opens the file of a mapping unless it is held already.
    pub(crate) fn see(
        &mut self,
        name: &str,
        identity: ImageIdentity,
        pid: u32,
        start: VirtualAddress,
        length: u64,
    ) {
        if ImageKind::of_mapping(name) != ImageKind::File {
            return;
        }
        let key = (name.to_owned(), identity);
        if self.files.contains_key(&key) {
            return;
        }
        let held = if self.open < self.most {
            let file = self.open_file(name, identity, pid, start, length);
            file.and_then(|file| Some((Content::of(&file)?, file)))
                .map_or(Held::Gone, |(content, file)| Held::File(file, content))
        } else {
            Held::BeyondLimit
        };
        self.open += usize::from(matches!(held, Held::File(..)));
        self.files.insert(key, held);
    }

    /// The file of a mapping, whatever has its name by now.
    pub(crate) fn open_file(
        &self,
        name: &str,
        identity: ImageIdentity,
        pid: u32,
        start: VirtualAddress,
        length: u64,
    ) -> Option<File> {
        if let Some(file) = self.open_by_name(name, identity) {
            return Some(file);
        }
        let end = start.0.checked_add(length)?;
        let paths = paths_of_mapping(name, pid, start.0, end);
        let known = if identity == ImageIdentity::None { 2 } else { 3 };
        // What is damaged has no build id that could be read, but the mapping leads to it all the same.
        let is_damaged = |file: &File| identity != ImageIdentity::None && (self.build_id_of)(file).is_none();
        paths[..known].iter().zip(0..).find_map(|(path, index)| {
            let file = open_regular(Path::new(path))?;
            (self.is(&file, identity) || index == 0 && is_damaged(&file)).then_some(file)
        })
    }

    fn open_by_name(&self, name: &str, identity: ImageIdentity) -> Option<File> {
        let file = open_regular(Path::new(name))?;
        self.is(&file, identity).then_some(file)
    }

    fn is(&self, file: &File, identity: ImageIdentity) -> bool {
        is_mapped_file(file, identity, self.build_id_of)
    }

    /// The file of an image: the one held, or else the one that now has its name, if it is the same.
    ///
    /// # Errors
    /// Why there is none: it was deleted before it could be opened, or while no more files could be held open, or it was
    /// written to since and has no build id to tell which content was mapped.
    pub fn take(&mut self, image: &Image) -> Result<File, Unresolved> {
        let held = self.files.remove(&(image.name.clone(), image.identity)).unwrap_or(Held::Gone);
        match held {
            Held::File(file, content) => is_same(&file, content, image.identity).map(|()| file),
            Held::Gone => self.by_name(image, Unresolved::Deleted),
            Held::BeyondLimit => self.by_name(image, Unresolved::TooManyOpenFiles),
        }
    }

    /// As [`HeldImages::take`], and goes on to hold the file.
    ///
    /// # Errors
    /// As there; [`Unresolved::TooManyOpenFiles`] where it cannot be had a second time.
    pub fn open(&self, image: &Image) -> Result<File, Unresolved> {
        match self.files.get(&(image.name.clone(), image.identity)) {
            Some(Held::File(file, content)) => {
                is_same(file, *content, image.identity)?;
                file.try_clone().map_err(|_| Unresolved::TooManyOpenFiles)
            }
            Some(Held::BeyondLimit) => self.by_name(image, Unresolved::TooManyOpenFiles),
            Some(Held::Gone) | None => self.by_name(image, Unresolved::Deleted),
        }
    }

    fn by_name(&self, image: &Image, reason: Unresolved) -> Result<File, Unresolved> {
        self.open_by_name(&image.name, image.identity).ok_or(reason)
    }
}

/// A file that is held is what was mapped: a build id is looked at by whoever reads it.
fn is_same(file: &File, content: Content, identity: ImageIdentity) -> Result<(), Unresolved> {
    let is_told_by_build_id = matches!(identity, ImageIdentity::BuildId(_));
    match is_told_by_build_id || Content::of(file) == Some(content) {
        true => Ok(()),
        false => Err(Unresolved::BuildIdMismatch),
    }
}

/// Where a file that is mapped can be found that its name does not lead to: deleted, replaced, or in another mount
/// namespace. While the process lives, its mapping still leads there. Opening that needs privilege
/// (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN); opening its program, the last of these, does not.
fn paths_of_mapping(name: &str, pid: u32, start: u64, end: u64) -> [String; 3] {
    [
        format!("/proc/{pid}/map_files/{start:x}-{end:x}"),
        format!("/proc/{pid}/root{name}"),
        format!("/proc/{pid}/exe"),
    ]
}

/// The file of a mapping, by its name or else through the process, that is as asked for.
pub(crate) fn open_mapped(
    name: &str,
    pid: u32,
    start: u64,
    end: u64,
    is_asked: impl Fn(&File) -> bool,
) -> Option<File> {
    let others = paths_of_mapping(name, pid, start, end);
    let mut paths = std::iter::once(name).chain(others.iter().map(String::as_str));
    paths.find_map(|path| open_regular(Path::new(path)).filter(&is_asked))
}

/// Whether this is the file that was mapped, as far as `identity` tells.
pub fn is_mapped_file(file: &File, identity: ImageIdentity, build_id_of: BuildIdReader) -> bool {
    match identity {
        ImageIdentity::None => true,
        ImageIdentity::Region(_) => false,
        ImageIdentity::Modified(time) => {
            file.metadata().is_ok_and(|metadata| u64::try_from(metadata.mtime()) == Ok(time))
        }
        ImageIdentity::BuildId(id) => build_id_of(file) == Some(id),
        // Not the device: btrfs and overlayfs tell stat(2) another one than they tell the kernel.
        ImageIdentity::Inode(inode) => file.metadata().is_ok_and(|metadata| metadata.ino() == inode.number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oprof_profile::Inode;
    use std::io::Read;

    fn image(name: &str, identity: ImageIdentity) -> Image {
        Image { name: name.to_owned(), kind: ImageKind::File, identity }
    }

    fn text(mut file: File) -> String {
        let mut text = String::new();
        file.read_to_string(&mut text).expect("readable");
        text
    }

    #[test]
    fn a_file_is_readable_after_it_was_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("image");
        std::fs::write(&path, "first").expect("written");
        let number = path.metadata().expect("metadata").ino();
        let identity = ImageIdentity::Inode(Inode { device: 0, number, generation: 0 });
        let name = path.to_str().expect("a plain path");
        let mut held = HeldImages::new(1000, |_| None);
        held.see(name, identity, 1, VirtualAddress(0), 1);
        let newer = directory.path().join("newer");
        std::fs::write(&newer, "second").expect("written");
        std::fs::rename(&newer, &path).expect("replaced");
        let image = image(name, identity);
        assert_eq!(text(held.open(&image).expect("held")), "first");
        rustix::fs::seek(held.open(&image).expect("still held"), rustix::fs::SeekFrom::Start(0))
            .expect("a file");
        assert_eq!(text(held.take(&image).expect("held")), "first");
        let gone = held.take(&image).expect_err("the file that has the name now is another one");
        assert_eq!(gone, Unresolved::Deleted);
    }

    #[test]
    fn a_file_without_a_build_id_that_was_written_over_is_another() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("image");
        let name = path.to_str().expect("a plain path");
        let identity = |path: &Path| {
            let number = path.metadata().expect("metadata").ino();
            ImageIdentity::Inode(Inode { device: 0, number, generation: 0 })
        };
        let id = ImageIdentity::BuildId(BuildId::new(b"id").expect("an id"));
        std::fs::write(&path, "first").expect("written");
        let inode = identity(&path);
        let mut held = HeldImages::new(1000, |_| BuildId::new(b"id"));
        for identity in [inode, id] {
            held.see(name, identity, 1, VirtualAddress(0), 1);
        }
        std::fs::write(&path, "second").expect("written");
        assert_eq!(identity(&path), inode);
        assert_eq!(held.take(&image(name, inode)).expect_err("another"), Unresolved::BuildIdMismatch);
        assert!(held.take(&image(name, id)).is_ok(), "whoever reads it compares the build id");
    }

    #[test]
    fn a_file_beyond_the_limit_is_found_by_its_name_at_the_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("image");
        std::fs::write(&path, "text").expect("written");
        let name = path.to_str().expect("a plain path");
        let mut held = HeldImages::new(0, |_| None);
        held.see(name, ImageIdentity::None, 1, VirtualAddress(0), 1);
        assert_eq!(held.open, 0);
        assert_eq!(text(held.take(&image(name, ImageIdentity::None)).expect("found")), "text");
        held.see(name, ImageIdentity::None, 1, VirtualAddress(0), 1);
        std::fs::remove_file(&path).expect("removed");
        let reason = held.take(&image(name, ImageIdentity::None)).expect_err("gone");
        assert_eq!(reason, Unresolved::TooManyOpenFiles);
    }
}
