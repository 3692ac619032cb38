//! What decides the names of an image's code: the image, the debug files that could tell of it, and this program.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use object::read::ReadRef;
use object::read::elf::SectionHeader;
use oprof_profile::BuildId;

use crate::debug_file::DebugDirectories;
use crate::elf::{Class, Elf};

/// A file that was changed less than this ago may change again with the same time: clocks of file systems tick up to
/// once in two seconds.
const TICK: Duration = Duration::from_secs(2);

/// What decides the names, as bytes: equal for equal answers.
///
/// A build id alone does not. Stripping keeps it, a debug package may be installed later, and anybody can make a file
/// with the build id of another: so the image counts as the same only while it is the same, unchanged file. The time
/// of a file's last change (ctime) is nobody's to choose, save on a file system of one's own, which is another device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    build_id: Option<BuildId>,
    pub(super) bytes: Vec<u8>,
    /// The last change of any of the files, in time since 1970.
    changed: Duration,
}

impl Key {
    /// The key of an image that is open in `file`, `path` being where it was mapped from. `None` where the status of the
    /// file cannot be had.
    pub(crate) fn of<'data, H: Class, R: ReadRef<'data>>(
        image: &Elf<'data, H, R>,
        file: &File,
        path: Option<&Path>,
        directories: &DebugDirectories,
    ) -> Option<Key> {
        let mut key = Key { build_id: image.build_id(), bytes: Vec::new(), changed: Duration::ZERO };
        let version = env!("CARGO_PKG_VERSION");
        key.bytes.push(version.len() as u8);
        key.bytes.extend_from_slice(version.as_bytes());
        key.add(&file.metadata().ok()?);
        // Programs without build id are told apart by their layout, too: the files of two images of discs can agree in
        // all that is above.
        key.bytes.extend_from_slice(&layout(image).to_le_bytes());
        for (kind, candidates) in (1..).zip(directories.candidates(image, path)) {
            for path in candidates {
                if let Ok(metadata) = path.metadata()
                    && metadata.is_file()
                {
                    key.bytes.push(kind);
                    key.add(&metadata);
                }
            }
        }
        Some(key)
    }

    fn add(&mut self, file: &Metadata) {
        let numbers =
            [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()].map(i64::cast_unsigned);
        for number in [file.dev(), file.ino(), file.size()].into_iter().chain(numbers) {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
        let changed = Duration::from_secs(u64::try_from(file.ctime()).unwrap_or(0));
        self.changed = self.changed.max(changed + Duration::from_nanos(file.ctime_nsec() as u64));
    }

    /// Whether a further change of one of the files would show.
    pub(super) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.is_ok_and(|now| now.checked_sub(self.changed).is_some_and(|age| age >= TICK))
    }

    /// The name of the index: the build id, if there is one, and a hash of the rest.
    pub(super) fn file_name(&self) -> String {
        let id = self.build_id.as_ref().map_or(NO_BUILD_ID.to_owned(), BuildId::to_string);
        // FNV-1a of 64 bits. Two that are equal share a file, and the one used last has it.
        let hash = self.bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        format!("{id}-{hash:016x}{SUFFIX}")
    }
}

/// A checksum of where the sections of an image are.
fn layout<'data, H: Class, R: ReadRef<'data>>(image: &Elf<'data, H, R>) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    for section in image.sections.iter() {
        let endian = image.endian;
        for number in
            [section.sh_addr(endian).into(), section.sh_offset(endian).into(), section.sh_size(endian).into()]
        {
            let number: u64 = number;
            checksum.update(&number.to_le_bytes());
        }
    }
    checksum.finalize()
}

/// What names of indexes end in.
pub(super) const SUFFIX: &str = ".index";

/// What names of indexes of images without build id begin with.
pub(super) const NO_BUILD_ID: &str = "none";
