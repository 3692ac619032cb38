//! Opens files whose names someone else chose.

use std::fs::File;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens a file for reading if it is a regular one; opening anything else could wait or have effects. `None` where it is
/// another thing or cannot be opened (open(2)).
pub fn open_regular(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    file.metadata().is_ok_and(|metadata| metadata.is_file()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_opened() {
        assert!(open_regular(Path::new("/dev/null")).is_none());
        assert!(open_regular(Path::new("/")).is_none());
        assert!(open_regular(Path::new("/proc/self/exe")).is_some());
    }
}
