//! How names are shown: as in the symbol table, as in the source, or with what every reader knows left out.

mod simple;

use std::borrow::Cow;

use self::simple::Manner;
use crate::Symbol;

/// How to show a symbol's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameStyle {
    /// As it stands in the symbol table: `_ZN2ns1fERKSs`.
    None,
    /// Demangled, without what says little about a C++ name: `std::`, unnamed namespaces, and template arguments that
    /// have a default: `ns::f(string const&)`.
    Simple,
    /// The same as OProfile has it (`--demangle smart`): a little more is kept.
    Smart,
    /// Demangled in full.
    #[default]
    Full,
}

impl NameStyle {
    /// The style of this name: `none`, `simple` or `full`, and as OProfile calls them, `smart` and `normal`.
    pub fn parse(name: &str) -> Option<NameStyle> {
        match name {
            "none" => Some(NameStyle::None),
            "simple" => Some(NameStyle::Simple),
            "smart" => Some(NameStyle::Smart),
            "full" | "normal" => Some(NameStyle::Full),
            _ => None,
        }
    }

    /// The symbol's name in this style.
    pub fn name(self, symbol: &Symbol) -> Cow<'_, str> {
        match (self, &symbol.mangled) {
            (NameStyle::None, Some(mangled)) => Cow::Borrowed(mangled),
            // Only C++ names have what is left out, and only they are mangled otherwise than Rust's.
            (NameStyle::Simple, Some(mangled)) if !is_rust(mangled) => {
                simple::simple(&symbol.name, Manner::Ours)
            }
            (NameStyle::Smart, Some(mangled)) if !is_rust(mangled) => {
                simple::simple(&symbol.name, Manner::OfOprofile)
            }
            _ => Cow::Borrowed(&symbol.name),
        }
    }
}

/// Whether this is a mangled name of Rust: of the v0 scheme (`_R`), or of the older one, which looks like a C++ name
/// with a hash as its last part (`17h`, 16 digits, `E`).
fn is_rust(mangled: &str) -> bool {
    let is_hash =
        |tail: &str| tail.starts_with("17h") && tail[3..].bytes().all(|digit| digit.is_ascii_hexdigit());
    let part = mangled.split_once("E.").map_or(mangled, |(before, _)| &mangled[..before.len() + 1]);
    let tail = part.strip_suffix('E').and_then(|name| name.get(name.len().checked_sub(19)?..));
    mangled.starts_with("_R") || tail.is_some_and(is_hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ImageAddress, NameSource};

    fn symbol(name: &str, mangled: Option<&str>) -> Symbol {
        Symbol {
            name: name.into(),
            mangled: mangled.map(str::to_string),
            address: ImageAddress(0),
            size: 1,
            source: NameSource::SymbolTable,
            line: None,
        }
    }

    #[test]
    fn each_style_shows_its_name() {
        let cpp = symbol("std::f(std::ostream&)", Some("_ZSt1fRSo"));
        assert_eq!(NameStyle::None.name(&cpp), "_ZSt1fRSo");
        assert_eq!(NameStyle::Simple.name(&cpp), "f(ostream&)");
        assert_eq!(NameStyle::Full.name(&cpp), "std::f(std::ostream&)");
        let c = symbol("std::odd", None);
        for style in [NameStyle::None, NameStyle::Simple, NameStyle::Full] {
            assert_eq!(style.name(&c), "std::odd");
        }
    }

    #[test]
    fn rust_names_keep_their_crate() {
        for mangled in [
            "_ZN3std2rt10lang_start17h0123456789abcdefE",
            "_ZN3std2rt10lang_start17h0123456789abcdefE.llvm.123",
            "_RNvNtCs1_3std2rt10lang_start",
        ] {
            let rust = symbol("std::rt::lang_start", Some(mangled));
            assert_eq!(NameStyle::Simple.name(&rust), "std::rt::lang_start", "{mangled}");
        }
        assert!(!is_rust("_ZN3std1fE") && !is_rust("E") && !is_rust("") && !is_rust("é17h0123456789abcdeE"));
    }

    #[test]
    fn styles_have_the_names_of_the_option() {
        assert_eq!(NameStyle::parse("none"), Some(NameStyle::None));
        assert_eq!(NameStyle::parse("smart"), Some(NameStyle::Smart));
        assert_eq!(NameStyle::parse("simple"), Some(NameStyle::Simple));
        assert_eq!(NameStyle::parse("normal"), Some(NameStyle::default()));
        assert_eq!(NameStyle::parse("Full"), None);
    }
}
