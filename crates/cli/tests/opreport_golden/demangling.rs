//! Names are demangled as OProfile demangles them: every one of its table, in both styles.

use std::fs;

use oprof_profile::{ImageAddress, NameSource, NameStyle, Symbol};

use super::oprofile;

#[test]
fn names_are_demangled_as_oprofile_demangles_them() {
    let Some(folder) = oprofile() else { return };
    let table = fs::read_to_string(folder.join("demangle.txt")).expect("a table");
    let rows = table.lines().filter(|line| !line.starts_with('#'));
    let mut compared = 0;
    for row in rows {
        let [mangled, normal, smart] = row.split('|').collect::<Vec<_>>()[..] else { panic!("three: {row}") };
        let demangled = oprof_symbolizer::demangle(mangled);
        let symbol = Symbol {
            mangled: demangled.is_some().then(|| mangled.to_owned()),
            name: demangled.unwrap_or_else(|| mangled.to_owned()),
            address: ImageAddress(0),
            size: 0,
            source: NameSource::SymbolTable,
            line: None,
        };
        assert_eq!(NameStyle::Full.name(&symbol), normal, "of {mangled}");
        assert_eq!(NameStyle::Smart.name(&symbol), smart, "of {mangled}");
        compared += 1;
    }
    assert!(compared > 400, "{compared} names");
}
