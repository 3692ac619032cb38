//! Chooses one of the symbols that name the same code.

use std::cmp::{Ordering, Reverse};

use crate::code_symbol::{Binding, CodeSymbol};

/// The underscores that are counted: a hostile name can have nothing else.
const MOST_UNDERSCORES: usize = 64;

/// Compares two names of the same code; the one to show is the lesser.
///
/// The order is OProfile's: a symbol that other images can see before a local one, then one without leading
/// underscores before one with, then a strong before a weak one. So libc's `write` (weak) is shown rather than
/// `__libc_write` (global). Before all of that a function comes before a label, and at the end the shorter name,
/// then the bytewise lesser, then the first in the table, so that the answer never depends on the table's order
/// unless names are the same.
pub(crate) fn compare(left: (&CodeSymbol, &[u8]), right: (&CodeSymbol, &[u8])) -> Ordering {
    let key = |(symbol, name): (&CodeSymbol, &[u8])| {
        (
            name.is_empty(),
            Reverse(symbol.is_function),
            symbol.binding == Binding::Local,
            leading_underscores(name),
            symbol.binding,
            name.len(),
        )
    };
    key(left)
        .cmp(&key(right))
        .then_with(|| left.1.cmp(right.1))
        .then_with(|| left.0.index.cmp(&right.0.index))
}

/// The underscores that a name begins with. The one that begins every mangled name (`_ZN3fooEv`, `_RNv..`) counts
/// too: a function with a C name has it for its callers.
pub(crate) fn leading_underscores(name: &[u8]) -> usize {
    name.iter().take(MOST_UNDERSCORES).take_while(|&&byte| byte == b'_').count()
}

#[cfg(test)]
mod tests {
    use oprof_profile::ImageAddress;

    use super::*;

    fn symbol(binding: Binding, is_function: bool) -> CodeSymbol {
        CodeSymbol { index: 1, start: ImageAddress(0), size: 1, limit: ImageAddress(1), binding, is_function }
    }

    #[test]
    fn each_rule_decides_before_the_next() {
        let order = [
            ("zzzzzz", symbol(Binding::Global, true)),
            ("b", symbol(Binding::Weak, true)),
            ("c", symbol(Binding::Weak, true)),
            ("bb", symbol(Binding::Weak, true)),
            ("_b", symbol(Binding::Global, true)),
            ("_a", symbol(Binding::Weak, true)),
            ("__a", symbol(Binding::Global, true)),
            ("a", symbol(Binding::Local, true)),
            ("a", symbol(Binding::Global, false)),
            ("", symbol(Binding::Global, true)),
        ];
        for (earlier, left) in order.iter().enumerate() {
            for right in &order[earlier + 1..] {
                let (left, right) = ((&left.1, left.0.as_bytes()), (&right.1, right.0.as_bytes()));
                assert_eq!(compare(left, right), Ordering::Less, "{left:?} before {right:?}");
                assert_eq!(compare(right, left), Ordering::Greater, "{right:?} after {left:?}");
            }
        }
    }
}
