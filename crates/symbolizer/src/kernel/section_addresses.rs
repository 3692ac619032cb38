//! Finds out where the sections of a module were loaded.

use std::collections::HashMap;
use std::path::Path;

use object::elf;
use object::read::ReadRef;
use object::read::elf::Sym;
use oprof_profile::ImageAddress;

use super::module::Module;
use crate::elf::{Class, Elf};

/// What is known of something that several may tell.
#[derive(Clone, Copy)]
enum Told<T> {
    Once(T),
    /// Differently: it is not known.
    Differently,
}

/// The address of each section by its index, 0 for those that are not known, and the lowest one of code; `None` where no
/// section of code is known.
pub(super) fn section_addresses<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    module: &Module<'_>,
) -> Option<(Vec<u64>, ImageAddress)> {
    let mut by_symbols = None;
    let mut addresses = vec![0; elf.sections.len()];
    let mut code_start = None;
    for (index, section) in elf.sections.enumerate() {
        if !elf.is_code(section) {
            continue;
        }
        let name = elf.sections.section_name(elf.endian, section).unwrap_or_default();
        let address = stated(module, name).or_else(|| {
            let by_symbols = by_symbols.get_or_insert_with(|| by_symbols_of(elf, module));
            by_symbols.get(&index.0).copied()
        });
        if let Some(address) = address {
            addresses[index.0] = address;
            code_start = Some(code_start.map_or(address, |start: u64| start.min(address)));
        }
    }
    Some((addresses, ImageAddress(code_start?)))
}

/// What the kernel states of a section: `/sys/module/NAME/sections/.text`, which only root can read.
fn stated(module: &Module<'_>, section: &[u8]) -> Option<u64> {
    let section = str::from_utf8(section).ok().filter(|name| name.starts_with('.') && !name.contains('/'))?;
    if section == "." || section == ".." {
        return None;
    }
    let path = Path::new("sys/module").join(module.name).join("sections").join(section);
    let text = module.files.attribute(&path)?;
    let digits = str::from_utf8(&text).ok()?.trim().strip_prefix("0x")?;
    // Hidden addresses are 0.
    u64::from_str_radix(digits, 16).ok().filter(|address| *address != 0)
}

/// Where sections must be, by their indexes, for their symbols to be where `/proc/kallsyms` has them. A name that is
/// there or here twice tells nothing, and a section of which two symbols tell different things is not known.
fn by_symbols_of<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    module: &Module<'_>,
) -> HashMap<usize, u64> {
    let mut loaded: HashMap<&[u8], Told<u64>> = HashMap::new();
    for (name, address) in module.symbols.of_module(module.bracketed) {
        loaded.entry(name).and_modify(|told| *told = Told::Differently).or_insert(Told::Once(address.0));
    }
    let mut in_file: HashMap<&[u8], Told<(usize, u64)>> = HashMap::new();
    let table = elf.sections.symbols(elf.endian, elf.data, elf::SHT_SYMTAB).unwrap_or_default();
    for (index, symbol) in table.enumerate() {
        let Ok(Some(section)) = table.symbol_section(elf.endian, symbol, index) else { continue };
        let Ok(name) = table.symbol_name(elf.endian, symbol) else { continue };
        if loaded.contains_key(name) {
            let place = (section.0, symbol.st_value(elf.endian).into());
            in_file.entry(name).and_modify(|told| *told = Told::Differently).or_insert(Told::Once(place));
        }
    }
    let mut sections: HashMap<usize, Told<u64>> = HashMap::new();
    for (name, told) in in_file {
        let (Told::Once((section, value)), Some(Told::Once(address))) = (told, loaded.get(name)) else {
            continue;
        };
        let start = address.wrapping_sub(value);
        let told = sections.entry(section).or_insert(Told::Once(start));
        if !matches!(told, Told::Once(other) if *other == start) {
            *told = Told::Differently;
        }
    }
    let known = sections.into_iter().filter_map(|(section, told)| match told {
        Told::Once(start) => Some((section, start)),
        Told::Differently => None,
    });
    known.collect()
}
