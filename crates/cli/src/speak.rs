//! What oprof itself says: on stderr, since stdout is the command's.

use std::io::Write;

/// Says one line. What comes from elsewhere (names, paths) is made safe for a terminal.
pub(crate) fn line(text: &str) {
    // Where nobody listens on stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "oprof: {}", oprof_report::printable(text));
}
