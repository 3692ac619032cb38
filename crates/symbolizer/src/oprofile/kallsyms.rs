//! Turns a copy of `/proc/kallsyms` into the symbols of the kernel's text, by OProfile's rules.
//!
//! Symbols count from the line of `_text` to that of `_etext`. The file is passed over once and not held: it has megabytes,
//! of which a few hundred names are needed.

use std::io::{self, Read};

use oprof_profile::{ImageAddress, ImageNames, ImageOffset, NameSource, SymbolId, Unresolved};

use super::symbols;

/// The bytes that are read. A kernel with all its modules has about 20 MB of them.
const LARGEST: u64 = 256 << 20;
/// The bytes that are read at a time.
const PART: usize = 128 << 10;

/// A symbol that begins at or before an offset.
#[derive(Clone, Debug, Default)]
struct Start {
    /// Distance from `_text`.
    distance: u64,
    name: Vec<u8>,
}

/// What is known of the symbols around some offsets.
#[derive(Debug, Default)]
struct Pass<'a> {
    /// Ascending and distinct.
    offsets: &'a [u64],
    /// The address of `_text`, once that was seen, and of `_etext`.
    begin: Option<u64>,
    end: Option<u64>,
    /// There was a symbol of code, and one whose address is not hidden.
    any: bool,
    any_shown: bool,
    /// For each offset the last symbol that begins at or before it, of those that were seen after the offset before.
    preceding: Vec<Option<Start>>,
    /// The distance of the first symbol that begins after it.
    following: Vec<Option<u64>>,
    /// Where the last symbol had its place among the offsets: the next one is mostly close to it.
    at: usize,
}

/// The names of `offsets`, which are distances from `_text`, by the lines of a text in the form of `/proc/kallsyms`
/// (proc_kallsyms(5)). Of several symbols at one place the last has the code, up to where the next begins.
///
/// # Errors
/// The error of reading it.
pub fn resolve_kernel_text(kallsyms: impl Read, offsets: &[ImageOffset]) -> io::Result<ImageNames> {
    let mut distances: Vec<u64> = offsets.iter().map(|offset| offset.0).collect();
    distances.sort_unstable();
    distances.dedup();
    let mut pass = Pass {
        offsets: &distances,
        preceding: vec![None; distances.len()],
        following: vec![None; distances.len()],
        ..Pass::default()
    };
    pass.read(kallsyms.take(LARGEST))?;
    Ok(pass.names())
}

