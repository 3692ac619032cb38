//! A demangled C++ name without what says little.

use std::borrow::Cow;

/// Template arguments of the standard library that stand last and are what one gets without asking.
const DEFAULTS: [&str; 6] = ["allocator<", "char_traits<", "less<", "hash<", "equal_to<", "default_delete<"];

/// Namespaces that nobody writes: of the library's ABI, and unnamed ones.
const LEFT_OUT: [&str; 4] = ["std::", CXX11, "__1::", "(anonymous namespace)::"];

/// The namespace of what libstdc++ changed for C++11.
const CXX11: &str = "__cxx11::";

/// Names that a template with these arguments has of its own.
const SHORT: [(&str, &str); 4] = [
    ("basic_string<char>", "string"),
    ("basic_string<wchar_t>", "wstring"),
    ("basic_string_view<char>", "string_view"),
    ("basic_ostream<char>", "ostream"),
];

/// What of a name is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// All that says little.
    Ours,
    /// What OProfile's patterns find: `__cxx11::` stays, and so does the allocator of pointers.
    OfOprofile,
}

/// The name without `std::`, unnamed namespaces and default template arguments, with `string` for what that is, and
/// with `>>` for `> >`.
pub(super) fn simple(name: &str, manner: Manner) -> Cow<'_, str> {
    if !LEFT_OUT.iter().any(|left_out| name.contains(left_out)) && !name.contains("> >") {
        return Cow::Borrowed(name);
    }
    let mut simple = Simple { text: String::with_capacity(name.len()), open: Vec::new(), manner };
    let mut rest = name;
    while !rest.is_empty() {
        rest = simple.take(rest);
    }
    Cow::Owned(simple.text)
}

/// What has been written so far.
struct Simple {
    text: String,
    /// The brackets that are open.
    open: Vec<Bracket>,
    manner: Manner,
}

enum Bracket {
    /// `(`: commas separate parameters.
    Round,
    /// `<`: for each argument, where it begins in the text (with the comma before it) and whether it is a default.
    Template(Vec<Argument>),
}

struct Argument {
    begins: usize,
    is_default: bool,
}

impl Simple {
    /// Takes the first part of what is left to write; returns what is left then.
    fn take<'name>(&mut self, rest: &'name str) -> &'name str {
        if !self.text.ends_with(is_word) {
            if let Some(after) = self.operator(rest) {
                return after;
            }
            if let Some(after) = self.without_namespaces(rest) {
                return after;
            }
        }
        let first = rest.chars().next().unwrap_or_default();
        let after = &rest[first.len_utf8()..];
        match (first, self.open.last_mut()) {
            ('<', _) => {
                self.text.push('<');
                let first = Argument { begins: self.text.len(), is_default: false };
                self.open.push(Bracket::Template(vec![first]));
            }
            ('>', Some(Bracket::Template(_))) if !self.text.ends_with('-') => self.close_template(),
            ('(', _) => {
                self.text.push('(');
                self.open.push(Bracket::Round);
            }
            (')', Some(Bracket::Round)) => {
                self.text.push(')');
                self.open.pop();
            }
            (',', Some(Bracket::Template(arguments))) => {
                arguments.push(Argument { begins: self.text.len(), is_default: false });
                self.text.push(',');
            }
            _ => self.text.push(first),
        }
        after
    }

    /// `operator<`, `operator->`: brackets that are none.
    fn operator<'name>(&mut self, rest: &'name str) -> Option<&'name str> {
        let after = rest.strip_prefix("operator")?;
        let length = after.find(|symbol| !matches!(symbol, '<' | '>' | '=' | '-')).unwrap_or(after.len());
        // `operator<<<int>`: two of the operator, one of the template.
        let length = match &after[..length] {
            "<<<" => 2,
            symbols if symbols.len() > 1 && symbols.ends_with('<') && symbols != "<<" => length - 1,
            _ => length,
        };
        let (operator, after) = rest.split_at("operator".len() + length);
        self.text.push_str(operator);
        Some(after)
    }

    /// What follows the namespaces that are left out; `None` where there are none.
    fn without_namespaces<'name>(&mut self, rest: &'name str) -> Option<&'name str> {
        let mut after = rest;
        let kept = |left_out: &&&str| self.manner == Manner::Ours || **left_out != CXX11;
        while let Some(shorter) =
            LEFT_OUT.iter().filter(kept).find_map(|left_out| after.strip_prefix(*left_out))
        {
            after = shorter;
        }
        if after.len() == rest.len() {
            return None;
        }
        if rest.starts_with("std::")
            && DEFAULTS.iter().any(|default| after.starts_with(default))
            && let Some(Bracket::Template(arguments)) = self.open.last_mut()
            && let Some(argument) = arguments.last_mut()
            && matches!(&self.text[argument.begins..], "" | ", ")
        {
            argument.is_default = true;
        }
        Some(after)
    }

    fn close_template(&mut self) {
        let Some(Bracket::Template(arguments)) = self.open.pop() else { return };
        // OProfile's patterns know no argument that is a pointer.
        let is_kept = |argument: &Argument| {
            self.manner == Manner::OfOprofile && self.text[argument.begins..].contains('*')
        };
        let defaults =
            arguments[1..].iter().rev().take_while(|argument| argument.is_default && !is_kept(argument));
        if let Some(first) = defaults.last() {
            self.text.truncate(first.begins);
        }
        while self.text.ends_with(' ') {
            self.text.pop();
        }
        self.text.push('>');
        if self.manner == Manner::OfOprofile
            && let Some(shorter) = iterator(&self.text, &arguments)
        {
            self.text = shorter;
        }
        for (long, short) in SHORT {
            let before = self.text.strip_suffix(long);
            if let Some(before) = before.filter(|before| {
                let namespace = before.strip_suffix(CXX11).filter(|_| self.manner == Manner::OfOprofile);
                !namespace.unwrap_or(before).ends_with(|letter| is_word(letter) || letter == ':')
            }) {
                self.text.truncate(before.len());
                self.text.push_str(short);
            }
        }
    }
}

