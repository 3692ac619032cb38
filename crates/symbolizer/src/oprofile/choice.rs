//! Chooses one of the symbols at one place.

/// A symbol as far as OProfile's choice looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate<'name> {
    pub(super) name: &'name [u8],
    /// Only its own object file sees it (STB_LOCAL).
    pub(super) local: bool,
    /// Another symbol of the name goes before it (STB_WEAK).
    pub(super) weak: bool,
}

/// The second of two symbols at one place is the one to show, not the first.
///
/// Each rule decides before the next: not `Letext`, not `??..`, a symbol that others see before a local one, one without
/// a leading underscore before one with, a strong one before a weak one; else the first (`boring_symbol` in
/// libutil++/op_bfd.cpp).
pub(super) fn second_is_better(first: &Candidate<'_>, second: &Candidate<'_>) -> bool {
    let rules: [fn(&Candidate<'_>) -> bool; 5] = [
        |candidate| candidate.name == b"Letext",
        |candidate| candidate.name.starts_with(b"??"),
        |candidate| candidate.local,
        |candidate| candidate.name.starts_with(b"_"),
        |candidate| candidate.weak,
    ];
    let differing = rules.iter().find(|is_boring| is_boring(first) != is_boring(second));
    differing.is_some_and(|is_boring| is_boring(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_decides_before_the_next() {
        let candidate = |name: &'static str, local, weak| Candidate { name: name.as_bytes(), local, weak };
        let order = [
            candidate("a", false, false),
            candidate("a", false, true),
            candidate("_a", false, false),
            candidate("a", true, false),
            candidate("??a", false, false),
            candidate("Letext", false, false),
        ];
        for (at, better) in order.iter().enumerate() {
            for worse in &order[at + 1..] {
                assert!(second_is_better(worse, better), "{better:?} rather than {worse:?}");
                assert!(!second_is_better(better, worse), "{better:?} rather than {worse:?}");
            }
            assert!(!second_is_better(better, better), "the first of equal ones stays");
        }
    }
}
