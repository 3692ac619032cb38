//! Reasons: why code has no name, in the words of a reader.

use oprof_profile::{ImageKind, ImageNames, NameSource, Unresolved};

/// Why code has no name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// The image was stripped: names that it once had are elsewhere.
    Stripped,
    /// A compiler at run time made the code, and left no map of it.
    Jit,
    /// The kernel hides its symbols.
    KernelHidden,
    /// The image has its names, and none for this code.
    NoSymbolThere,
    /// No known mapping holds the address.
    NoMapping,
    /// The file was gone before it could be opened.
    Deleted,
    /// The limit of open files left no room for it, and then it was gone.
    NotHeldOpen,
    /// Another file had its name.
    Mismatch,
    /// It is no readable ELF image.
    Unreadable,
    /// It ran in a virtual machine.
    Guest,
    /// The recording does not hold the answer.
    NotRecorded,
}

impl Reason {
    /// What stands for the reason in a line or a column.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Reason::Stripped => "stripped",
            Reason::Jit => "JIT code without a map",
            Reason::KernelHidden => "kernel symbols hidden",
            Reason::NoSymbolThere => "no symbol there",
            Reason::NoMapping => "no mapping known",
            Reason::Deleted => "deleted",
            Reason::NotHeldOpen => "not held open",
            Reason::Mismatch => "build id mismatch",
            Reason::Unreadable => "not readable",
            Reason::Guest => "in a virtual machine",
            Reason::NotRecorded => "names missing",
        }
    }

    /// Why code of an image has no symbol, where a lookup gave `unresolved`; `complete` says that the image was seen to
    /// have all its names ([`has_all_names`]).
    pub(crate) fn of(unresolved: Unresolved, kind: ImageKind, complete: bool) -> Reason {
        match (unresolved, kind) {
            (_, ImageKind::Guest) => Reason::Guest,
            (Unresolved::NoSymbols, _) => Reason::Stripped,
            (Unresolved::NoSymbolAtOffset, ImageKind::File) if !complete => Reason::Stripped,
            (Unresolved::Anonymous, _) => Reason::Jit,
            (Unresolved::KernelRestricted, _) => Reason::KernelHidden,
            (Unresolved::NoMapping, _) => Reason::NoMapping,
            (Unresolved::Deleted, _) => Reason::Deleted,
            (Unresolved::TooManyOpenFiles, _) => Reason::NotHeldOpen,
            (Unresolved::BuildIdMismatch, _) => Reason::Mismatch,
            (Unresolved::Unreadable, _) => Reason::Unreadable,
            (Unresolved::NamesMissing, _) => Reason::NotRecorded,
            _ => Reason::NoSymbolThere,
        }
    }
}

/// Whether an image has all the names that it was built with, as far as its sampled code tells: a name that only the
/// dynamic linker's table or less had is the sign of a stripped one.
pub(crate) fn has_all_names(names: &ImageNames) -> bool {
    let any = |sources: &[NameSource]| names.symbols.iter().any(|symbol| sources.contains(&symbol.source));
    let whole = [NameSource::SymbolTable, NameSource::DebugFile, NameSource::GoFunctions];
    let partial = [NameSource::DynamicSymbols, NameSource::MiniDebugInfo, NameSource::UnwindTable];
    any(&whole) || !any(&partial)
}

#[cfg(test)]
mod tests {
    use oprof_profile::{ImageAddress, Symbol};

    use super::*;

    #[test]
    fn every_answer_has_its_reason() {
        let file = ImageKind::File;
        for (unresolved, kind, complete, reason) in [
            (Unresolved::NoSymbols, file, true, Reason::Stripped),
            (Unresolved::NoSymbols, ImageKind::Guest, true, Reason::Guest),
            (Unresolved::NoSymbolAtOffset, file, true, Reason::NoSymbolThere),
            (Unresolved::NoSymbolAtOffset, file, false, Reason::Stripped),
            (Unresolved::NoSymbolAtOffset, ImageKind::Kernel, false, Reason::NoSymbolThere),
            (Unresolved::Anonymous, ImageKind::Anonymous, true, Reason::Jit),
            (Unresolved::KernelRestricted, ImageKind::Kernel, true, Reason::KernelHidden),
            (Unresolved::NoMapping, ImageKind::Unknown, true, Reason::NoMapping),
            (Unresolved::Deleted, file, true, Reason::Deleted),
            (Unresolved::TooManyOpenFiles, file, true, Reason::NotHeldOpen),
            (Unresolved::BuildIdMismatch, file, true, Reason::Mismatch),
            (Unresolved::Unreadable, file, true, Reason::Unreadable),
            (Unresolved::NamesMissing, file, true, Reason::NotRecorded),
        ] {
            assert_eq!(Reason::of(unresolved, kind, complete), reason, "{unresolved:?} of {kind:?}");
        }
    }

    #[test]
    fn what_told_the_names_says_whether_an_image_is_stripped() {
        let names = |sources: &[NameSource]| ImageNames {
            symbols: sources
                .iter()
                .map(|source| Symbol {
                    name: "f".to_owned(),
                    mangled: None,
                    address: ImageAddress(0),
                    size: 1,
                    source: *source,
                    line: None,
                })
                .collect(),
            ..ImageNames::default()
        };
        use NameSource::*;
        for (sources, complete) in [
            (&[][..], true),
            (&[SymbolTable, UnwindTable], true),
            (&[DebugFile], true),
            (&[DynamicSymbols], false),
            (&[UnwindTable, Plt], false),
            (&[MiniDebugInfo], false),
            (&[Plt], true),
            (&[GoFunctions, UnwindTable], true),
        ] {
            assert_eq!(has_all_names(&names(sources)), complete, "{sources:?}");
        }
    }
}
