//! Functions that compilers make of one in the source: its cold part, a copy for constant arguments.

/// The suffixes of names by which compilers tell them apart, each followed by a number, `.cold` also by none.
/// GCC: `.cold`, `.part`, `.isra`, `.constprop`, `.lto_priv`, `.localalias`; LLVM: `.cold`, `.llvm`, `.specialized`,
/// `.__part`. What else follows a dot (`._omp_fn.0`, `.avx2`) is a function in its own right.
const SUFFIXES: [&str; 9] =
    ["cold", "part", "isra", "constprop", "lto_priv", "localalias", "llvm", "specialized", "__part"];

/// Those that need no number.
const ALONE: [&str; 2] = ["cold", "localalias"];

/// The name of the function in the source, of the name of one of its clones, mangled or demangled; any other name is
/// its own.
///
/// `parse.isra.0.cold` and `parse` are `parse`, `ns::f(int) [clone .part.0]` is `ns::f(int)`.
pub fn clone_of(name: &str) -> &str {
    let mut base = name;
    loop {
        let shorter = match base.strip_suffix(']').and_then(|name| name.rsplit_once(" [clone .")) {
            // As demanglers write it; the whole of the bracket has to be known.
            Some((before, suffixes)) if is_suffixes(suffixes) => before,
            _ => match without_suffix(base) {
                Some(shorter) => shorter,
                None => return base,
            },
        };
        if shorter.is_empty() {
            return base;
        }
        base = shorter;
    }
}

/// Whether this is suffixes without their first dot: `isra.0.cold`.
fn is_suffixes(text: &str) -> bool {
    let dotted = format!(".{text}");
    let mut rest = dotted.as_str();
    while let Some(shorter) = without_suffix(rest) {
        rest = shorter;
    }
    rest.is_empty()
}

/// The name without its last suffix; `None` where it has none.
fn without_suffix(name: &str) -> Option<&str> {
    let (before, last) = name.rsplit_once('.')?;
    if ALONE.contains(&last) {
        return Some(before);
    }
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (before, word) = before.rsplit_once('.')?;
    (is_number && SUFFIXES.contains(&word)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_lead_to_their_function() {
        for (name, base) in [
            ("parse", "parse"),
            ("parse.cold", "parse"),
            ("parse.cold.17", "parse"),
            ("parse.part.0", "parse"),
            ("parse.isra.0.cold", "parse"),
            ("parse.constprop.0.isra.3.part.12", "parse"),
            ("parse.lto_priv.4", "parse"),
            ("parse.llvm.8140375210362485", "parse"),
            ("_ZN2ns1fEi.specialized.1", "_ZN2ns1fEi"),
            ("ns::f(int) [clone .cold]", "ns::f(int)"),
            ("ns::f(int) [clone .isra.0] [clone .cold]", "ns::f(int)"),
            ("ns::f(int) [clone .isra.0.cold]", "ns::f(int)"),
        ] {
            assert_eq!(clone_of(name), base, "{name}");
        }
    }

    #[test]
    fn other_names_are_their_own() {
        for name in [
            "",
            ".",
            "..",
            ".cold",
            ".part.0",
            ".plt",
            "parse.part",
            "parse.isra.",
            "parse.isra.x",
            "main._omp_fn.0",
            "memcpy.avx2",
            "counter.1234",
            "main.main",
            "main.(*T).cold·1",
            "ns::f(int) [clone .avx2]",
            "ns::f(int) [clone ._omp_fn.0]",
            "ns::f(int) [abi:cxx11]",
            " [clone .cold]",
            "]",
            "日本.cold.日",
        ] {
            assert_eq!(clone_of(name), name, "{name}");
        }
    }
}