/// The text, which ends in a template, with what the container calls it where that is its iterator:
/// `__gnu_cxx::__normal_iterator<T*, vector<T>>` is `vector<T>::iterator`.
fn iterator(text: &str, arguments: &[Argument]) -> Option<String> {
    let [first, second] = arguments else { return None };
    let before = text.get(..first.begins)?.strip_suffix("__gnu_cxx::__normal_iterator<")?;
    let pointer = text.get(first.begins..second.begins)?.strip_suffix('*')?;
    let container = text.get(second.begins..)?.strip_prefix(", ")?.strip_suffix('>')?;
    let (element, name) = match pointer.strip_suffix(" const") {
        Some(element) => (element, "const_iterator"),
        None => (pointer, "iterator"),
    };
    let (_, held) = container.split_once('<')?;
    (held.strip_suffix('>')? == element).then(|| format!("{before}{container}::{name}"))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRING: &str = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";

    #[test]
    fn what_says_little_is_left_out() {
        for (full, expected) in [
            ("f(S const&, int)", "f(string const&, int)"),
            (
                "ns::Widget::spin(std::vector<int, std::allocator<int> > const&)",
                "ns::Widget::spin(vector<int> const&)",
            ),
            ("(anonymous namespace)::sort", "sort"),
            ("ns::(anonymous namespace)::f((anonymous namespace)::T)", "ns::f(T)"),
            ("f(std::__cxx11::list<S, std::allocator<S > > const&)", "f(list<string> const&)"),
            (
                "std::map<S, int, std::less<S >, std::allocator<std::pair<S const, int> > >::at(S const&)",
                "map<string, int>::at(string const&)",
            ),
            ("std::unique_ptr<T, std::default_delete<T> >::~unique_ptr()", "unique_ptr<T>::~unique_ptr()"),
            ("std::__1::vector<T*, std::__1::allocator<T*>>::size() const", "vector<T*>::size() const"),
            (
                "std::ostream& std::operator<< <std::char_traits<char> >(std::ostream&, char)",
                "ostream& operator<< <char_traits<char>>(ostream&, char)",
            ),
            ("std::operator<(S const&, S const&)", "operator<(string const&, string const&)"),
            ("T<int>::operator->() [clone .cold]", "T<int>::operator->() [clone .cold]"),
            ("ns::operator<(std::T, T)", "ns::operator<(T, T)"),
            ("f(std::allocator<int>)", "f(allocator<int>)"),
            ("f<std::allocator<int>, int>()", "f<allocator<int>, int>()"),
            (
                "f(std::function<void (int, std::vector<int, std::allocator<int> >)>)",
                "f(function<void (int, vector<int>)>)",
            ),
        ] {
            assert_eq!(simple(&full.replace('S', STRING), Manner::Ours), expected, "{full}");
        }
    }

    #[test]
    fn oprofile_keeps_a_namespace_and_the_allocator_of_pointers() {
        for (full, expected) in [
            ("f(S const&, int)", "f(__cxx11::string const&, int)"),
            ("std::vector<T*, std::allocator<T*> >::size()", "vector<T*, allocator<T*>>::size()"),
            ("std::vector<T, std::allocator<T> >::size()", "vector<T>::size()"),
            (
                "f(__gnu_cxx::__normal_iterator<T*, std::vector<T, std::allocator<T> > >, int)",
                "f(vector<T>::iterator, int)",
            ),
            (
                "f(__gnu_cxx::__normal_iterator<T const*, std::vector<T, std::allocator<T> > >)",
                "f(vector<T>::const_iterator)",
            ),
            (
                "f(__gnu_cxx::__normal_iterator<T*, std::vector<U, std::allocator<U> > >)",
                "f(__gnu_cxx::__normal_iterator<T*, vector<U>>)",
            ),
            ("(anonymous namespace)::f(std::ostream&)", "f(ostream&)"),
        ] {
            assert_eq!(simple(&full.replace('S', STRING), Manner::OfOprofile), expected, "{full}");
        }
    }

    #[test]
    fn other_names_stay() {
        for name in
            ["", "main", "A::f(int)", "mystd::f()", "f<int>(long)", "x->y", "operator new(unsigned long)"]
        {
            assert_eq!(simple(name, Manner::Ours), name);
        }
        assert_eq!(simple("mystd::g(std::T)", Manner::Ours), "mystd::g(T)");
    }

    #[test]
    fn brackets_without_end_or_beginning_do_no_harm() {
        for name in
            ["std::<<<<", "std::>>>>", "std::)))(((", "std::a<b, std::less<", "> >", "std::operator", "std::"]
        {
            let _ = simple(name, Manner::Ours);
        }
        let deep = format!("std::{}{}", "a<".repeat(50_000), ">".repeat(50_000));
        assert_eq!(simple(&deep, Manner::Ours).len(), deep.len() - 5);
    }
}
