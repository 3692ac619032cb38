//! Where in an image's file the code of a name is: for probes, which the kernel places by file and offset.

use std::fs::File;

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64, SHT_DYNSYM, SHT_SYMTAB};
use object::read::{FileKind, ReadRef};
use oprof_profile::{ImageAddress, ImageOffset, NameSource, Unresolved};

use crate::budget::Budget;
use crate::code_symbol::{CodeTable, ElfSymbols};
use crate::demangle::demangle;
use crate::elf::{Class, Elf};
use crate::file_bytes::FileBytes;

/// Names that are kept to tell those close to one that is not there.
const MOST_NAMES: usize = 1 << 16;

/// What an image knows of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// Where its code is, ascending and distinct; several functions can have one name.
    At(Vec<ImageOffset>),
    /// There is no code of this name; the names of functions that there are, as far as they were kept.
    Unknown(Vec<String>),
}

/// The places of a function in an ELF file, by its name as the tables have it or as it was written in the source,
/// without its parameters.
///
/// # Errors
///
/// [`Unresolved::Unreadable`] for what is not an ELF file or is damaged.
pub fn places_of(file: &File, name: &str) -> Result<Places, Unresolved> {
    let budget = Budget::of_names();
    let data = &FileBytes::new(file, &budget);
    match FileKind::parse(data) {
        Ok(FileKind::Elf32) => places(&Elf::<FileHeader32<Endianness>, _>::parse(data)?, name),
        Ok(FileKind::Elf64) => places(&Elf::<FileHeader64<Endianness>, _>::parse(data)?, name),
        _ => Err(Unresolved::Unreadable),
    }
}

fn places<'data, H: Class, R: ReadRef<'data>>(
    elf: &Elf<'data, H, R>,
    wanted: &str,
) -> Result<Places, Unresolved> {
    let mut names = Vec::new();
    for (section, source) in [(SHT_SYMTAB, NameSource::SymbolTable), (SHT_DYNSYM, NameSource::DynamicSymbols)]
    {
        let table = ElfSymbols::new(elf, section, source)?;
        let (mut exact, mut written): (Vec<ImageAddress>, Vec<ImageAddress>) = (Vec::new(), Vec::new());
        table.visit(&mut |symbol| {
            // What is defined elsewhere stands at 0.
            if symbol.start.0 == 0 {
                return;
            }
            let Some(name) = table.name(symbol.index).map(String::from_utf8_lossy) else { return };
            // Versions of dynamic symbols stand behind the name in some tables.
            let name = name.split('@').next().unwrap_or_default();
            if name == wanted {
                exact.push(symbol.start);
                return;
            }
            let plain = demangle(name).map_or(name.to_owned(), |name| without_parameters(&name).to_owned());
            if plain == wanted {
                written.push(symbol.start);
            } else if symbol.is_function && names.len() < MOST_NAMES {
                names.push(plain);
            }
        });
        let found = if exact.is_empty() { written } else { exact };
        let offset = |address: ImageAddress| Some(ImageOffset(elf.file_range_from(address)?.0));
        let mut offsets: Vec<ImageOffset> = found.into_iter().filter_map(offset).collect();
        offsets.sort_unstable();
        offsets.dedup();
        if !offsets.is_empty() {
            return Ok(Places::At(offsets));
        }
    }
    Ok(Places::Unknown(names))
}

/// `a::b` of `a::b(int)`.
fn without_parameters(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_has_its_own_functions() {
        let own = File::open("/proc/self/exe").expect("it runs");
        let Ok(Places::At(main)) = places_of(&own, "main") else { panic!("main is exported or in .symtab") };
        assert!(main.len() == 1 && main[0].0 > 0, "{main:?}");
        let Ok(Places::Unknown(names)) = places_of(&own, "no_such_function_here") else {
            panic!("it is not there")
        };
        assert!(names.iter().any(|name| name.contains("symbol_offset")), "{} names", names.len());
        let written = "oprof_symbolizer::symbol_offset::without_parameters";
        assert!(matches!(places_of(&own, written), Ok(Places::At(places)) if !places.is_empty()));
    }

    #[test]
    fn what_is_no_image_is_told() {
        let text = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).expect("it is there");
        assert_eq!(places_of(&text, "main"), Err(Unresolved::Unreadable));
    }
}
