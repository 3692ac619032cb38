//! Turns `/proc/kallsyms` into the kernel's symbols.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, Read};

use oprof_profile::{
    ImageAddress, ImageNames, ImageOffset, NameSource, SymbolId, Unresolved, VirtualAddress,
};

use crate::alias::leading_underscores;
use crate::resolve::symbol;

/// The bytes of `/proc/kallsyms` that are read. A kernel with all its modules has about 20 MB of them.
const LARGEST_KALLSYMS: u64 = 256 << 20;

/// The symbols of the kernel, of its modules and of what it generated (`[bpf]`, `[__builtin__ftrace]`).
#[derive(Clone, Debug, Default)]
pub struct KernelSymbols {
    /// By address, one for each.
    entries: Vec<Entry>,
    /// The names of the entries, one behind the other, as the file spells them.
    names: Vec<u8>,
    /// The names of the modules with their brackets.
    modules: Vec<String>,
    /// Whether the file had text symbols and hid all their addresses.
    restricted: bool,
}

/// A symbol, or the end of one.
#[derive(Clone, Copy, Debug)]
struct Entry {
    address: VirtualAddress,
    /// Where its name starts in [`KernelSymbols::names`].
    name: u32,
    /// The length of its name in bytes.
    name_length: u32,
    /// Its index in [`KernelSymbols::modules`] plus 1; 0 for the kernel proper.
    module: u32,
    role: Role,
}

/// What an entry is, the one that is preferred at the same address first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Global,
    Weak,
    Local,
    Marker,
    /// Not code: it only ends what stands before it.
    End,
}

/// A function of the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelSymbol<'symbols> {
    /// The name as the kernel tells it, not demangled.
    pub name: Cow<'symbols, str>,
    /// Where it starts.
    pub address: VirtualAddress,
    /// Its length in bytes: the distance to the next symbol, as the kernel tells no sizes.
    pub size: u64,
    /// The module with its brackets (`[ext4]`, `[bpf]`); `None` for the kernel proper.
    pub module: Option<&'symbols str>,
}

impl KernelSymbols {
    /// The symbols of the running kernel.
    ///
    /// # Errors
    ///
    /// The error of opening or reading `/proc/kallsyms`. Addresses that the kernel hides (kernel.kptr_restrict) are
    /// no error: every lookup then answers [`Unresolved::KernelRestricted`].
    pub fn read() -> io::Result<KernelSymbols> {
        let mut text = Vec::new();
        File::open("/proc/kallsyms")?.take(LARGEST_KALLSYMS).read_to_end(&mut text)?;
        Ok(KernelSymbols::parse(&text))
    }

    /// The symbols in the text of `/proc/kallsyms` (proc_kallsyms(5)): lines of address, type, name and module.
    /// Lines of another shape are skipped.
    pub fn parse(text: &[u8]) -> KernelSymbols {
        let mut symbols = KernelSymbols::default();
        let mut any_text = false;
        for line in text.split(|&byte| byte == b'\n').filter_map(Line::parse) {
            let Some(role) = line.role() else { continue };
            any_text |= role != Role::End;
            if line.address.0 != 0 {
                symbols.push(&line, role);
            }
        }
        symbols.restricted = any_text && symbols.entries.is_empty();
        let names = &symbols.names;
        // Stable, because that is the faster one for lines that are nearly in order.
        symbols.entries.sort_by(|left, right| {
            let key = |entry: &Entry| (entry.address, entry.role, Reverse(entry.module));
            key(left).cmp(&key(right)).then_with(|| {
                let key = |entry: &Entry| {
                    let name = entry.name(names);
                    (leading_underscores(name), name.len())
                };
                key(left).cmp(&key(right)).then_with(|| left.name(names).cmp(right.name(names)))
            })
        });
        symbols.entries.dedup_by_key(|entry| entry.address);
        symbols
    }

    fn push(&mut self, line: &Line<'_>, role: Role) {
        // An end needs no name. A file whose names pass 4 GB does not exist: what is read is bounded below that.
        let name = if role == Role::End { &[][..] } else { line.name };
        let (Ok(start), Ok(name_length)) = (u32::try_from(self.names.len()), u32::try_from(name.len()))
        else {
            return;
        };
        self.names.extend_from_slice(name);
        let module = line.module.map_or(0, |module| self.module(module));
        self.entries.push(Entry { address: line.address, name: start, name_length, module, role });
    }

    /// The number of a module. Its symbols follow one another, so a look at the last one nearly always does.
    fn module(&mut self, name: &[u8]) -> u32 {
        if self.modules.last().is_none_or(|last| last.as_bytes() != name) {
            self.modules.push(String::from_utf8_lossy(name).into_owned());
        }
        self.modules.len() as u32
    }

