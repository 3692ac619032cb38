//! The grammar of an event as typed, without knowing which events exist.

use crate::Error;
use crate::term::Term;

/// Longest specification that is looked at, in bytes. The longest sensible ones have some hundred.
const MAX_BYTES: usize = 4096;

/// An event as typed, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spec<'a> {
    /// All of it, without surrounding blanks.
    pub(crate) text: &'a str,
    /// The event itself.
    pub(crate) head: Head<'a>,
    /// What follows the head, cut at its colons: modifiers, numbers, or the second half of a tracepoint's name.
    pub(crate) suffix: Vec<&'a str>,
}

/// The event itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head<'a> {
    /// A name up to the first colon.
    Name(&'a str),
    /// `PMU/TERMS/`.
    Pmu {
        /// The text before the first slash.
        pmu: &'a str,
        /// The text between the slashes.
        terms_text: &'a str,
        /// The same, taken apart.
        terms: Vec<Term<'a>>,
    },
}

impl<'a> Spec<'a> {
    /// Takes an event as typed apart.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an empty or overlong text, control characters, an unmatched slash or a malformed term.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Error> {
        let text = text.trim();
        if text.len() > MAX_BYTES {
            return Err(Error::malformed(text, text, format!("longer than {MAX_BYTES} bytes")));
        }
        if text.contains(char::is_control) {
            return Err(Error::malformed(text, text, "control characters are no part of an event"));
        }
        let (head, rest) = match text.split_once('/') {
            Some((pmu, rest)) => {
                let (terms_text, rest) = rest.split_once('/').ok_or_else(|| {
                    Error::malformed(text, rest, "the closing slash is missing (PMU/TERMS/)")
                })?;
                if rest.contains('/') {
                    return Err(Error::malformed(text, rest, "one pair of slashes only (PMU/TERMS/)"));
                }
                let head = Head::Pmu { pmu, terms_text, terms: Term::parse_list(text, terms_text)? };
                (head, (!rest.is_empty()).then(|| rest.strip_prefix(':').unwrap_or(rest)))
            }
            None => match text.split_once(':') {
                Some((name, rest)) => (Head::Name(name), Some(rest)),
                None => (Head::Name(text), None),
            },
        };
        let (Head::Name(name) | Head::Pmu { pmu: name, .. }) = head;
        if name.is_empty() {
            return Err(Error::malformed(text, text, "the event's name is missing"));
        }
        Ok(Self { text, head, suffix: rest.map_or_else(Vec::new, |rest| rest.split(':').collect()) })
    }
}

/// Cuts a list of events at its commas, but not at those between slashes: `cycles,cpu/event=1,inv/u` is two events.
///
/// Empty pieces are kept, so that resolving them gives an error that names the list's mistake.
///
/// ```
/// assert_eq!(oprof_events::split_list("cycles,cpu/event=1,inv/u"), ["cycles", "cpu/event=1,inv/u"]);
/// ```
pub fn split_list(list: &str) -> Vec<&str> {
    let mut inside = false;
    list.split(|c| {
        inside ^= c == '/';
        c == ',' && !inside
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (&str, Vec<&str>) {
        let spec = Spec::parse(text).unwrap();
        let (Head::Name(name) | Head::Pmu { pmu: name, .. }) = spec.head;
        (name, spec.suffix)
    }

    #[test]
    fn names_with_suffixes() {
        assert_eq!(parse(" cycles "), ("cycles", vec![]));
        assert_eq!(parse("cycles:100000:0:1:1"), ("cycles", vec!["100000", "0", "1", "1"]));
        assert_eq!(parse("sched:sched_switch:u"), ("sched", vec!["sched_switch", "u"]));
        assert_eq!(parse("cycles:"), ("cycles", vec![""]));
    }

    #[test]
    fn the_colon_after_a_slash_can_be_left_out() {
        for text in ["cpu/event=1/u:5", "cpu/event=1/:u:5"] {
            assert_eq!(parse(text), ("cpu", vec!["u", "5"]), "{text}");
        }
        assert_eq!(parse("cpu/event=1/"), ("cpu", vec![]));
        assert_eq!(parse("cpu/event=1/:"), ("cpu", vec![""]));
    }

    #[test]
    fn colons_and_commas_between_slashes_belong_to_the_terms() {
        let spec = Spec::parse("cpu/name=a:b,inv/").unwrap();
        let Head::Pmu { terms, terms_text, .. } = spec.head else { panic!("not a PMU") };
        assert_eq!((terms.len(), terms_text), (2, "name=a:b,inv"));
        assert_eq!(split_list("a,b/c,d/,,e/f,g"), ["a", "b/c,d/", "", "e/f,g"]);
    }

    #[test]
    fn mistakes_are_named() {
        let long = "a".repeat(MAX_BYTES + 1);
        for (text, part) in
            [("", ""), ("cpu/event=1", "event=1"), ("a/b/c/d", "c/d"), ("/x/", "/x/"), (":u", ":u")]
        {
            let Err(Error::Malformed { part: found, .. }) = Spec::parse(text) else {
                panic!("{text} was taken")
            };
            assert_eq!(found, part, "{text}");
        }
        assert!(Spec::parse(&long).is_err());
        assert!(Spec::parse("cpu/event=1\n,inv/").is_err());
    }
}
