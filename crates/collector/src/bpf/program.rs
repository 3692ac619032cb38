//! Turns what the kernel tells of a BPF program into the names and places of its functions.

use std::io;
use std::os::fd::OwnedFd;

use oprof_profile::{Ksymbol, KsymbolType, VirtualAddress};

use super::btf::Btf;
use super::call::{self, FunctionArrays, bpf_prog_info};

/// A loaded program.
#[derive(Debug)]
pub(super) struct Program {
    info: bpf_prog_info,
    functions: FunctionArrays,
}

impl Program {
    pub(super) fn of(program: &OwnedFd) -> io::Result<Program> {
        let info = call::program_info(program)?;
        let functions = call::functions(program, &info)?;
        Ok(Program { info, functions })
    }

    /// The number of the types that its functions have; 0 for none.
    pub(super) fn btf_id(&self) -> u32 {
        if self.functions.infos.is_empty() { 0 } else { self.info.btf_id }
    }

    /// Its functions. There are none where the program is interpreted, or where addresses are hidden.
    pub(super) fn symbols(&self, btf: Option<&Btf>) -> Vec<Ksymbol> {
        let functions = self.functions.addresses.iter().zip(&self.functions.lengths).enumerate();
        let shown = functions.filter(|(_, (address, length))| **address != 0 && **length != 0);
        let symbol = |(index, (address, length)): (usize, (&u64, &u32))| Ksymbol {
            start: VirtualAddress(*address),
            length: *length,
            kind: KsymbolType::Bpf,
            name: self.name(index, btf),
        };
        shown.map(symbol).collect()
    }

    /// The name that the kernel gives to a function of the program in `/proc/kallsyms` (`bpf_get_prog_name` in
    /// kernel/bpf/core.c): the tag, and the name by its type, else the program's own, which a part of it has not.
    fn name(&self, index: usize, btf: Option<&Btf>) -> String {
        let tag = match index {
            // Its first function goes by the program's tag, not by the one that it would have alone.
            0 => &self.info.tag,
            _ => self.functions.tags.get(index).unwrap_or(&self.info.tag),
        };
        let mut name = String::from("bpf_prog_");
        tag.iter().for_each(|byte| name.push_str(&format!("{byte:02x}")));
        let typed = self.type_of(index).and_then(|id| btf?.name(id));
        let own = match (typed, index) {
            (Some(typed), _) => typed,
            (None, 0) => self.info.name.split(|&byte| byte == 0).next().unwrap_or_default(),
            (None, _) => b"F",
        };
        if !own.is_empty() {
            name.push('_');
            name.push_str(&String::from_utf8_lossy(own));
        }
        name
    }

    /// The type of a function: `type_id` of its `struct bpf_func_info`, behind `insn_off`.
    fn type_of(&self, index: usize) -> Option<u32> {
        let size = self.info.func_info_rec_size.min(256) as usize;
        let record = self.functions.infos.get(index.checked_mul(size)?..)?.get(..size)?;
        Some(u32::from_ne_bytes(*record.get(4..)?.first_chunk()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(name: &[u8], functions: FunctionArrays) -> Program {
        let mut info =
            bpf_prog_info { tag: [0xab; 8], func_info_rec_size: 8, btf_id: 3, ..Default::default() };
        info.name[..name.len()].copy_from_slice(name);
        Program { info, functions }
    }

    fn names(program: &Program, btf: Option<&Btf>) -> Vec<(u64, u32, String)> {
        let symbols = program.symbols(btf).into_iter();
        symbols.map(|symbol| (symbol.start.0, symbol.length, symbol.name)).collect()
    }

    #[test]
    fn names_are_those_of_kallsyms() {
        let functions = FunctionArrays {
            addresses: vec![0x1000, 0x2000, 0],
            lengths: vec![16, 32, 64],
            tags: vec![[1; 8], [2; 8], [3; 8]],
            infos: Vec::new(),
        };
        let loaded = program(b"count", functions);
        assert_eq!(loaded.btf_id(), 0);
        assert_eq!(
            names(&loaded, None),
            [
                (0x1000, 16, "bpf_prog_abababababababab_count".to_owned()),
                (0x2000, 32, "bpf_prog_0202020202020202_F".to_owned())
            ]
        );
        let single = FunctionArrays { addresses: vec![0x1000], lengths: vec![16], ..Default::default() };
        let nameless = program(b"", single);
        assert_eq!(names(&nameless, None), [(0x1000, 16, "bpf_prog_abababababababab".to_owned())]);
    }

    #[test]
    fn a_type_names_a_function_in_full() {
        let btf =
            Btf::parse(super::super::btf::tests::of_functions(&["long_name_of_a_main_program", "part"]));
        let mut infos = Vec::new();
        for type_id in [1_u32, 2, 77] {
            infos.extend(0_u32.to_ne_bytes());
            infos.extend(type_id.to_ne_bytes());
        }
        let functions = FunctionArrays {
            addresses: vec![0x1000, 0x2000, 0x3000],
            lengths: vec![16; 3],
            tags: vec![[1; 8]; 3],
            infos,
        };
        let loaded = program(b"long_name_of_a_", functions);
        assert_eq!(loaded.btf_id(), 3);
        let names: Vec<String> = names(&loaded, btf.as_ref()).into_iter().map(|(_, _, name)| name).collect();
        let expected = ["long_name_of_a_main_program", "part", "F"];
        let tags = ["abababababababab", "0101010101010101", "0101010101010101"];
        assert_eq!(names, [0, 1, 2].map(|at| format!("bpf_prog_{}_{}", tags[at], expected[at])));
    }
}
