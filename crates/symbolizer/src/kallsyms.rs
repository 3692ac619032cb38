//! Turns `/proc/kallsyms` into the kernel's symbols.

mod line;
mod places;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use oprof_profile::{
    ImageAddress, ImageNames, ImageOffset, NameSource, SymbolId, Unresolved, VirtualAddress,
};

use line::Line;
use places::Places;

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
    /// Where the kernel's code begins: `_text`, `_stext`.
    marks: Vec<(&'static str, VirtualAddress)>,
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
        let mut places = Places::default();
        for line in text.split(|&byte| byte == b'\n').filter_map(Line::parse) {
            let Some(role) = line.role() else { continue };
            any_text |= role != Role::End;
            if line.address.0 != 0 {
                places.note(&line);
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
        if let Some(freed) = places.init_memory() {
            symbols.leave_out(freed);
        }
        symbols.marks = places.marks;
        symbols
    }

    /// Forgets the symbols outside of the kernel proper that start where `is_known` says: others know them, and when
    /// they were there. What stood there at another time has no name then.
    pub fn forget(&mut self, is_known: impl Fn(VirtualAddress) -> bool) {
        for entry in self.entries.iter_mut().filter(|entry| entry.module != 0) {
            if is_known(entry.address) {
                (entry.role, entry.name_length) = (Role::End, 0);
            }
        }
    }

    /// Forgets the kernel's own symbols between two addresses. What modules and BPF programs have there stays.
    fn leave_out(&mut self, freed: Range<VirtualAddress>) {
        let (from, to) = (freed.start, freed.end);
        self.entries.retain(|entry| entry.module != 0 || !freed.contains(&entry.address));
        let at = self.entries.partition_point(|entry| entry.address < from);
        if self.entries.get(at).is_none_or(|entry| entry.address > from) {
            self.entries
                .insert(at, Entry { address: from, name: 0, name_length: 0, module: 0, role: Role::End });
        }
        // The last symbol of a module there ends with the memory at the latest.
        let at = self.entries.partition_point(|entry| entry.address < to);
        if self.entries.get(at).is_some_and(|entry| entry.address > to) {
            self.entries
                .insert(at, Entry { address: to, name: 0, name_length: 0, module: 0, role: Role::End });
        }
    }

    /// Symbols that tell how far the kernel's code was moved from where its file has it. None where that is hidden.
    pub(crate) fn marks(&self) -> &[(&'static str, VirtualAddress)] {
        &self.marks
    }

    /// The symbols of a module, `[ext4]`, by address.
    pub(crate) fn of_module<'a>(
        &'a self,
        module: &'a str,
    ) -> impl Iterator<Item = (&'a [u8], VirtualAddress)> {
        let is_of_module =
            move |entry: &&Entry| entry.role < Role::Marker && self.module_name(entry.module) == Some(module);
        self.entries.iter().filter(is_of_module).map(|entry| (entry.name(&self.names), entry.address))
    }

    fn module_name(&self, module: u32) -> Option<&str> {
        module.checked_sub(1).map(|module| self.modules[module as usize].as_str())
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
            module: self.module_name(entry.module),
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

#[cfg(test)]
mod tests;
