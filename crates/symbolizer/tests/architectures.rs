//! Images of other processors, read on this one.

mod built;

use std::path::Path;

use built::compare::compare;
use built::{build, has, names_of, skipped, sources, symbol_at};
use oprof_profile::NameSource;

/// Compilers for other processors as distributions call them.
const COMPILERS: [(&str, &[&str]); 5] = [
    ("aarch64-linux-gnu-gcc", &[]),
    ("aarch64-linux-gnu-gcc", &["-mbranch-protection=standard", "-Wl,-z,force-bti"]),
    ("riscv64-linux-gnu-gcc", &[]),
    ("i686-linux-gnu-gcc", &["-no-pie"]),
    ("i686-linux-gnu-gcc", &["-fPIE", "-pie"]),
];

#[test]
fn programs_of_other_processors_agree_with_their_binutils() {
    let folder = sources();
    for (number, (compiler, flags)) in COMPILERS.into_iter().enumerate() {
        let name = |what: &str| format!("{what}{number}");
        let flags = [&["-O1"], flags].concat();
        let Some(image) = build(folder.path(), compiler, "other.c", &name("whole"), &flags) else { continue };
        let names = names_of(&image);
        for function in ["main", "twice", "square"] {
            assert!(has(&names, function), "{compiler} {flags:?}: no {function}");
        }
        let Some(compared) = compare(&image) else {
            skipped(&format!("no objdump for what {compiler} makes"));
            continue;
        };
        assert!(compared.symbols > 5 && compared.stubs > 2, "{compiler} {flags:?}: {compared:?}");
        stripped(folder.path(), compiler, &name("stripped"), &flags);
    }
}

/// What is left of a stripped program: stubs, and functions without a name.
fn stripped(folder: &Path, compiler: &str, name: &str, flags: &[&str]) {
    let flags = [flags, &["-s"]].concat();
    let Some(image) = build(folder, compiler, "other.c", name, &flags) else { return };
    let compared = compare(&image).expect("binutils, which compared the whole program");
    assert!(
        compared.frames > 1 && compared.stubs > 2 && compared.stubs_unknown_to_objdump == 0,
        "{compiler} {flags:?}: {compared:?}"
    );
    let names = names_of(&image);
    assert!(has(&names, "puts@plt") && has(&names, ".plt"), "{compiler} {flags:?}: {:?}", names.symbols);
    let stub = names.symbols.iter().find(|symbol| symbol.name == "puts@plt").unwrap();
    assert_eq!(stub.source, NameSource::Plt);
    assert!(symbol_at(&names, 0).is_none(), "the file's header is no code");
}
