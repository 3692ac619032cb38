//! Reads maps of names: `/tmp/perf-PID.map`.
//!
//! A line is the address and the size of a function, both hexadecimal, and its name, with blanks between them; the name
//! may hold blanks. Facts: tools/perf/Documentation/jit-interface.txt in the kernel's sources.

use std::sync::Arc;

use oprof_profile::{NameSource, VirtualAddress};

use super::code_space::{CodeSpace, JitCode, JitFunction};
use super::{LONGEST_NAME, MOST_BYTES};

/// The longest start of a line that is kept: two numbers and a name.
const LONGEST_LINE: usize = LONGEST_NAME + 64;

/// The bytes of one map that are read.
const MOST_READ: u64 = 4 * MOST_BYTES as u64;

/// The names of one process's code, as far as its map has been read.
///
/// Lines have no times. One that comes later tells of code that took the place of what was there.
#[derive(Debug, Default)]
pub struct PerfMap {
    space: CodeSpace,
    /// The start of a line whose end is still to come.
    partial: Vec<u8>,
    read: u64,
    is_full: bool,
}

impl PerfMap {
    /// Takes in the next bytes of the file.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.read += piece.len() as u64;
            if self.is_full || self.read > MOST_READ {
                self.is_full = true;
                return;
            }
            let room = LONGEST_LINE.saturating_sub(self.partial.len());
            let (text, is_whole) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            self.partial.extend_from_slice(&text[..text.len().min(room)]);
            if is_whole {
                let line = std::mem::take(&mut self.partial);
                self.line(&line);
                self.partial = line;
                self.partial.clear();
            }
        }
    }

    /// The function at an address, by what has been read.
    pub fn lookup(&self, address: VirtualAddress) -> Option<JitCode> {
        self.space.lookup(address)
    }

    fn line(&mut self, line: &[u8]) {
        let Some((start, rest)) = number(line) else { return };
        let Some((size, name)) = number(rest) else { return };
        let name = name.trim_ascii();
        if name.is_empty() || start == 0 {
            return;
        }
        let name = String::from_utf8_lossy(&name[..name.len().min(LONGEST_NAME)]);
        let function =
            JitFunction { name: name.into(), size, source: NameSource::PerfMap, lines: Box::default() };
        self.is_full |= !self.space.insert(VirtualAddress(start), Arc::new(function));
    }
}

/// A hexadecimal number, with or without `0x`, and what follows it.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let length = text.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(text.len());
    let digits = std::str::from_utf8(&text[..length]).ok()?;
    let rest = &text[length..];
    let is_word = rest.first().is_none_or(u8::is_ascii_whitespace);
    is_word.then(|| u64::from_str_radix(digits, 16).ok()).flatten().map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(map: &PerfMap, address: u64) -> Option<String> {
        map.lookup(VirtualAddress(address)).map(|code| code.function.name.to_string())
    }

    #[test]
    fn lines_name_code() {
        let mut map = PerfMap::default();
        map.feed(b"7f0010 20 LazyCompile:*fib /tmp/a b.js:1:13\n0x7f0030 0x10 java.lang.String::hash\r\n");
        assert_eq!(found(&map, 0x7f0010).as_deref(), Some("LazyCompile:*fib /tmp/a b.js:1:13"));
        assert_eq!(found(&map, 0x7f003f).as_deref(), Some("java.lang.String::hash"));
        assert_eq!((found(&map, 0x7f000f), found(&map, 0x7f0040)), (None, None));
    }

    #[test]
    fn a_line_counts_once_it_is_whole_however_it_arrives() {
        let text = b"10 10 one\n20 10 two\n30 10 three";
        let mut whole = PerfMap::default();
        whole.feed(text);
        let mut pieces = PerfMap::default();
        text.chunks(1).for_each(|piece| pieces.feed(piece));
        for map in [&mut whole, &mut pieces] {
            assert_eq!(
                (found(map, 0x1f).as_deref(), found(map, 0x2f).as_deref()),
                (Some("one"), Some("two"))
            );
            assert_eq!(found(map, 0x3f), None);
            map.feed(b"!\n");
            assert_eq!(found(map, 0x3f).as_deref(), Some("three!"));
        }
    }

    #[test]
    fn what_is_no_line_is_passed_over() {
        let mut map = PerfMap::default();
        map.feed(b"\n\nx\n10\n10 10\n10 10 \nzz 10 a\n10 zz a\n10g 10 a\n0 10 null\n11111111111111111 1 a\n\xff\xfe\n40 4 a\xff\n");
        assert_eq!(found(&map, 0x10), None);
        assert_eq!(found(&map, 0), None);
        assert_eq!(found(&map, 0x40).as_deref(), Some("a\u{fffd}"));
    }

    #[test]
    fn long_lines_are_cut_and_what_is_read_is_bounded() {
        let mut map = PerfMap::default();
        map.feed(b"10 10 ");
        (0..1000).for_each(|_| map.feed(&[b'x'; 1000]));
        map.feed(b"\n20 10 next\n");
        assert_eq!(found(&map, 0x10).map(|name| name.len()), Some(LONGEST_NAME));
        assert_eq!(found(&map, 0x20).as_deref(), Some("next"));
        assert!(map.partial.capacity() <= 4 * LONGEST_LINE);
    }
}
