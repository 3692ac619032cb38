//! What oprof itself says: on stderr, since stdout is the command's.

use std::io::Write;

use crate::paragraph::wrapped;
use crate::terminal;

/// By how much further lines of one message are indented.
const INDENT: usize = 2;

/// Says one line, broken where a terminal is narrower. What comes from elsewhere (names, paths) is made safe for a
/// terminal.
pub(crate) fn line(text: &str) {
    let stderr = std::io::stderr();
    let width = terminal::terminal(&stderr).and_then(|terminal| terminal.width).map(usize::from);
    let lines = wrapped(&format!("oprof: {}", oprof_report::printable(text)), INDENT, width);
    // Where nobody listens on stderr there is nobody to tell.
    let _ = writeln!(stderr.lock(), "{}", lines.join("\n"));
}
