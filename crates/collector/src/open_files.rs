//! The limit of open files.

use rustix::process::{Resource, Rlimit};

/// The limit as it is.
pub(crate) fn limit() -> Rlimit {
    rustix::process::getrlimit(Resource::Nofile)
}

/// Raises the limit as far as it goes, since counters and images that are held open are many; gives the limit.
pub(crate) fn raise() -> usize {
    let mut raised = limit();
    raised.current = raised.maximum;
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    limit().current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
