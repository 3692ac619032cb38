//! One profile, or two that are compared.

use super::{Specification, SpecificationError};

/// One profile, or two that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profiles {
    /// One.
    One(Box<Specification>),
    /// Two: what changed from the first to the second is asked for.
    Two(Box<Specification>, Box<Specification>),
}

impl Profiles {
    /// Reads arguments: `COMMON..`, or `COMMON.. { FIRST.. } { SECOND.. }`, where braces are words of their own (but
    /// `{}` is two). The second profile may have nothing of its own, the first not.
    ///
    /// # Errors
    /// Where braces are placed otherwise, or one of the profiles cannot be read.
    pub fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<Profiles, SpecificationError> {
        let mut words: Vec<&str> = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument.as_ref() {
                "{}" => words.extend(["{", "}"]),
                word => words.push(word),
            }
        }
        let is_brace = |word: &&str| matches!(*word, "{" | "}");
        let braces: Vec<(usize, &str)> =
            words.iter().copied().enumerate().filter(|(_, word)| is_brace(word)).collect();
        let [(first, "{"), (first_end, "}"), (second, "{"), (second_end, "}")] = braces.as_slice() else {
            return match braces.is_empty() {
                true => Ok(Profiles::One(Box::new(Specification::parse(&words)?))),
                false => Err(SpecificationError::Braces(words.join(" "))),
            };
        };
        if *second != first_end + 1 || second_end + 1 != words.len() {
            return Err(SpecificationError::Braces(words.join(" ")));
        }
        if *first_end == first + 1 {
            return Err(SpecificationError::EmptyFirst);
        }
        let profile = |own: &[&str]| Specification::parse(&[&words[..*first], own].concat()).map(Box::new);
        Ok(Profiles::Two(profile(&words[first + 1..*first_end])?, profile(&words[second + 1..*second_end])?))
    }

    /// The one profile, for what compares none.
    ///
    /// # Errors
    /// Where there are two.
    pub fn one(self) -> Result<Specification, SpecificationError> {
        match self {
            Profiles::One(specification) => Ok(*specification),
            Profiles::Two(..) => Err(SpecificationError::NotCompared),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(text: &str) -> Result<Vec<Vec<String>>, SpecificationError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let sessions = |profile: Specification| [profile.sessions, profile.files].concat();
        Ok(match Profiles::parse(&words)? {
            Profiles::One(profile) => vec![sessions(*profile)],
            Profiles::Two(first, second) => vec![sessions(*first), sessions(*second)],
        })
    }

    #[test]
    fn two_profiles_have_the_common_arguments() {
        assert_eq!(sessions("session:a b").expect("one"), [["a", "b"]]);
        let two = sessions("x { session:a } { session:b y }").expect("two");
        assert_eq!(two, [vec!["a", "x"], vec!["b", "x", "y"]]);
        assert_eq!(sessions("x { session:a } {}").expect("two"), [vec!["a", "x"], vec!["x"]]);
        assert_eq!(sessions("{ a } { }").expect("two"), [vec!["a"], vec![]]);
    }

    #[test]
    fn other_braces_are_mistakes() {
        for wrong in [
            "{",
            "}",
            "{ a",
            "{ a }",
            "{ a } { b",
            "{ a } { b } c",
            "{ a } x { b }",
            "{ a { b } }",
            "} a { } b {",
            "{ a } { b } { c }",
        ] {
            assert_eq!(sessions(wrong), Err(SpecificationError::Braces(wrong.to_owned())), "{wrong}");
        }
        assert_eq!(sessions("{} { b }"), Err(SpecificationError::EmptyFirst));
        assert!(sessions("session:a { session:a } { b }").is_err());
    }
}
