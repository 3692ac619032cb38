//! The directory that debuginfod's clients share: `BUILDID/debuginfo`, as elfutils lays it out.
//!
//! A file of no bytes says that no server had it; that counts for as many seconds as the file `cache_miss_s` in the
//! directory says (600). What was not read for `max_unused_age_s` (a week) is removed, once in `cache_clean_interval_s`
//! (a day), of which the time of that file's last change counts.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use oprof_profile::BuildId;

use super::FETCHED_NAME;
use crate::own_directory::{Forbidden, OwnDirectory};

const MISS: (&str, u64) = ("cache_miss_s", 600);
const UNUSED: (&str, u64) = ("max_unused_age_s", 604_800);
const INTERVAL: (&str, u64) = ("cache_clean_interval_s", 86_400);

/// What the directory knows of a debug file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is there.
    Here,
    /// No server had it a moment ago.
    Nowhere,
    Nothing,
}

#[derive(Debug)]
pub(super) struct Store(OwnDirectory);

impl Store {
    /// Opens the directory, which is made if it is not there. Fails where others may write in it.
    pub(super) fn create(path: &Path) -> io::Result<Store> {
        Ok(Store(OwnDirectory::create(path, Forbidden::Write)?))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// What is known of the debug file of this build id.
    pub(super) fn known(&self, id: &BuildId) -> Known {
        match fs::metadata(self.path().join(id.to_string()).join(FETCHED_NAME)) {
            Ok(status) if status.len() > 0 => Known::Here,
            Ok(status) if is_younger(status.modified(), self.seconds(MISS)) => Known::Nowhere,
            _ => Known::Nothing,
        }
    }

    /// The directory for the files of this build id.
    pub(super) fn place(&self, id: &BuildId) -> io::Result<OwnDirectory> {
        OwnDirectory::create(&self.path().join(id.to_string()), Forbidden::Write)
    }

    /// Notes that no server has the debug file of this build id.
    pub(super) fn note_missing(&self, id: &BuildId) -> io::Result<()> {
        self.place(id)?.write(OsStr::new(FETCHED_NAME), &[])
    }

    /// A number in one of the files that control the directory.
    fn seconds(&self, (name, usual): (&str, u64)) -> Duration {
        let text = fs::read_to_string(self.path().join(name)).ok();
        Duration::from_secs(text.and_then(|text| text.trim().parse().ok()).unwrap_or(usual))
    }

    /// Removes what was not used for long, if it is time to. What cannot be removed stays.
    pub(super) fn clean(&self) {
        let clock = self.path().join(INTERVAL.0);
        let last = fs::metadata(&clock).and_then(|status| status.modified());
        if last.is_ok() && is_younger(last, self.seconds(INTERVAL)) {
            return;
        }
        let interval = self.seconds(INTERVAL).as_secs();
        if self.0.write(OsStr::new(INTERVAL.0), &[interval.to_string().as_bytes()]).is_err() {
            return;
        }
        let longest = self.seconds(UNUSED);
        let Ok(folders) = fs::read_dir(self.path()) else { return };
        for folder in folders.flatten().map(|entry| entry.path()) {
            let is_build_id = folder.file_name().is_some_and(|name| {
                name.len() >= 4 && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit)
            });
            let file = folder.join(FETCHED_NAME);
            if let (true, Ok(status)) = (is_build_id, fs::symlink_metadata(&file)) {
                let used = status.accessed().and_then(|read| Ok(read.max(status.modified()?)));
                if status.is_file() && !is_younger(used, longest) {
                    let _ = fs::remove_file(&file);
                    // Other files of the same build id keep the folder.
                    let _ = fs::remove_dir(&folder);
                }
            }
        }
    }
}

/// Whether a time that is known was less than `age` ago; one to come is not long ago.
fn is_younger(time: io::Result<SystemTime>, age: Duration) -> bool {
    time.is_ok_and(|time| time.elapsed().unwrap_or_default() < age)
}

/// Notes that a debug file is used, for those who remove what is not: reading does where times of access are kept.
pub(super) fn note_use(file: &File) {
    let _ = file.set_times(fs::FileTimes::new().set_accessed(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(path: &Path, seconds: u64) {
        let then = SystemTime::now() - Duration::from_secs(seconds);
        let times = fs::FileTimes::new().set_accessed(then).set_modified(then);
        File::open(path).unwrap().set_times(times).unwrap();
    }

    #[test]
    fn what_no_server_has_is_remembered_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("debuginfod_client")).unwrap();
        let id = BuildId::new(&[0xab, 0xcd, 0xef]).unwrap();
        assert_eq!(store.known(&id), Known::Nothing);
        store.note_missing(&id).unwrap();
        assert_eq!(store.known(&id), Known::Nowhere);
        age(&store.path().join("abcdef/debuginfo"), 599);
        assert_eq!(store.known(&id), Known::Nowhere);
        age(&store.path().join("abcdef/debuginfo"), 601);
        assert_eq!(store.known(&id), Known::Nothing);
        fs::write(store.path().join("cache_miss_s"), "1000\n").unwrap();
        assert_eq!(store.known(&id), Known::Nowhere);
        store.place(&id).unwrap().write(FETCHED_NAME.as_ref(), &[b"x"]).unwrap();
        assert_eq!(store.known(&id), Known::Here);
    }

    #[test]
    fn what_was_not_used_for_a_week_goes_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("debuginfod_client")).unwrap();
        let file = |number: u8| {
            let place = store.place(&BuildId::new(&[number, 2, 3]).unwrap()).unwrap();
            place.write(FETCHED_NAME.as_ref(), &[b"x"]).unwrap();
            place.path().join(FETCHED_NAME)
        };
        let [old, new] = [file(1), file(2)];
        let foreign = store.path().join("other");
        fs::write(&foreign, "x").unwrap();
        for path in [&old, &foreign] {
            age(path, 604_801);
        }
        store.clean();
        assert!(!old.exists() && !old.parent().unwrap().exists() && new.exists() && foreign.exists());
        age(&new, 604_801);
        store.clean();
        assert!(new.exists(), "it was done a moment ago");
        age(&store.path().join(INTERVAL.0), 86_401);
        store.clean();
        assert!(!new.exists());
    }
}
