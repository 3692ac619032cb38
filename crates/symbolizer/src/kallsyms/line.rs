//! Turns a line of `/proc/kallsyms` into a symbol.

use oprof_profile::VirtualAddress;

use super::Role;

/// A line of `/proc/kallsyms`.
pub(super) struct Line<'text> {
    pub(super) address: VirtualAddress,
    /// The letter that nm(1) gives the symbol; upper case is global.
    pub(super) kind: u8,
    pub(super) name: &'text [u8],
    pub(super) module: Option<&'text [u8]>,
}

impl<'text> Line<'text> {
    pub(super) fn parse(line: &'text [u8]) -> Option<Line<'text>> {
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
    pub(super) fn role(&self) -> Option<Role> {
        match self.kind {
            _ if is_mapping_symbol(self.name) => None,
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

/// Whether a symbol tells code from data for a disassembler, or is a label of the assembler's. The kernel shows those of
/// its modules, and takes no notice of them itself (`is_mapping_symbol` in include/linux/module_symbol.h).
fn is_mapping_symbol(name: &[u8]) -> bool {
    [&b"$"[..], b".L", b"L0"].iter().any(|start| name.starts_with(start))
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
