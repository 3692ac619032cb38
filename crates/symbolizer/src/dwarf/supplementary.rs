//! Finds the file with what several debug files have in common, as dwz(1) leaves it (`.gnu_debugaltlink`).

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::read::ReadRef;
use oprof_profile::{BuildId, open_regular};

use crate::build_id::has_build_id;
use crate::debug_file::{DebugDirectories, DebugFile};
use crate::elf::{Class, Elf};

/// What `.gnu_debugaltlink` holds: a path, a zero, the file's build id.
struct AlternativeLink {
    path: PathBuf,
    id: BuildId,
}

impl AlternativeLink {
    fn parse(section: &[u8]) -> Option<AlternativeLink> {
        let length = section.iter().position(|&byte| byte == 0)?;
        let path = PathBuf::from(OsStr::from_bytes(&section[..length]));
        Some(AlternativeLink { path, id: BuildId::new(&section[length + 1..])? })
    }
}

impl DebugDirectories {
    /// The file that the debugging information of `elf` refers to, `path` being where that is: by its build id, or by
    /// the path in the link, which is relative to where the file with the link really is.
    pub(super) fn supplementary<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        path: Option<&Path>,
    ) -> Option<File> {
        let link = AlternativeLink::parse(&elf.section_bytes(".gnu_debugaltlink")?)?;
        self.linked(&link, path).map(|found| found.file)
    }

    fn linked(&self, link: &AlternativeLink, path: Option<&Path>) -> Option<DebugFile> {
        self.by_build_id(&link.id).or_else(|| {
            let from = path?.canonicalize().ok()?;
            let path = from.parent()?.join(&link.path);
            let file = open_regular(&path)?;
            has_build_id(&file, &link.id).then_some(DebugFile { file, path })
        })
    }

    /// Where that file is, with its build id.
    pub(crate) fn supplementary_path<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        path: Option<&Path>,
    ) -> Option<(PathBuf, BuildId)> {
        let link = AlternativeLink::parse(&elf.section_bytes(".gnu_debugaltlink")?)?;
        self.linked(&link, path).map(|found| (found.path, link.id))
    }
}

impl DebugDirectories {
    /// The build id of that file where it is referred to and not found.
    pub(crate) fn missing_supplementary<'data, H: Class, R: ReadRef<'data>>(
        &self,
        elf: &Elf<'data, H, R>,
        path: Option<&Path>,
    ) -> Option<BuildId> {
        let link = AlternativeLink::parse(&elf.section_bytes(".gnu_debugaltlink")?)?;
        self.supplementary(elf, path).is_none().then_some(link.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_path_and_a_build_id() {
        let link = AlternativeLink::parse(b"../.dwz/common\0\x01\x02\x03\x04").expect("a link");
        assert_eq!(link.path, Path::new("../.dwz/common"));
        assert_eq!(link.id.as_bytes(), [1, 2, 3, 4]);
        assert!(AlternativeLink::parse(b"no end").is_none());
        assert!(AlternativeLink::parse(b"no id\0").is_none());
    }
}
