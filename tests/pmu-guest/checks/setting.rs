//! Settings of the kernel that a check changes.

use std::fs;
use std::path::PathBuf;

/// A setting under `/proc/sys/kernel` that is what it was before when the value is dropped.
#[derive(Debug)]
pub(crate) struct Setting {
    path: PathBuf,
    before: String,
}

impl Setting {
    #[track_caller]
    pub(crate) fn new(name: &str, value: i64) -> Setting {
        let path = PathBuf::from("/proc/sys/kernel").join(name);
        let before = fs::read_to_string(&path).expect("a setting can be read");
        fs::write(&path, value.to_string()).expect("a setting can be changed");
        Setting { path, before: before.trim().to_owned() }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        // The machine is over soon; a check that needs another value sets it.
        let _ = fs::write(&self.path, &self.before);
    }
}
