//! Finds the file that holds the debugging information of an image that was stripped of it.
//!
//! Where it is, and how it is known to belong to the image: the GDB manual, "Debugging Information in Separate Files".

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::elf::{FileHeader32, FileHeader64};
use object::read::{FileKind, ReadRef};
use object::{Endian, Endianness};
use oprof_profile::{BuildId, open_regular};

use crate::budget::Budget;
use crate::build_id::{build_id, has_build_id};
use crate::debuginfod::{Debuginfod, FETCHED_NAME};
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;

/// The largest debug file that is read as a whole to know that it belongs to an image, in bytes: half a second. Images
/// of today have build ids.
const LARGEST_SUMMED: u64 = 2 << 30;

/// Where separate debug files are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugDirectories {
    directories: Vec<PathBuf>,
    /// Where debuginfod's clients keep what they fetched.
    fetched: Option<PathBuf>,
    /// What is the root directory to the images; `None`: the system's.
    root: Option<PathBuf>,
}

impl Default for DebugDirectories {
    /// The one that distributions use: `/usr/lib/debug`.
    fn default() -> Self {
        DebugDirectories { directories: vec![PathBuf::from("/usr/lib/debug")], fetched: None, root: None }
    }
}

/// A separate debug file that was found.
pub(crate) struct DebugFile {
    pub(crate) file: File,
    /// Where it is.
    pub(crate) path: PathBuf,
}

impl DebugDirectories {
    /// These directories before the usual one.
    pub fn with(directories: impl IntoIterator<Item = PathBuf>) -> Self {
        let usual = DebugDirectories::default().directories;
        DebugDirectories {
            directories: directories.into_iter().chain(usual).collect(),
            ..DebugDirectories::none()
        }
    }

    /// The usual one of a system whose root directory is `root`, and no other.
    pub fn below(root: &Path) -> Self {
        DebugDirectories {
            directories: vec![root.join("usr/lib/debug")],
            fetched: None,
            root: Some(root.to_owned()),
        }
    }

    /// No directory at all.
    pub fn none() -> Self {
        DebugDirectories { directories: Vec::new(), fetched: None, root: None }
    }

    /// The same, and at last what was fetched from debuginfod.
    pub fn and_fetched(self, debuginfod: &Debuginfod) -> Self {
        DebugDirectories { fetched: Some(debuginfod.path().to_owned()), ..self }
    }

    /// The directories, the one to look in first first.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(PathBuf::as_path)
    }

    /// The debug file of an image, `path` being where that was mapped from: by its build id, else by its debug link
    /// (`.gnu_debuglink`), beside it or in the debug directories. `None` where there is none that belongs to it.
    pub(crate) fn find<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        path: Option<&Path>,
    ) -> Option<DebugFile> {
        let id = elf.build_id();
        if let Some(id) = &id
            && let Some(file) = self.by_build_id(id)
        {
            return Some(file);
        }
        let link = DebugLink::of(elf)?;
        self.beside(path?, &link).into_iter().find_map(|path| {
            let file = open_regular(&path)?;
            let theirs = build_id(&file).ok().flatten();
            let belongs = match (&id, theirs) {
                (Some(ours), Some(theirs)) => *ours == theirs,
                _ => checksum(&file).ok()? == link.checksum,
            };
            belongs.then_some(DebugFile { file, path })
        })
    }

    /// Where the debug file of an image can be: by its build id, and by its debug link; see [`DebugDirectories::find`].
    pub(crate) fn candidates<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        path: Option<&Path>,
    ) -> [Vec<PathBuf>; 2] {
        let by_build_id = elf.build_id().map(|id| self.of_build_id(&id)).unwrap_or_default();
        let link = path.zip(DebugLink::of(elf));
        [by_build_id, link.map(|(path, link)| self.beside(path, &link)).unwrap_or_default()]
    }

    /// The debug file of a build id.
    pub(crate) fn by_build_id(&self, id: &BuildId) -> Option<DebugFile> {
        self.of_build_id(id).into_iter().find_map(|path| {
            let file = open_regular(&path)?;
            has_build_id(&file, id).then_some(DebugFile { file, path })
        })
    }

    /// Where the debug file of a build id can be: `.build-id/ab/cdef.debug`, or fetched as `abcdef/debuginfo`.
    fn of_build_id(&self, id: &BuildId) -> Vec<PathBuf> {
        let digits = id.to_string();
        let Some((first, rest)) = digits.split_at_checked(2) else { return Vec::new() };
        let below = format!(".build-id/{first}/{rest}.debug");
        let installed = self.directories.iter().map(|directory| directory.join(&below));
        let fetched = self.fetched.iter().map(|directory| directory.join(&digits).join(FETCHED_NAME));
        installed.chain(fetched).collect()
    }

    /// Where the debug file that an image links to can be: `DIR/LINK`, `DIR/.debug/LINK`, `DEBUG/DIR/LINK`.
    fn beside(&self, image: &Path, link: &DebugLink) -> Vec<PathBuf> {
        // Where it really is: /usr/bin rather than /bin.
        let image = image.canonicalize().unwrap_or_else(|_| image.to_owned());
        let Some(directory) = image.parent() else { return Vec::new() };
        let root = self.root.as_ref().map(|root| root.canonicalize().unwrap_or_else(|_| root.clone()));
        let root = root.as_deref().unwrap_or(Path::new("/"));
        let below = directory.strip_prefix(root).unwrap_or(directory.strip_prefix("/").unwrap_or(directory));
        let in_debug = self.directories.iter().map(|debug| debug.join(below).join(&link.name));
        let paths = [directory.join(&link.name), directory.join(".debug").join(&link.name)];
        paths.into_iter().chain(in_debug).filter(|path| *path != image).collect()
    }
}

