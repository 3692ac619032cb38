//! The limit of open files.

use rustix::process::{Resource, Rlimit};

/// The limit as it is.
pub(crate) fn limit() -> Rlimit {
    rustix::process::getrlimit(Resource::Nofile)
}

/// Besides counters a recorder opens about a dozen files, and all that it samples.
const NEEDED_BESIDES: u64 = 24;

/// So many files can still be opened that there is room for more than counters.
pub(crate) fn have_room() -> bool {
    let Some(limit) = limit().current else { return true };
    // Where that cannot be told it is tried.
    let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    open as u64 + NEEDED_BESIDES <= limit
}

/// Raises the limit as far as it goes, since counters and images that are held open are many; gives the limit.
pub(crate) fn raise() -> usize {
    let mut raised = limit();
    raised.current = raised.maximum;
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
    limit().current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