    /// The function that holds an address of the kernel.
    ///
    /// # Errors
    ///
    /// [`Unresolved::KernelRestricted`] where the kernel hides its addresses, [`Unresolved::NoSymbols`] where there
    /// were no symbols, [`Unresolved::NoSymbolAtOffset`] where none holds this address.
    pub fn lookup(&self, address: VirtualAddress) -> Result<KernelSymbol<'_>, Unresolved> {
        if self.entries.is_empty() {
            return Err(if self.restricted { Unresolved::KernelRestricted } else { Unresolved::NoSymbols });
        }
        let next = self.entries.partition_point(|entry| entry.address <= address);
        let entry = next.checked_sub(1).map(|index| self.entries[index]);
        let entry = entry.filter(|entry| entry.role != Role::End).ok_or(Unresolved::NoSymbolAtOffset)?;
        // Nothing stands behind the last symbol, so how far it reaches is not known: its own first byte is all.
        let end = self.entries.get(next).map_or(entry.address.0.saturating_add(1), |next| next.address.0);
        if address.0 >= end {
            return Err(Unresolved::NoSymbolAtOffset);
        }
        Ok(KernelSymbol {
            name: String::from_utf8_lossy(entry.name(&self.names)),
            address: entry.address,
            size: end - entry.address.0,
            module: entry.module.checked_sub(1).map(|module| self.modules[module as usize].as_str()),
        })
    }

    /// The names of `offsets`, which for the kernel and its modules are virtual addresses. Names of functions
    /// written in Rust are demangled.
    pub fn resolve(&self, offsets: &[ImageOffset]) -> ImageNames {
        let mut names = ImageNames::unresolved(offsets.iter().copied(), Unresolved::NoSymbolAtOffset);
        let mut last = None;
        for (offset, name) in &mut names.offsets {
            *name = self.lookup(VirtualAddress(offset.0)).map(|found| {
                let address = ImageAddress(found.address.0);
                if last != Some(address) {
                    names.symbols.push(symbol(
                        found.name.as_bytes(),
                        address,
                        found.size,
                        NameSource::Kallsyms,
                    ));
                    last = Some(address);
                }
                SymbolId((names.symbols.len() - 1) as u32)
            });
        }
        names
    }
}

impl Entry {
    fn name<'names>(&self, names: &'names [u8]) -> &'names [u8] {
        names
            .get(self.name as usize..)
            .and_then(|name| name.get(..self.name_length as usize))
            .unwrap_or_default()
    }
}

/// A line of `/proc/kallsyms`.
struct Line<'text> {
    address: VirtualAddress,
    /// The letter that nm(1) gives the symbol; upper case is global.
    kind: u8,
    name: &'text [u8],
    module: Option<&'text [u8]>,
}

