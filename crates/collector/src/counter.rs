//! A counter: an event opened in the kernel.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use perf_event_open_sys::bindings::{
    PERF_FLAG_FD_CLOEXEC, PERF_FLAG_PID_CGROUP, PERF_FORMAT_GROUP, PERF_FORMAT_LOST, perf_event_attr,
};
use perf_event_open_sys::{ioctls, perf_event_open};

/// What a counter is attached to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Attachment<'a> {
    /// Everything that runs on a CPU.
    Cpu(u32),
    /// The processes of a control group, while they run on a CPU.
    Cgroup(BorrowedFd<'a>, u32),
    /// A task, while it runs on a CPU or on any; its children too, where the attribute says so.
    Task(u32, Option<u32>),
    /// The calling process on any CPU.
    Myself,
}

/// What a counter has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// How often the event happened while it was counted.
    pub(crate) value: u64,
    /// How long it was meant to be counted, in nanoseconds.
    pub(crate) time_enabled: u64,
    /// How long it was counted, in nanoseconds.
    pub(crate) time_running: u64,
    /// The kernel's number for the counter.
    pub(crate) id: u64,
    /// How many of its records found no room in the ring buffer; 0 where that was not asked for, or the kernel does not
    /// tell it (since Linux 6.0).
    pub(crate) lost: u64,
}

const LOST: u64 = PERF_FORMAT_LOST as u64;
/// As long as what a group reads as can be, in bytes: the kernel takes no event whose samples could be longer than 16 KB
/// (`perf_event_validate_size` in kernel/events/core.c).
const LARGEST_GROUP: usize = 16 << 10;

/// An event opened in the kernel; closing it ends it.
#[derive(Debug)]
pub(crate) struct Counter {
    fd: OwnedFd,
    /// It reads as all of its group, itself first.
    reads_group: bool,
}

impl Counter {
    pub(crate) fn open(attr: &perf_event_attr, attachment: Attachment<'_>) -> io::Result<Counter> {
        Self::open_with(attr, attachment, None)
    }

    /// Opens an event that counts whenever its group's leader does, a counter of the same place, and at no other time.
    pub(crate) fn open_with(
        attr: &perf_event_attr,
        attachment: Attachment<'_>,
        leader: Option<&Counter>,
    ) -> io::Result<Counter> {
        let (pid, cpu, flags) = match attachment {
            Attachment::Cpu(cpu) => (-1, cpu as i32, 0),
            Attachment::Cgroup(directory, cpu) => (directory.as_raw_fd(), cpu as i32, PERF_FLAG_PID_CGROUP),
            Attachment::Task(pid, cpu) => (pid as i32, cpu.map_or(-1, |cpu| cpu as i32), 0),
            Attachment::Myself => (0, -1, 0),
        };
        let group = leader.map_or(-1, |leader| leader.fd.as_raw_fd());
        let mut attr = *attr;
        match open(&mut attr, pid, cpu, group, flags | PERF_FLAG_FD_CLOEXEC) {
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) && attr.read_format & LOST != 0 => {
                attr.read_format &= !LOST;
                open(&mut attr, pid, cpu, group, flags | PERF_FLAG_FD_CLOEXEC)
            }
            opened => opened,
        }
    }

    /// A counter that is none; whatever it is asked fails.
    pub(crate) fn synthetic(fd: OwnedFd) -> Counter {
        Counter { fd, reads_group: false }
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub(crate) fn enable(&self) -> io::Result<()> {
        // SAFETY: ENABLE takes a number, 0 for this counter alone, and touches no memory.
        check(unsafe { ioctls::ENABLE(self.fd.as_raw_fd(), 0) })
    }

    /// Stops the counter, and those that were inherited from it.
    pub(crate) fn disable(&self) -> io::Result<()> {
        // SAFETY: as for ENABLE.
        check(unsafe { ioctls::DISABLE(self.fd.as_raw_fd(), 0) })
    }

    /// Lets the records of this counter go into the ring buffer of `other`, a counter of the same CPU.
    pub(crate) fn write_into(&self, other: &Counter) -> io::Result<()> {
        // SAFETY: SET_OUTPUT takes a descriptor, which is open as long as `other` is.
        check(unsafe { ioctls::SET_OUTPUT(self.fd.as_raw_fd(), other.fd.as_raw_fd()) })
    }

    /// What it has counted, together with what inherited from it and has ended.
    pub(crate) fn read(&self) -> io::Result<Reading> {
        if self.reads_group {
            return self.read_first_of_group();
        }
        let mut bytes = [0; 40];
        let length = rustix::io::read(&self.fd, &mut bytes)?;
        if length < 32 {
            // A pinned counter that lost its place reads as nothing.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The last word stays 0 where it was not asked for.
        let word = |at: usize| word(&bytes, at);
        Ok(Reading {
            value: word(0),
            time_enabled: word(1),
            time_running: word(2),
            id: word(3),
            lost: word(4),
        })
    }

    /// The same, where the kernel gives the number of counters and the times first, then each counter.
    fn read_first_of_group(&self) -> io::Result<Reading> {
        let mut bytes = [0; LARGEST_GROUP];
        let length = rustix::io::read(&self.fd, &mut bytes)?;
        let counters = word(&bytes, 0) as usize;
        let Some(each) = (length / 8).saturating_sub(3).checked_div(counters).filter(|each| *each >= 2)
        else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        Ok(Reading {
            value: word(&bytes, 3),
            time_enabled: word(&bytes, 1),
            time_running: word(&bytes, 2),
            id: word(&bytes, 4),
            lost: if each > 2 { word(&bytes, 5) } else { 0 },
        })
    }
}

fn open(attr: &mut perf_event_attr, pid: i32, cpu: i32, group: i32, flags: u32) -> io::Result<Counter> {
    // SAFETY: `attr` is a valid structure whose `size` is its own; the kernel writes to it only to report the size it
    // knows (E2BIG). The call has no other memory effect.
    let fd = unsafe { perf_event_open(attr, pid, cpu, group, flags.into()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(Counter { fd, reads_group: attr.read_format & PERF_FORMAT_GROUP as u64 != 0 })
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[8 * at..8 * at + 8].try_into().expect("eight bytes"))
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
