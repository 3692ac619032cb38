//! Waits for several things at once.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll;

/// Waits until there is something to do: records, the end of the command, signals.
#[derive(Debug)]
pub(crate) struct Waiter {
    epoll: OwnedFd,
}

impl Waiter {
    pub(crate) fn new() -> io::Result<Waiter> {
        Ok(Waiter { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    /// Waits for records too, once for each time that some arrive: a counter whose task has ended hangs up for ever,
    /// which must not wake us for ever.
    pub(crate) fn add_records(&self, fd: impl AsFd) -> io::Result<()> {
        self.add_with(fd, epoll::EventFlags::IN | epoll::EventFlags::ET)
    }

    /// Waits until this can be read, too.
    pub(crate) fn add(&self, fd: impl AsFd) -> io::Result<()> {
        self.add_with(fd, epoll::EventFlags::IN)
    }

    fn add_with(&self, fd: impl AsFd, flags: epoll::EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, epoll::EventData::new_u64(0), flags)?)
    }

    /// Waits until there is something, for no longer than this.
    pub(crate) fn wait(&self, longest: Duration) -> io::Result<()> {
        let timeout = rustix::time::Timespec {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: longest.subsec_nanos().into(),
        };
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 8];
        match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
