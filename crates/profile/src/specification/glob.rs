//! Globs, as fnmatch(3) matches them without flags: `*` and `?` match a `/` and a leading dot, too.

/// A pattern for names: `*` any characters, `?` one, `[a-z]`, `[!a-z]`, `[[:digit:]]` one of a set, `\` before what
/// stands for itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(String);

impl Glob {
    /// The glob of this pattern: none is malformed, a bracket that is not closed stands for itself.
    pub fn new(pattern: &str) -> Glob {
        Glob(pattern.to_owned())
    }

    /// The glob that matches this name alone.
    pub fn literal(name: &str) -> Glob {
        Glob(escaped(name))
    }

    /// The pattern as it was given.
    pub fn pattern(&self) -> &str {
        &self.0
    }

    /// The whole name matches. The time taken is at most proportional to the product of the two lengths.
    pub fn matches(&self, name: &str) -> bool {
        let mut pattern = self.0.as_str();
        let mut rest = name;
        // Where to go on from when what follows the last star does not match.
        let mut star: Option<(&str, &str)> = None;
        loop {
            if let Some(after) = pattern.strip_prefix('*') {
                star = Some((after, rest));
                pattern = after;
                continue;
            }
            let mut characters = rest.chars();
            match (characters.next(), next(pattern)) {
                (None, None) => return true,
                (Some(character), Some((element, after))) if element.matches(character) => {
                    pattern = after;
                    rest = characters.as_str();
                }
                // A star takes one character more, where there is one.
                _ => {
                    let Some((after, from)) = star else { return false };
                    let mut characters = from.chars();
                    if characters.next().is_none() {
                        return false;
                    }
                    star = Some((after, characters.as_str()));
                    pattern = after;
                    rest = characters.as_str();
                }
            }
        }
    }
}

/// The pattern that matches a name alone.
pub(super) fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// What one character is matched against.
#[derive(Clone, Copy)]
enum Element<'p> {
    Any,
    One(char),
    /// The inside of a bracket.
    Set(&'p str),
}

/// The first element of a pattern, which is no star, and what follows it.
fn next(pattern: &str) -> Option<(Element<'_>, &str)> {
    let mut characters = pattern.chars();
    let first = characters.next()?;
    let after = characters.as_str();
    Some(match first {
        '?' => (Element::Any, after),
        '[' => match set_end(after) {
            Some(end) => (Element::Set(&after[..end]), &after[end + 1..]),
            None => (Element::One('['), after),
        },
        '\\' => match characters.next() {
            Some(escaped) => (Element::One(escaped), characters.as_str()),
            None => (Element::One('\\'), after),
        },
        character => (Element::One(character), after),
    })
}

/// Where the bracket ends that `text` is the inside of, with what follows.
fn set_end(text: &str) -> Option<usize> {
    let body = text.strip_prefix(['!', '^']).unwrap_or(text);
    let mut position = text.len() - body.len();
    let mut first = true;
    while let Some(character) = text[position..].chars().next() {
        match character {
            ']' if !first => return Some(position),
            '[' if text[position..].starts_with("[:") => {
                match text[position..].find(":]") {
                    Some(length) => position += length + 2,
                    None => position += 1,
                };
            }
            '\\' => {
                position += 1;
                position += text[position..].chars().next().map_or(0, char::len_utf8);
            }
            _ => position += character.len_utf8(),
        }
        first = false;
    }
    None
}

impl Element<'_> {
    fn matches(self, character: char) -> bool {
        match self {
            Element::Any => true,
            Element::One(one) => one == character,
            Element::Set(set) => {
                let body = set.strip_prefix(['!', '^']);
                in_set(body.unwrap_or(set), character) != body.is_some()
            }
        }
    }
}

fn in_set(mut set: &str, character: char) -> bool {
    let mut found = false;
    while !set.is_empty() {
        if let Some((class, after)) = set.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
            found |= in_class(class, character);
            set = after;
            continue;
        }
        let (low, after) = set_character(set);
        match after.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            Some(rest) => {
                let (high, rest) = set_character(rest);
                found |= (low..=high).contains(&character);
                set = rest;
            }
            None => {
                found |= low == character;
                set = after;
            }
        }
    }
    found
}

/// The first character of a set that is not empty, and what follows.
fn set_character(set: &str) -> (char, &str) {
    let mut characters = set.chars();
    match (characters.next(), characters.clone().next()) {
        (Some('\\'), Some(escaped)) => {
            characters.next();
            (escaped, characters.as_str())
        }
        (first, _) => (first.unwrap_or('\0'), characters.as_str()),
    }
}

fn in_class(class: &str, character: char) -> bool {
    match class {
        "alpha" => character.is_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_alphanumeric(),
        "upper" => character.is_uppercase(),
        "lower" => character.is_lowercase(),
        "space" => character.is_whitespace(),
        "blank" => matches!(character, ' ' | '\t'),
        "punct" => character.is_ascii_punctuation(),
        "xdigit" => character.is_ascii_hexdigit(),
        "cntrl" => character.is_control(),
        "print" => !character.is_control(),
        "graph" => !character.is_control() && !character.is_whitespace(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn matches_as_fnmatch_does_without_flags() {
        let matches = [
            ("*hot*", "/opt/demo/bin/hot-stripped"),
            ("/opt/*", "/opt/demo/bin/hot"),
            ("/usr/bin/python3.?", "/usr/bin/python3.1"),
            ("/bin/[a-d]ash", "/bin/dash"),
            ("/bin/[!a-c]ash", "/bin/dash"),
            ("/bin/[^a-c]ash", "/bin/dash"),
            ("lib[[:digit:]x]", "lib7"),
            ("[]a]", "]"),
            ("[!]a]", "b"),
            ("[a-]", "-"),
            ("[\\]]", "]"),
            ("[", "["),
            ("[ab", "[ab"),
            ("a\\*b", "a*b"),
            ("*", ""),
            ("**", "x"),
            ("", ""),
            ("*.so.*.?", "libbz2.so.1.0.4"),
            ("?", "é"),
            ("\\", "\\"),
            (".*", ".hidden"),
            ("*hidden", ".hidden"),
        ];
        for (pattern, name) in matches {
            assert!(Glob::new(pattern).matches(name), "{pattern} {name}");
        }
        let others = [
            ("hot", "/opt/demo/bin/hot"),
            ("/bin/[a-c]ash", "/bin/dash"),
            ("[!]a]", "]"),
            ("a\\*b", "axb"),
            ("", "x"),
            ("?", ""),
            ("*x", "xy"),
            ("[[:nonsense:]]", "n"),
        ];
        for (pattern, name) in others {
            assert!(!Glob::new(pattern).matches(name), "{pattern} {name}");
        }
    }

    /// What a shell could be made to spend hours on.
    #[test]
    fn many_stars_take_no_time() {
        let pattern = "*a".repeat(2000) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(4000)));
    }

    proptest! {
        #[test]
        fn any_pattern_and_name_will_do(pattern in "[a*?!^\\[\\]\\\\:é-]{0,12}", name in "[aé*\\]-]{0,8}") {
            let _ = Glob::new(&pattern).matches(&name);
            prop_assert!(Glob::literal(&name).matches(&name));
            prop_assert!(Glob::literal(&pattern).matches(&pattern));
            let with_star = format!("*{}*", escaped(&name));
            let longer = format!("{}{}", name, pattern);
            prop_assert!(Glob::new(&with_star).matches(&longer));
        }
    }
}
