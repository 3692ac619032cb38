//! What oprof itself says: on stderr, since stdout is the command's.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::paragraph::wrapped;
use crate::terminal;

/// By how much further lines of one message are indented.
const INDENT: usize = 2;

/// Leaves out the numbers that the standard library puts behind the system's errors, ` (os error 13)`: the words before
/// them say the same.
fn without_numbers(text: &str) -> String {
    const BEFORE: &str = " (os error ";
    let mut parts = text.split(BEFORE);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(')') {
            Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => plain.push_str(rest),
            _ => plain.extend([BEFORE, part]),
        }
    }
    plain
}

/// Says one line, broken where a terminal is narrower. What comes from elsewhere (names, paths) is made safe for a
/// terminal.
pub(crate) fn line(text: &str) {
    let stderr = std::io::stderr();
    let width = terminal::terminal(&stderr).and_then(|terminal| terminal.width).map(usize::from);
    let lines =
        wrapped(&format!("oprof: {}", oprof_report::printable(&without_numbers(text))), INDENT, width);
    // Where nobody listens on stderr there is nobody to tell.
    let _ = writeln!(stderr.lock(), "{}", lines.join("\n"));
}

/// Says a line unless it has been said before: of images that two profiles have in common, say.
pub(crate) fn once(text: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let is_new = SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned());
    if is_new {
        line(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_goes_without_its_number() {
        let error = std::io::Error::from_raw_os_error(13).to_string();
        assert!(error.ends_with(" (os error 13)"), "{error}");
        assert_eq!(
            without_numbers(&format!("a: {error}; b: {error}")),
            "a: Permission denied; b: Permission denied"
        );
        for text in ["", " (os error x) y", " (os error 1", "plain"] {
            assert_eq!(without_numbers(text), text);
        }
    }
}
