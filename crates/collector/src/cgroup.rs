//! A control group of its own for the command: section "CGROUPS VERSION 2" of cgroups(7).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::proc_info;

/// Our groups are called this, with the recorder's process id and its start time behind it.
const PREFIX: &str = "oprof-";

/// The hierarchy of control groups to which perf events can be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// The directory of the group in which this process is.
    pub own_group: PathBuf,
    /// It is version 2; else version 1 with the perf_event controller.
    pub is_v2: bool,
}

/// The hierarchy to which perf events can be bound, from /proc/self/cgroup and /proc/self/mountinfo.
///
/// # Errors
/// A sentence that says why there is none.
pub fn hierarchy() -> Result<Hierarchy, String> {
    let read = |path| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    find(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
        .ok_or_else(|| "no cgroup v2 file system is mounted; as root: mount -t cgroup2 none /mnt".to_owned())
}

/// The perf_event controller can be bound to a version 1 hierarchy; then it is not in version 2.
fn find(mountinfo: &str, groups: &str) -> Option<Hierarchy> {
    let mounts = || mountinfo.lines().filter_map(Mount::parse);
    let v1 = mounts().find(|mount| mount.kind == "cgroup" && mount.has_option("perf_event"));
    let (mount, is_v2) = match v1 {
        Some(mount) => (mount, false),
        None => (mounts().find(|mount| mount.kind == "cgroup2")?, true),
    };
    // `0::/path` for version 2, `N:controller,controller:/path` for version 1.
    let path = groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = match is_v2 {
            true => id == "0" && controllers.is_empty(),
            false => controllers.split(',').any(|name| name == "perf_event"),
        };
        ours.then_some(path)
    })?;
    // Where only a part of the hierarchy is mounted, paths count from its root.
    let below = Path::new(path).strip_prefix(&mount.root).ok()?;
    if below.components().any(|part| part == std::path::Component::ParentDir) {
        return None;
    }
    Some(Hierarchy { own_group: mount.point.join(below), is_v2 })
}

/// A line of /proc/self/mountinfo (proc(5)).
struct Mount<'a> {
    root: PathBuf,
    point: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let mut after = after.split(' ');
        Some(Mount {
            root: PathBuf::from(unescape(before.next()?)),
            point: PathBuf::from(unescape(before.next()?)),
            kind: after.next()?,
            options: after.nth(1).unwrap_or(""),
        })
    }

    fn has_option(&self, option: &str) -> bool {
        self.options.split(',').any(|own| own == option)
    }
}

/// mountinfo writes blanks in paths as three octal digits behind a backslash.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// A control group that there is, and the processes in it.
#[derive(Debug)]
pub(crate) struct ExistingCgroup {
    path: PathBuf,
    directory: File,
}

impl ExistingCgroup {
    /// Opens the group of this path: a directory of the hierarchy, or the group's own path in it as /proc/PID/cgroup tells
    /// it, with or without a slash before it.
    pub(crate) fn open(path: &str) -> Result<ExistingCgroup, Error> {
        let refused = |why: String| Error::NoCgroup { path: path.to_owned(), why };
        let (root, is_v2) = hierarchy_root().map_err(refused)?;
        let below = root.join(path.trim_start_matches('/'));
        let is_in_hierarchy = Path::new(path).starts_with(&root);
        let found = if is_in_hierarchy { PathBuf::from(path) } else { below };
        let why = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => refused(format!("there is no such group below {}", root.display())),
            _ => refused(error.to_string()),
        };
        let found = found.canonicalize().map_err(why)?;
        if !found.starts_with(&root) || !found.join("cgroup.procs").exists() {
            let kind = if is_v2 { "version 2" } else { "perf_event" };
            return Err(refused(format!("not a group of the {kind} hierarchy at {}", root.display())));
        }
        let directory =
            OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(&found).map_err(why)?;
        Ok(ExistingCgroup { path: found, directory })
    }

    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The processes in it and in the groups below it.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let mut pids = Vec::new();
        let mut groups = vec![self.path.clone()];
        while let Some(group) = groups.pop() {
            pids.extend(members(&group).iter().filter_map(|pid| pid.parse::<u32>().ok()));
            let below = fs::read_dir(&group).into_iter().flatten().flatten();
            groups.extend(
                below
                    .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                    .map(|entry| entry.path()),
            );
        }
        pids.sort_unstable();
        pids
    }
}

/// The directory of the root group of the hierarchy to which perf events can be bound, and whether it is of version 2.
fn hierarchy_root() -> Result<(PathBuf, bool), String> {
    let hierarchy = hierarchy()?;
    let is_group = |path: &Path| path.join("cgroup.procs").exists();
    let root = hierarchy.own_group.ancestors().take_while(|path| is_group(path)).last();
    let root = root.ok_or("no group of it can be seen")?;
    Ok((root.canonicalize().map_err(|error| error.to_string())?, hierarchy.is_v2))
}

