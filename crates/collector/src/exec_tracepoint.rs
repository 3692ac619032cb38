//! The kernel's tracepoint for execs, through which the arguments of even the shortest process can be had.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

/// Below the root of tracefs.
const ID: &str = "events/sched/sched_process_exec/id";

/// The number of `sched:sched_process_exec` (`perf_event_attr.config`); `None` where it cannot be had.
pub(crate) fn id() -> Option<u64> {
    let mounted = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
    let read = |root: &&str| fs::read_to_string(format!("{root}/{ID}")).ok();
    let text = mounted.iter().find_map(read).or_else(read_unmounted)?;
    text.trim().parse().ok()
}

/// Reads the number from an instance of tracefs that is mounted nowhere and goes away with its descriptor: most
/// machines have tracefs mounted, virtual machines and containers often not, and to mount it is not for us.
fn read_unmounted() -> Option<String> {
    let context = rustix::mount::fsopen("tracefs", FsOpenFlags::FSOPEN_CLOEXEC).ok()?;
    rustix::mount::fsconfig_create(&context).ok()?;
    let attributes = MountAttrFlags::MOUNT_ATTR_RDONLY;
    let root: OwnedFd = rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes).ok()?;
    let file = rustix::fs::openat(&root, ID, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut text = String::new();
    fs::File::from(file).take(32).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The bit of the stack pointer in `perf_event_attr.sample_regs_user` (`arch/*/include/uapi/asm/perf_regs.h`).
pub(crate) const STACK_POINTER: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(7)
} else if cfg!(target_arch = "aarch64") {
    Some(31)
} else if cfg!(target_arch = "riscv64") {
    Some(2)
} else {
    None
};
