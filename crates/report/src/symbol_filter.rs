//! Filters of symbols by name.

use oprof_profile::Symbol;
use oprof_profile::specification::Glob;

/// Which symbols are of interest: those that are included, where any are named, without those that are excluded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SymbolFilter {
    /// These alone; empty for all.
    pub include: Vec<Glob>,
    /// Not these.
    pub exclude: Vec<Glob>,
}

impl SymbolFilter {
    /// Reads lists of names and globs with commas between them. A comma within brackets is part of a name
    /// (`f(int, int)`), as is one after a backslash.
    pub fn new<S: AsRef<str>>(include: &[S], exclude: &[S]) -> SymbolFilter {
        let globs = |lists: &[S]| {
            let names = lists.iter().flat_map(|list| split_names(list.as_ref()));
            names.map(|name| Glob::new(&name)).collect()
        };
        SymbolFilter { include: globs(include), exclude: globs(exclude) }
    }

    /// It lets everything through.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// A symbol is let through: by its name, its mangled name, or what stands before its parameters.
    pub fn takes(&self, symbol: &Symbol) -> bool {
        let bare = without_parameters(&symbol.name);
        self.takes_any(&[Some(symbol.name.as_str()), symbol.mangled.as_deref(), bare])
    }

    /// What has no symbol is let through by what it goes by.
    pub fn takes_name(&self, name: &str) -> bool {
        self.takes_any(&[Some(name)])
    }

    fn takes_any(&self, names: &[Option<&str>]) -> bool {
        let any =
            |globs: &[Glob]| globs.iter().any(|glob| names.iter().flatten().any(|name| glob.matches(name)));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}

/// The name of a C++ function before its parameters; `None` where it has none.
fn without_parameters(name: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (position, character) in name.char_indices() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            // Of `operator()` the brackets are the name.
            '(' if depth == 0
                && !name[position..].starts_with("(anonymous")
                && !name[..position].ends_with("operator") =>
            {
                return Some(&name[..position]).filter(|bare| !bare.is_empty());
            }
            _ => {}
        }
    }
    None
}

/// Splits at commas that no bracket holds; `\,` is a comma of a name.
fn split_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut depth = 0_usize;
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&',') => {
                characters.next();
                name.push(',');
                continue;
            }
            ',' if depth == 0 => {
                names.push(std::mem::take(&mut name));
                continue;
            }
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        name.push(character);
    }
    names.push(name);
    let names = names.into_iter().map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use oprof_profile::{ImageAddress, NameSource};

    use super::*;

    fn symbol(name: &str, mangled: Option<&str>) -> Symbol {
        Symbol {
            name: name.to_owned(),
            mangled: mangled.map(str::to_owned),
            address: ImageAddress(0),
            size: 0,
            source: NameSource::SymbolTable,
            line: None,
        }
    }

    #[test]
    fn commas_within_brackets_are_of_names() {
        assert_eq!(split_names("hot_a,fib"), ["hot_a", "fib"]);
        assert_eq!(split_names("f(int, int), g<a,b>::h ,,x\\,y"), ["f(int, int)", "g<a,b>::h", "x,y"]);
        assert_eq!(split_names(">,<a,b"), [">", "<a,b"]);
    }

    #[test]
    fn a_name_is_taken_mangled_demangled_or_without_its_parameters() {
        let cpp = symbol("ns::Widget::Widget(int)", Some("_ZN2ns6WidgetC2Ei"));
        for name in
            ["ns::Widget::Widget(int)", "_ZN2ns6WidgetC2Ei", "ns::Widget::Widget", "ns::*", "*Widget*"]
        {
            assert!(SymbolFilter::new(&[name], &[]).takes(&cpp), "{name}");
            assert!(!SymbolFilter::new(&[], &[name]).takes(&cpp), "{name}");
        }
        for name in ["Widget", "ns::Widget", "main"] {
            assert!(!SymbolFilter::new(&[name], &[]).takes(&cpp), "{name}");
        }
        assert!(SymbolFilter::default().takes(&cpp) && SymbolFilter::default().is_empty());
        let both = SymbolFilter::new(&["ns::*"], &["*(int)"]);
        assert!(!both.takes(&cpp) && both.takes(&symbol("ns::f()", None)));
    }

    #[test]
    fn brackets_of_operators_and_templates_are_no_parameters() {
        for (name, bare) in [
            ("f", None),
            ("f(int)", Some("f")),
            ("a::operator()(int)", Some("a::operator()")),
            ("t<void (int)>::g()", Some("t<void (int)>::g")),
            ("(anonymous namespace)::g()", Some("(anonymous namespace)::g")),
            ("(unresolved)", None),
        ] {
            assert_eq!(without_parameters(name), bare, "{name}");
        }
    }
}
