//! The limit of open files, as far as messages tell of it.

/// The command that raises the limit of open files (RLIMIT_NOFILE) of the shell into which it is typed (prlimit(1)).
pub const RAISE_OPEN_FILES: &str = "sudo prlimit --pid $$ --nofile=65536";
