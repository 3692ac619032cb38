//! How a process sees itself and its temporary files.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags};

/// How a process sees itself and its temporary files, taken while it lives (namespaces(7), pid_namespaces(7)).
#[derive(Debug)]
pub(crate) struct ProcessView {
    /// Its number in its innermost PID namespace.
    number: u32,
    /// The user it acts as (effective user id); `None` where it was gone.
    user: Option<u32>,
    tmp: Tmp,
}

/// The directory `/tmp` of a process.
#[derive(Debug)]
enum Tmp {
    /// Ours.
    Own,
    /// In another mount namespace, or after chroot(2). Not its root directory is kept: what is mounted below that is
    /// gone with the namespace.
    Foreign(OwnedFd),
    /// Another, which could not be opened, or is not kept open.
    Unknown,
}

impl ProcessView {
    /// How the process sees things now; as we do where it is gone already.
    pub(crate) fn of(pid: u32) -> ProcessView {
        let directory = format!("/proc/{pid}");
        let user = fs::metadata(&directory).ok().map(|metadata| metadata.uid());
        let status = fs::read_to_string(format!("{directory}/status")).unwrap_or_default();
        ProcessView { number: innermost_pid(&status).unwrap_or(pid), user, tmp: tmp(&directory) }
    }

    /// It sees other files than we do, and a descriptor is kept for that.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.tmp, Tmp::Foreign(_))
    }

    /// Gives up the descriptor.
    pub(crate) fn close(&mut self) {
        self.tmp = Tmp::Unknown;
    }

    /// The process's map of names, by its own view of `/tmp`, if there is one that it may have written.
    ///
    /// A link is not followed.
    pub(crate) fn perf_map(&self) -> Option<File> {
        let name = format!("perf-{}.map", self.number);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = match &self.tmp {
            Tmp::Own => rustix::fs::open(Path::new("/tmp").join(name), flags, Mode::empty()),
            Tmp::Foreign(directory) => rustix::fs::openat(directory, name, flags, Mode::empty()),
            Tmp::Unknown => return None,
        };
        let file = File::from(opened.ok()?);
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        (is_regular && self.may_tell(&file)).then_some(file)
    }

    /// Whether the process's user owns a file, or root does. Else anybody could tell names of others' code.
    pub(crate) fn may_tell(&self, file: &File) -> bool {
        let user = self.user.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        file.metadata().is_ok_and(|metadata| metadata.uid() == 0 || metadata.uid() == user)
    }
}

/// The last number of the line `NSpid` of /proc/PID/status (proc_pid_status(5)).
fn innermost_pid(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
    line.split_whitespace().next_back()?.parse().ok()
}

/// `/tmp` of the process with this directory in /proc.
fn tmp(directory: &str) -> Tmp {
    let link = format!("{directory}/root");
    let namespace = |directory: &str| fs::read_link(format!("{directory}/ns/mnt")).ok();
    let is_own_root = fs::read_link(&link).map_or(true, |root| root == Path::new("/"));
    let is_own_namespace = match (namespace(directory), namespace("/proc/self")) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => true,
    };
    if is_own_root && is_own_namespace {
        return Tmp::Own;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Its own links must not lead out of what it sees.
    let within = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::open(&link, flags, Mode::empty())
        .and_then(|root| rustix::fs::openat2(root, "tmp", flags, Mode::empty(), within))
        .map_or(Tmp::Unknown, Tmp::Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_number_is_the_last() {
        assert_eq!(innermost_pid("Name:\tx\nNSpid:\t123\t45\t1\nUid:\t0\n"), Some(1));
        assert_eq!(innermost_pid("NSpid:\t123\n"), Some(123));
        assert_eq!((innermost_pid("NSpid:\n"), innermost_pid("")), (None, None));
    }

    #[test]
    fn we_see_what_we_see() {
        let view = ProcessView::of(std::process::id());
        assert!(!view.is_foreign());
        assert_eq!(view.user, Some(rustix::process::geteuid().as_raw()));
        let gone = ProcessView::of(4_194_305);
        assert!(!gone.is_foreign() && gone.user.is_none() && gone.perf_map().is_none());
    }

    #[test]
    fn a_link_is_no_map() {
        // The number of no process (PID_MAX_LIMIT of the kernel), and ours alone.
        let number = 5_000_000 + std::process::id();
        let view = ProcessView { number, user: None, tmp: Tmp::Own };
        let path = format!("/tmp/perf-{number}.map");
        let target = tempfile::NamedTempFile::new().expect("a file");
        std::os::unix::fs::symlink(target.path(), &path).expect("linked");
        let linked = view.perf_map().is_some();
        fs::remove_file(&path).expect("removed");
        fs::write(&path, "10 10 name\n").expect("written");
        let plain = view.perf_map().is_some();
        let stranger = ProcessView { number, user: Some(123_456), tmp: Tmp::Own }.perf_map().is_some();
        fs::remove_file(&path).expect("removed");
        assert!(!linked && plain);
        // What root writes is believed whoever runs.
        assert_eq!(stranger, rustix::process::geteuid().is_root());
    }
}