impl Pass<'_> {
    fn read(&mut self, mut kallsyms: impl Read) -> io::Result<()> {
        let mut part = vec![0; PART];
        let mut filled = 0;
        loop {
            let read = match kallsyms.read(&mut part[filled..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            filled += read;
            let mut start = 0;
            for end in memchr::memchr_iter(b'\n', &part[..filled]) {
                self.line(&part[start..end]);
                start = end + 1;
                if self.end.is_some() {
                    return Ok(());
                }
            }
            if read == 0 {
                self.line(&part[start..filled]);
                return Ok(());
            }
            // A line without an end is no line of this file.
            let rest = if start == 0 && filled == PART { filled..filled } else { start..filled };
            filled = rest.len();
            part.copy_within(rest, 0);
        }
    }

    fn line(&mut self, line: &[u8]) {
        let Some((address, name)) = code_symbol(line) else { return };
        self.any = true;
        self.any_shown |= address != 0;
        let Some(begin) = self.begin else {
            if name == b"_text" && address != 0 {
                self.begin = Some(address);
                self.add(0, name);
            }
            return;
        };
        if name == b"_etext" {
            self.end = Some(address).filter(|end| *end > begin);
            return;
        }
        if let Some(distance) = address.checked_sub(begin) {
            self.add(distance, name);
        }
    }

    fn add(&mut self, distance: u64, name: &[u8]) {
        self.at = self.place(distance);
        if let Some(below) = self.at.checked_sub(1) {
            let following = &mut self.following[below];
            *following = Some(following.map_or(distance, |known| known.min(distance)));
        }
        let Some(start) = self.preceding.get_mut(self.at) else { return };
        if start.as_ref().is_none_or(|known| known.distance <= distance) {
            let start = start.get_or_insert_default();
            start.distance = distance;
            start.name.clear();
            start.name.extend_from_slice(name);
        }
    }

    /// The index of the first offset that is not below.
    fn place(&self, distance: u64) -> usize {
        let at = self.at;
        let is_here = at.checked_sub(1).is_none_or(|below| self.offsets[below] < distance)
            && self.offsets.get(at).is_none_or(|offset| distance <= *offset);
        if is_here { at } else { self.offsets.partition_point(|offset| *offset < distance) }
    }

    fn names(mut self) -> ImageNames {
        let offsets = self.offsets.iter().copied().map(ImageOffset);
        let (Some(begin), Some(end)) = (self.begin, self.end) else {
            let is_hidden = self.any && !self.any_shown;
            let reason = if is_hidden { Unresolved::KernelRestricted } else { Unresolved::NoSymbols };
            return ImageNames::unresolved(offsets, reason);
        };
        for place in (1..self.offsets.len()).rev() {
            self.following[place - 1] = self.following[place - 1].or(self.following[place]);
        }
        let mut found = Vec::new();
        let mut current: Option<(Start, Option<SymbolId>)> = None;
        let mut names = ImageNames::unresolved(offsets, Unresolved::NoSymbolAtOffset);
        for (place, (offset, answer)) in names.offsets.iter_mut().enumerate() {
            if let Some(start) = self.preceding[place].take() {
                current = Some((start, None));
            }
            let Some((start, id)) = &mut current else { continue };
            let reach = self.following[place].map_or(end - begin, |next| next.min(end - begin));
            if offset.0 >= reach {
                continue;
            }
            *answer = Ok(*id.get_or_insert_with(|| {
                let (name, address) = (std::mem::take(&mut start.name), ImageAddress(start.distance));
                found.push((name, address, reach - start.distance, NameSource::Kallsyms));
                SymbolId(found.len() as u32 - 1)
            }));
        }
        names.symbols = symbols(found);
        names
    }
}

/// Address and name of a line that tells of code; `None` for lines of another shape, and for those of modules.
fn code_symbol(line: &[u8]) -> Option<(u64, &[u8])> {
    // As the kernel of a 64-bit machine writes them all.
    let (address, rest) = match line.split_first_chunk::<16>() {
        Some((digits, rest @ [b' ', ..])) => (address(digits)?, rest),
        _ => {
            let digits =
                line.iter().position(|byte| *byte == b' ').filter(|digits| (1..16).contains(digits))?;
            let digits = std::str::from_utf8(&line[..digits]).ok()?;
            (u64::from_str_radix(digits, 16).ok()?, &line[digits.len()..])
        }
    };
    let [b' ', b'T' | b't' | b'W' | b'w', b' ', name @ ..] = rest else { return None };
    (!name.is_empty() && memchr::memchr(b'\t', name).is_none()).then_some((address, name))
}

/// The number of 16 hexadecimal digits.
fn address(digits: &[u8; 16]) -> Option<u64> {
    let mut number = 0;
    let mut wrong = 0;
    for digit in digits {
        let value = DIGITS[usize::from(*digit)];
        wrong |= value;
        number = number << 4 | u64::from(value);
    }
    (wrong < 16).then_some(number)
}

/// What each byte is worth as a hexadecimal digit; 0xff for none.
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"0000000000000000 A fixed_percpu_data
ffffffff80ffff00 T before
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000040 t __do_sys_x
ffffffff81000040 T __ia32_sys_x
ffffffff81000040 T __x64_sys_x
ffffffff81000050 d data
ffffffff81000060 W weak
no line
ffffffff81000080 T _etext
ffffffff81000090 T behind
ffffffffc0000000 t module_code\t[ext4]
";

    fn names(text: &[u8], offsets: &[u64]) -> Vec<Result<(String, u64, u64), Unresolved>> {
        let offsets: Vec<_> = offsets.iter().copied().map(ImageOffset).collect();
        let names = resolve_kernel_text(text, &offsets).expect("read");
        let found = |id| {
            let symbol = names.symbol(id).expect("a symbol");
            (symbol.name.clone(), symbol.address.0, symbol.size)
        };
        names.offsets.iter().map(|(_, answer)| answer.map(found)).collect()
    }

    #[test]
    fn of_several_symbols_at_one_place_the_last_has_the_code_up_to_the_next() {
        assert_eq!(
            names(TEXT, &[0, 0x40, 0x5f, 0x60, 0x7f, 0x80]),
            [
                Ok(("_text".to_owned(), 0, 0x40)),
                Ok(("__x64_sys_x".to_owned(), 0x40, 0x20)),
                Ok(("__x64_sys_x".to_owned(), 0x40, 0x20)),
                Ok(("weak".to_owned(), 0x60, 0x20)),
                Ok(("weak".to_owned(), 0x60, 0x20)),
                Err(Unresolved::NoSymbolAtOffset),
            ]
        );
    }

    /// Gives a few bytes at a time, as a pipe can.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(size);
            buffer[..size].copy_from_slice(now);
            self.0 = later;
            Ok(size)
        }
    }

    #[test]
    fn parts_and_order_make_no_difference() {
        let offsets: Vec<ImageOffset> = (0..0x90).map(ImageOffset).collect();
        let whole = resolve_kernel_text(TEXT, &offsets).expect("read");
        for size in [1, 7, 64] {
            assert_eq!(resolve_kernel_text(Slow(TEXT, size), &offsets).expect("read"), whole);
        }
        let text = String::from_utf8_lossy(TEXT);
        let mut lines: Vec<&str> = text.lines().collect();
        let weak = lines.remove(8);
        lines.insert(4, weak);
        let other = lines.join("\n");
        assert_eq!(resolve_kernel_text(other.as_bytes(), &offsets).expect("read"), whole);
        let endless = [TEXT, &vec![b'x'; 3 * PART]].concat();
        assert_eq!(resolve_kernel_text(endless.as_slice(), &offsets).expect("read"), whole);
    }

    #[test]
    fn hidden_and_missing_symbols_are_told() {
        let hidden = "0000000000000000 T _text\n0000000000000000 T _etext\n";
        assert_eq!(names(hidden.as_bytes(), &[1]), [Err(Unresolved::KernelRestricted)]);
        assert_eq!(names(b"", &[1]), [Err(Unresolved::NoSymbols)]);
        assert_eq!(names(b"ffffffff81000000 T _text", &[1]), [Err(Unresolved::NoSymbols)]);
    }
}
