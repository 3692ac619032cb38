//! Turns a mangled name into the one in the source.

mod cpp;
mod java;

use std::fmt;

use rayon::prelude::*;

/// The names that a task demangles.
const NAMES_OF_A_TASK: usize = 256;

/// The longest mangled name that is looked at, in bytes.
const LONGEST_MANGLED: usize = 64 << 10;

/// The longest demangled name, in bytes. A mangled name refers back to its own parts: a short one can unfold to
/// gigabytes.
const LONGEST_DEMANGLED: usize = 64 << 10;

/// The name in the source, with C++ parameters and without the hash at the end of Rust's names; `None` where the
/// name is not mangled, is damaged or unfolds to more than 64 KiB.
///
/// A C++ name that takes more than a second is given up as well; after two of them C++ names are no longer demangled
/// in this process.
///
/// Knows Rust's legacy and v0 scheme, the Itanium C++ ABI and signatures of Java methods.
pub fn demangle(name: &str) -> Option<String> {
    if name.len() > LONGEST_MANGLED {
        return None;
    }
    let bare = without_dot(name);
    rust(bare).or_else(|| java::demangle(bare)).or_else(|| cpp::demangle(bare))
}

/// The name without the dot that entry points of functions have before it on some architectures.
fn without_dot(name: &str) -> &str {
    name.strip_prefix('.').filter(|bare| bare.starts_with("_Z")).unwrap_or(name)
}

/// The same of many names, on all processors; `None` also for those that are not `affordable` in the source's form,
/// which can be much longer.
pub(crate) fn demangle_all(
    names: &[&str],
    affordable: impl Fn(&String) -> bool + Sync,
) -> Vec<Option<String>> {
    let some = |names: &[&str]| demangle_some(names).into_iter().map(|name| name.filter(&affordable));
    names.par_chunks(NAMES_OF_A_TASK).flat_map_iter(some).collect()
}

/// The same of some names, quicker than one by one, as C++ names are handed to their thread all at once.
pub(crate) fn demangle_some(names: &[&str]) -> Vec<Option<String>> {
    let names: Vec<&str> = names.iter().map(|name| without_dot(name)).collect();
    let quick = |name: &str| rust(name).or_else(|| java::demangle(name));
    let mut demangled: Vec<Option<String>> =
        names.iter().map(|name| if name.len() > LONGEST_MANGLED { None } else { quick(name) }).collect();
    let left: Vec<usize> = (0..names.len()).filter(|&at| demangled[at].is_none()).collect();
    let left: Vec<usize> = left.into_iter().filter(|&at| names[at].len() <= LONGEST_MANGLED).collect();
    let of_cpp: Vec<&str> = left.iter().map(|&at| names[at]).collect();
    for (at, result) in left.into_iter().zip(cpp::demangle_all(&of_cpp)) {
        demangled[at] = result;
    }
    demangled
}

fn rust(name: &str) -> Option<String> {
    // A variable of C++ has a name without parameters, which could be one of Rust.
    if name.contains(cpp::UNNAMED_NAMESPACE) {
        return None;
    }
    let demangled = rustc_demangle::try_demangle(name).ok()?;
    let mut text = BoundedText::default();
    fmt::write(&mut text, format_args!("{demangled:#}")).ok()?;
    Some(text.0)
}

/// Text that refuses to grow beyond [`LONGEST_DEMANGLED`], which stops whoever writes it.
#[derive(Default)]
struct BoundedText(String);

impl fmt::Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > LONGEST_DEMANGLED - self.0.len() {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_scheme() {
        let names = [
            ("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place"),
            (
                "_ZN45_$LT$T$u20$as$u20$alloc..string..ToString$GT$9to_string17h0123456789abcdefE",
                "<T as alloc::string::ToString>::to_string",
            ),
            ("_RNvC7mycrate3foo", "mycrate::foo"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            ("_ZN5space3fooEibc", "space::foo(int, bool, char)"),
            ("_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size() const"),
            ("_Z3fooi.cold", "foo(int) [clone .cold]"),
            ("_ZN12_GLOBAL__N_111null_streamE", "(anonymous namespace)::null_stream"),
            ("_ZN1a12_GLOBAL__N_11fEv", "a::(anonymous namespace)::f()"),
            ("Ljava/lang/Foo;bar(I)V", "void java.lang.Foo.bar(int)"),
            ("._Z1fv", "f()"),
        ];
        for (mangled, expected) in names {
            assert_eq!(demangle(mangled).as_deref(), Some(expected), "{mangled}");
        }
    }

    #[test]
    fn what_is_not_mangled_stays() {
        for name in [
            "",
            "main",
            "_start",
            "_",
            "_Z",
            "__libc_start_main",
            "_ZN",
            "_R",
            "_Zürich",
            "_GLOBAL_OFFSET_TABLE_",
        ] {
            assert_eq!(demangle(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_unfolds_without_end_is_left_alone() {
        // Each S_ level doubles the text.
        let mut name = String::from("_Z1fI");
        name.push_str("1AIiiE");
        for level in 0..30 {
            let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".as_bytes();
            let reference = match level {
                0 => "S0_".into(),
                n => format!("S{}_", digits[n] as char),
            };
            name.push_str(&format!("1BI{reference}{reference}E"));
        }
        name.push_str("EvT_");
        let _ = demangle(&name);
        assert_eq!(demangle(&"_Z".repeat(LONGEST_MANGLED)), None);
    }
}
