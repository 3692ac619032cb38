//! Turns a copy of `/proc/kallsyms` into the symbols of the kernel's text, by OProfile's rules.

use std::fs::File;
use std::io::{self, Read};

use oprof_profile::{ImageAddress, ImageNames, ImageOffset, NameSource, SymbolId, Unresolved};
use rustc_hash::FxHashMap;

use super::symbol;

/// The bytes that are read. A kernel with all its modules has about 20 MB of them.
const LARGEST: u64 = 256 << 20;

/// The kernel's text between `_text` and `_etext`: where symbols begin, told by the distance from `_text`. Each reaches
/// to the next.
#[derive(Debug, Default)]
pub struct KernelText {
    text: Vec<u8>,
    /// Distance from `_text`, and where in the text the name is; distances ascend and are distinct.
    starts: Vec<(u64, u32)>,
    /// The distance of `_etext`.
    end: u64,
    /// Addresses are hidden: all are 0.
    restricted: bool,
}

impl KernelText {
    /// Reads the symbols from a file in the form of `/proc/kallsyms`.
    ///
    /// # Errors
    /// The error of reading it.
    pub fn read(file: File) -> io::Result<KernelText> {
        let length = file.metadata()?.len();
        let mut text = Vec::with_capacity(usize::try_from(length.min(LARGEST)).unwrap_or(0));
        file.take(LARGEST).read_to_end(&mut text)?;
        Ok(KernelText::parse(text))
    }

    /// The symbols in a text in the form of `/proc/kallsyms` (proc_kallsyms(5)).
    pub fn parse(text: Vec<u8>) -> KernelText {
        let mut lines: Vec<(u64, u32)> = Vec::new();
        let (mut begin, mut end, mut any) = (None, None, false);
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = &rest[..length];
            if let Some((address, kind, name)) = symbol_line(line) {
                any = true;
                match name {
                    b"_text" => begin = begin.or(Some(address)),
                    b"_etext" => end = end.or(Some(address)),
                    _ => {}
                }
                let name_at = (line.len() - name.len()).checked_add(at).and_then(|at| u32::try_from(at).ok());
                if let (b'T' | b't' | b'W' | b'w', Some(name_at)) = (kind, name_at) {
                    lines.push((address, name_at));
                }
            }
            at += length + 1;
        }
        let restricted = any && lines.iter().all(|(address, _)| *address == 0);
        let (Some(begin), Some(end)) = (begin, end.filter(|end| Some(*end) > begin)) else {
            return KernelText { restricted, ..KernelText::default() };
        };
        lines.retain(|(address, _)| (begin..end).contains(address));
        if !lines.is_sorted_by_key(|(address, _)| *address) {
            lines.sort_by_key(|(address, _)| *address);
        }
        // Of several at one place the last one is left: those before it reach no further than to it.
        lines.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                *kept = *next;
            }
            same
        });
        lines.iter_mut().for_each(|(address, _)| *address -= begin);
        KernelText { text, starts: lines, end: end - begin, restricted }
    }

    fn name(&self, at: u32) -> &[u8] {
        let rest = self.text.get(at as usize..).unwrap_or_default();
        &rest[..rest.iter().position(|byte| byte.is_ascii_whitespace()).unwrap_or(rest.len())]
    }

    /// The names of `offsets`, which are distances from `_text`.
    pub fn resolve(&self, offsets: &[ImageOffset]) -> ImageNames {
        let reason = match (self.starts.is_empty(), self.restricted) {
            (true, true) => Unresolved::KernelRestricted,
            (true, false) => Unresolved::NoSymbols,
            (false, _) => Unresolved::NoSymbolAtOffset,
        };
        let mut names = ImageNames::unresolved(offsets.iter().copied(), reason);
        let mut known: FxHashMap<usize, SymbolId> = FxHashMap::default();
        for (offset, answer) in &mut names.offsets {
            let next = self.starts.partition_point(|(start, _)| *start <= offset.0);
            let Some(index) = next.checked_sub(1) else { continue };
            let (start, name) = self.starts[index];
            let end = self.starts.get(next).map_or(self.end, |(start, _)| *start);
            if offset.0 >= end {
                continue;
            }
            let id = *known.entry(index).or_insert_with(|| {
                let address = ImageAddress(start);
                names.symbols.push(symbol(self.name(name), address, end - start, NameSource::Kallsyms));
                SymbolId(names.symbols.len() as u32 - 1)
            });
            *answer = Ok(id);
        }
        names
    }
}

/// Address, kind and name of a line; `None` for lines of another shape, and for those of modules.
fn symbol_line(line: &[u8]) -> Option<(u64, u8, &[u8])> {
    let digits = line.iter().position(|byte| *byte == b' ').filter(|digits| (1..=16).contains(digits))?;
    let mut address = 0;
    for digit in &line[..digits] {
        address = address << 4 | u64::from(char::from(*digit).to_digit(16)?);
    }
    let [b' ', kind, b' ', name @ ..] = &line[digits..] else { return None };
    (!name.is_empty() && !name.contains(&b'\t')).then_some((address, *kind, name))
}

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
        let names = KernelText::parse(text.to_vec()).resolve(&offsets);
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

    #[test]
    fn lines_need_not_be_in_order() {
        let mut lines: Vec<&[u8]> = TEXT.split_inclusive(|byte| *byte == b'\n').collect();
        lines.rotate_left(5);
        assert_eq!(names(&lines.concat(), &[0x65]), names(TEXT, &[0x65]));
    }

    #[test]
    fn hidden_and_missing_symbols_are_told() {
        let hidden = "0000000000000000 T _text\n0000000000000000 T _etext\n";
        assert_eq!(names(hidden.as_bytes(), &[1]), [Err(Unresolved::KernelRestricted)]);
        assert_eq!(names(b"", &[1]), [Err(Unresolved::NoSymbols)]);
        assert_eq!(names(b"ffffffff81000000 T _text", &[1]), [Err(Unresolved::NoSymbols)]);
    }
}