/// A file that holds debugging information of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDebugFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its build id, if it has one.
    pub build_id: Option<BuildId>,
    /// The name by which the image refers to it, if it does (`.gnu_debuglink`).
    pub link: Option<OsString>,
}

/// The files that hold the debugging information of an ELF file, `path` being where that was mapped from: its separate
/// debug file, and what that or the file itself has in common with others (dwz(1)).
pub fn debug_files(file: &File, path: Option<&Path>, directories: &DebugDirectories) -> Vec<FoundDebugFile> {
    let budget = Budget::of_names();
    let data = &FileBytes::new(file, &budget);
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => debug_files_of::<FileHeader32<Endianness>>(data, path, directories),
        Ok(FileKind::Elf64) => debug_files_of::<FileHeader64<Endianness>>(data, path, directories),
        _ => Vec::new(),
    }
}

fn debug_files_of<H: Class>(
    data: &FileBytes<'_>,
    path: Option<&Path>,
    directories: &DebugDirectories,
) -> Vec<FoundDebugFile> {
    let Ok(elf) = Elf::<H, _>::parse(data) else { return Vec::new() };
    let mut shared = vec![directories.supplementary_path(&elf, path)];
    let mut files = Vec::new();
    if let Some(DebugFile { file, path }) = directories.find(&elf, path) {
        let budget = Budget::of_names();
        let bytes = FileBytes::new(&file, &budget);
        if let Ok(debug) = Elf::<H, _>::parse(&bytes) {
            shared.push(directories.supplementary_path(&debug, Some(&path)));
        }
        let link = DebugLink::of(&elf).map(|link| link.name);
        files.push(FoundDebugFile { path, build_id: build_id(&file).ok().flatten(), link });
    }
    for (path, id) in shared.into_iter().flatten() {
        files.push(FoundDebugFile { path, build_id: Some(id), link: None });
    }
    files.dedup();
    files
}

/// What `.gnu_debuglink` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DebugLink {
    /// The file's name without a directory.
    pub(crate) name: OsString,
    /// The CRC-32 of the whole file.
    checksum: u32,
}

impl DebugLink {
    fn of<'data, H: Class, R: ReadRef<'data>>(elf: &Elf<'data, H, R>) -> Option<DebugLink> {
        DebugLink::parse(&elf.section_bytes(".gnu_debuglink")?, elf.endian)
    }

    /// The name with a zero behind it, then to the next multiple of four, then the checksum.
    pub(crate) fn parse(section: &[u8], endian: Endianness) -> Option<DebugLink> {
        let length = section.iter().position(|&byte| byte == 0)?;
        let name = OsStr::from_bytes(&section[..length]);
        let checksum = section.get((length + 1).next_multiple_of(4)..)?.first_chunk()?;
        // A name that leads elsewhere is no name.
        let is_plain = Path::new(name).file_name() == Some(name);
        is_plain.then(|| DebugLink { name: name.to_owned(), checksum: endian.read_u32(*checksum) })
    }
}

/// The CRC-32 of a file, as `objcopy --add-gnu-debuglink` writes it; of one that is larger than [`LARGEST_SUMMED`] an
/// error.
fn checksum(mut file: &File) -> io::Result<u32> {
    if file.metadata()?.len() > LARGEST_SUMMED {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize()),
            length => hasher.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_link_is_a_plain_name_and_a_checksum() {
        let parse = |bytes: &[u8]| DebugLink::parse(bytes, Endianness::Little);
        let link = parse(b"true.debug\0\0\x78\x56\x34\x12").expect("a link");
        assert_eq!((link.name.to_str(), link.checksum), (Some("true.debug"), 0x1234_5678));
        for bad in [&b""[..], b"\0\0\0\0\x01\x02\x03\x04", b"name", b"name\0", b"abc\0\x01\x02\x03"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
        for elsewhere in ["../x", "/etc/x", "..", "a/b", "."] {
            let mut bytes = elsewhere.as_bytes().to_vec();
            bytes.resize((bytes.len() + 1).next_multiple_of(4) + 4, 0);
            assert_eq!(parse(&bytes), None, "{elsewhere}");
        }
    }
}