/// A control group made for one command, below the recorder's own so that the limits of that hold for it too.
/// It is removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Cgroup {
    path: PathBuf,
    parent: PathBuf,
    directory: File,
}

impl Cgroup {
    /// Makes a group, and first removes those that earlier recorders left behind.
    pub(crate) fn create() -> Result<Cgroup, Error> {
        let refused = |why: String| Error::Scope { scope: "cgroup", why };
        let hierarchy = hierarchy().map_err(refused)?;
        let parent = hierarchy.own_group;
        sweep(&parent);
        let path = parent.join(group_name(std::process::id()));
        let failed = |error: io::Error| {
            let cure = if error.kind() == io::ErrorKind::PermissionDenied { "; run as root" } else { "" };
            refused(format!("cannot make {}: {error}{cure}", path.display()))
        };
        fs::DirBuilder::new().mode(0o755).create(&path).map_err(failed)?;
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(&path)
            .inspect_err(|_| remove(&path))
            .map_err(failed)?;
        Ok(Cgroup { path: path.clone(), parent, directory })
    }

    /// The group's directory, to which events are bound.
    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// The file through which a process joins the group: it writes `0` to it.
    pub(crate) fn joining_file(&self) -> Result<File, Error> {
        OpenOptions::new()
            .write(true)
            .open(self.path.join("cgroup.procs"))
            .map_err(Error::system("open the control group"))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What is still running goes back to where it would have been without us. A process that forks meanwhile
        // needs another look.
        for _ in 0..20 {
            for pid in members(&self.path) {
                let join = OpenOptions::new().write(true).open(self.parent.join("cgroup.procs"));
                let _ = join.and_then(|mut file| file.write_all(pid.as_bytes()));
            }
            if fs::remove_dir(&self.path).is_ok() {
                return;
            }
            // A process that has just exited may still be accounted for.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

fn members(group: &Path) -> Vec<String> {
    let list = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    list.lines().map(str::to_owned).collect()
}

fn group_name(pid: u32) -> String {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    format!("{PREFIX}{pid}-{}-{number}", proc_info::start_time(pid).unwrap_or(0))
}

/// Removes the groups of recorders that are gone and in which nothing runs any more.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if name
            .to_str()
            .and_then(owner)
            .is_some_and(|(pid, started)| proc_info::start_time(pid) != Some(started))
        {
            remove(&entry.path());
        }
    }
}

/// The recorder that made a group of this name: process id and start time.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn remove(path: &Path) {
    // Where processes are still in it the kernel refuses, and a later run tries again.
    let _ = fs::remove_dir(path);
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "\
24 1 0:20 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
25 24 0:21 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
26 24 0:22 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn version_2_is_found_beside_version_1() {
        let found = find(MIXED, "3:cpu:/a\n0::/user.slice/b\n").expect("a hierarchy");
        assert_eq!(found.own_group, Path::new("/sys/fs/cgroup/unified/user.slice/b"));
        assert!(found.is_v2);
    }

    #[test]
    fn a_version_1_hierarchy_with_perf_event_takes_the_controller_away_from_version_2() {
        let mounts = format!("{MIXED}27 24 0:23 / /sys/fs/cgroup/perf rw - cgroup cgroup rw,perf_event\n");
        let found = find(&mounts, "5:perf_event:/x\n0::/y\n").expect("a hierarchy");
        assert_eq!(found.own_group, Path::new("/sys/fs/cgroup/perf/x"));
        assert!(!found.is_v2);
    }

    #[test]
    fn a_part_of_a_hierarchy_counts_from_its_own_root() {
        let mounts = "26 24 0:22 /docker/id /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let found = find(mounts, "0::/docker/id/child\n").expect("a hierarchy");
        assert_eq!(found.own_group, Path::new("/sys/fs/cgroup/child"));
        assert_eq!(find(mounts, "0::/elsewhere\n"), None);
        assert_eq!(find(mounts, "0::/docker/id/../..\n"), None, "no path leads out of the mount");
    }

    #[test]
    fn no_hierarchy_is_no_hierarchy() {
        assert_eq!(find("24 1 0:20 / / rw - ext4 /dev/vda rw\n", "0::/\n"), None);
        assert_eq!(find("", ""), None);
    }

    #[test]
    fn the_owner_of_a_group_is_in_its_name() {
        assert_eq!(owner("oprof-12-345-0"), Some((12, 345)));
        assert_eq!(owner("oprof-12"), None);
        assert_eq!(owner("system.slice"), None);
    }
}
