//! Places in the kernel's memory map.

use std::ops::Range;

use oprof_profile::VirtualAddress;

use super::line::Line;

/// Places in the kernel's memory map that its linker script marks (`asm-generic/sections.h`).
#[derive(Debug, Default)]
pub(super) struct Places {
    /// `_text`, `_stext`.
    pub(super) marks: Vec<(&'static str, VirtualAddress)>,
    /// `__init_begin`, `_sinittext`: the lower one.
    init_begin: Option<VirtualAddress>,
    /// `__init_end`, `_einittext`: the higher one.
    init_end: Option<VirtualAddress>,
}

impl Places {
    pub(super) fn note(&mut self, line: &Line<'_>) {
        if line.module.is_some() {
            return;
        }
        let address = line.address;
        match line.name {
            b"_text" => self.marks.push(("_text", address)),
            b"_stext" => self.marks.push(("_stext", address)),
            b"__init_begin" | b"_sinittext" => {
                self.init_begin = Some(self.init_begin.map_or(address, |begin| begin.min(address)));
            }
            b"__init_end" | b"_einittext" => self.init_end = self.init_end.max(Some(address)),
            _ => {}
        }
    }

    /// The memory of what only starts the kernel. It is free again before the first process runs (`free_initmem` in
    /// init/main.c), so that no sample is of that code; what is put there later has other names. Between its ends lie
    /// the functions of built-in drivers' exits, too, which are never used. A kernel without CONFIG_KALLSYMS_ALL tells
    /// the end of its code alone (`_einittext`), but has no symbols behind it.
    pub(super) fn init_memory(&self) -> Option<Range<VirtualAddress>> {
        let (begin, end) = (self.init_begin?, self.init_end?);
        (begin < end).then_some(begin..end)
    }
}