impl<'text> Line<'text> {
    fn parse(line: &'text [u8]) -> Option<Line<'text>> {
        let digits = line.iter().position(|&byte| byte == b' ').filter(|digits| (1..=16).contains(digits))?;
        let mut address = 0;
        for &digit in &line[..digits] {
            address = address << 4 | u64::from(char::from(digit).to_digit(16)?);
        }
        let [b' ', kind, b' ', rest @ ..] = &line[digits..] else { return None };
        let mut words = rest.splitn(2, |&byte| byte == b'\t');
        let name = words.next().unwrap_or_default();
        let module = words.next().filter(|module| module.starts_with(b"["));
        (!name.is_empty()).then_some(Line { address: VirtualAddress(address), kind: *kind, name, module })
    }

    /// What the symbol is for a lookup; `None` where it says nothing about code.
    fn role(&self) -> Option<Role> {
        match self.kind {
            b'T' | b't' | b'W' | b'w' => marker(self.name).or(match self.kind {
                b'T' => Some(Role::Global),
                b't' => Some(Role::Local),
                _ => Some(Role::Weak),
            }),
            // Data ends the code before it, as the last function of a module. Absolute symbols (`A`) are offsets
            // of per-CPU variables, not addresses.
            b'D' | b'd' | b'B' | b'b' | b'R' | b'r' => Some(Role::End),
            _ => None,
        }
    }
}

/// What a name is that marks a place in the kernel's memory map (its linker script, `asm-generic/sections.h`) and no
/// function. A mark at the start of code gives way to any function at the same address; no code follows one at an
/// end.
fn marker(name: &[u8]) -> Option<Role> {
    match name {
        b"_text" | b"_stext" | b"_sinittext" | b"_sexittext" | b"__init_begin" => Some(Role::Marker),
        b"_etext" | b"_einittext" | b"_eexittext" | b"__init_end" | b"_end" => Some(Role::End),
        _ if name.ends_with(b"_text_start") => Some(Role::Marker),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T srso_alias_untrain_ret
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff81000100 t __do_sys_read
ffffffff81000100 T __x64_sys_read
ffffffff81000100 W sys_read
ffffffff81000200 t local
ffffffff81000300 T _etext
ffffffff82000000 D data
ffffffff83000000 B __init_begin
ffffffff83000000 T _sinittext
ffffffff83000000 t init_setup
ffffffff83000040 T _einittext
ffffffffc0000000 t cleanup\t[ext4]
ffffffffc0000080 t init\t[ext4]
ffffffffc0000100 d table\t[ext4]
ffffffffc0002000 t bpf_prog_6deef7357e7b4530\t[bpf]
";

    fn found(symbols: &KernelSymbols, address: u64) -> Result<(String, u64, Option<&str>), Unresolved> {
        symbols
            .lookup(VirtualAddress(address))
            .map(|symbol| (symbol.name.into_owned(), symbol.size, symbol.module))
    }

    #[test]
    fn symbols_end_where_the_next_one_starts_and_at_known_ends() {
        let symbols = KernelSymbols::parse(TEXT);
        let none = Err(Unresolved::NoSymbolAtOffset);
        let expected = [
            (0xffffffff80ffffff, none.clone()),
            (0xffffffff81000000, Ok(("srso_alias_untrain_ret".into(), 0x100, None))),
            (0xffffffff810001ff, Ok(("__x64_sys_read".into(), 0x100, None))),
            (0xffffffff810002ff, Ok(("local".into(), 0x100, None))),
            (0xffffffff81000300, none.clone()),
            (0xffffffff82000000, none.clone()),
            (0xffffffff8300003f, Ok(("init_setup".into(), 0x40, None))),
            (0xffffffff83000040, none.clone()),
            (0xffffffffc000007f, Ok(("cleanup".into(), 0x80, Some("[ext4]")))),
            (0xffffffffc0000080, Ok(("init".into(), 0x80, Some("[ext4]")))),
            (0xffffffffc0000100, none.clone()),
            (0xffffffffc0002000, Ok(("bpf_prog_6deef7357e7b4530".into(), 1, Some("[bpf]")))),
            (0xffffffffc0002001, none.clone()),
        ];
        for (address, expected) in expected {
            assert_eq!(found(&symbols, address), expected, "{address:x}");
        }
    }

    #[test]
    fn the_order_of_the_lines_does_not_matter() {
        let mut lines: Vec<&[u8]> = TEXT.split_inclusive(|&byte| byte == b'\n').collect();
        lines.reverse();
        let (forward, backward) = (KernelSymbols::parse(TEXT), KernelSymbols::parse(&lines.concat()));
        for address in (0xffffffff80ffff00..0xffffffff81000400).step_by(0x10) {
            assert_eq!(found(&forward, address), found(&backward, address), "{address:x}");
        }
    }

    #[test]
    fn hidden_addresses_and_missing_symbols_say_so() {
        let hidden = KernelSymbols::parse(b"0000000000000000 T _stext\n0000000000000000 t foo\t[ext4]\n");
        assert_eq!(found(&hidden, 0xffffffff81000000), Err(Unresolved::KernelRestricted));
        assert_eq!(found(&KernelSymbols::parse(b""), 0), Err(Unresolved::NoSymbols));
        let names = hidden.resolve(&[ImageOffset(1)]);
        assert_eq!(names.lookup(ImageOffset(1)), Err(Unresolved::KernelRestricted));
    }

    #[test]
    fn lines_of_another_shape_are_skipped() {
        let text = b"\n \nx\n12\n12 \n12 T\n12 T \nzz T a\n11111111111111111 T b\n T c\n10 T good\xff\tmodule\n20 d x";
        assert_eq!(found(&KernelSymbols::parse(text), 0x11), Ok(("good\u{fffd}".into(), 0x10, None)));
        assert_eq!(KernelSymbols::parse(text).entries.len(), 2);
    }

    #[test]
    fn offsets_get_one_symbol_for_each_function() {
        let names = KernelSymbols::parse(TEXT).resolve(&[
            ImageOffset(0xffffffff81000210),
            ImageOffset(0xffffffff81000000),
            ImageOffset(0xffffffff81000004),
            ImageOffset(0xffffffff82000000),
        ]);
        let symbols: Vec<&str> = names.symbols.iter().map(|symbol| symbol.name.as_str()).collect();
        assert_eq!(symbols, ["srso_alias_untrain_ret", "local"]);
        let answers: Vec<_> = names.offsets.iter().map(|entry| entry.1).collect();
        assert_eq!(
            answers,
            [Ok(SymbolId(0)), Ok(SymbolId(0)), Ok(SymbolId(1)), Err(Unresolved::NoSymbolAtOffset)]
        );
    }
}
