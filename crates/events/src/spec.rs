//! The grammar of an event as typed, without knowing which events exist.
//!
//! ```text
//! list     = item { "," item }
//! item     = event | "{" event { "," event } "}" [ ":" modifiers ]
//! event    = head { ":" part }
//! head     = name | pmu "/" terms "/" | "mem:" address [ "/" length ]
//!          | ( "uprobe:" | "uretprobe:" ) path ":" ( function [ "+" offset ] | offset )
//! part     = modifiers | count | unit mask | kernel | user | rest of a tracepoint's name | access
//! ```

use crate::term::Term;
use crate::unprintable::is_unprintable;
use crate::{Error, number};

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
    /// `mem:ADDRESS[/LENGTH]`.
    Memory {
        /// The first byte.
        address: u64,
        /// How many bytes; `None` when not given.
        length: Option<u64>,
    },
    /// `uprobe:PATH:PLACE` and `uretprobe:PATH:PLACE`.
    Probe {
        /// Of the return, not of the call.
        is_return: bool,
        /// The program or library.
        path: &'a str,
        /// Where in it.
        place: &'a str,
    },
}

impl<'a> Spec<'a> {
    /// Takes an event as typed apart.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an empty or overlong text, control characters, an unmatched slash or a malformed term.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Error> {
        let text = text.trim();
        check(text)?;
        if let Some(rest) = memory(text) {
            return Self::parse_memory(text, rest);
        }
        if let Some((is_return, rest)) = probe(text) {
            return Self::parse_probe(text, is_return, rest);
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
        if let Head::Name(name) | Head::Pmu { pmu: name, .. } = &head
            && name.is_empty()
        {
            return Err(Error::malformed(text, text, "the event's name is missing"));
        }
        Ok(Self { text, head, suffix: rest.map_or_else(Vec::new, |rest| rest.split(':').collect()) })
    }

    fn parse_probe(text: &'a str, is_return: bool, rest: &'a str) -> Result<Self, Error> {
        let mut parts = single_colons(rest).into_iter();
        let path = parts.next().unwrap_or_default();
        let place = parts.next().unwrap_or_default();
        if path.is_empty() || place.is_empty() {
            let why =
                "path and function are missing (uprobe:PATH:FUNCTION, such as uprobe:/usr/bin/make:main)";
            return Err(Error::malformed(text, rest, why));
        }
        Ok(Self { text, head: Head::Probe { is_return, path, place }, suffix: parts.collect() })
    }

    fn parse_memory(text: &'a str, rest: &'a str) -> Result<Self, Error> {
        let mut parts = rest.split(':');
        let place = parts.next().unwrap_or_default();
        let (address, length) = match place.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (place, None),
        };
        let number = |part: &str| {
            number::parse(part).ok_or_else(|| {
                Error::malformed(
                    text,
                    part,
                    "not a number (mem:ADDRESS[/LENGTH][:ACCESS], such as mem:0x1000/8:rw)",
                )
            })
        };
        let (address, length) = (number(address)?, length.map(number).transpose()?);
        Ok(Self { text, head: Head::Memory { address, length }, suffix: parts.collect() })
    }
}

/// What stands behind `uprobe:` or `uretprobe:`, in any case, and whether it is the latter.
fn probe(text: &str) -> Option<(bool, &str)> {
    let (word, rest) = text.split_once(':')?;
    [("uprobe", false), ("uretprobe", true)]
        .into_iter()
        .find(|(name, _)| word.eq_ignore_ascii_case(name))
        .map(|(_, is_return)| (is_return, rest))
}

/// The parts between colons that stand alone: those of `a::b` do not.
fn single_colons(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|byte| **byte == b':').count();
        if run == 1 {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        at += run.max(1);
    }
    parts.push(&text[start..]);
    parts
}

/// What stands behind `mem:`, in any case.
fn memory(text: &str) -> Option<&str> {
    text.get(..4).filter(|start| start.eq_ignore_ascii_case("mem:")).map(|_| &text[4..])
}

/// Bounds of what is looked at.
fn check(text: &str) -> Result<(), Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::malformed(text, text, format!("longer than {MAX_BYTES} bytes")));
    }
    if text.contains(is_unprintable) {
        return Err(Error::malformed(
            text,
            text,
            "control characters and invisible ones are no part of an event",
        ));
    }
    Ok(())
}

/// One or several events that are scheduled together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    /// The events.
    pub(crate) events: Vec<&'a str>,
    /// They stand in braces.
    pub(crate) is_group: bool,
    /// Modifiers of all of them, those behind the closing brace.
    pub(crate) modifiers: Option<&'a str>,
}

/// Cuts a list at its commas, but not at those between slashes or braces: `{cycles,cpu/event=1,inv/u},cs` is two items.
///
/// Empty pieces are kept, so that resolving them gives an error that names the list's mistake.
///
/// # Errors
/// [`Error::Malformed`] for braces that do not match.
pub(crate) fn items(list: &str) -> Result<Vec<Item<'_>>, Error> {
    pieces(list)
        .into_iter()
        .map(|piece| match piece.trim().strip_prefix('{') {
            None if piece.contains(['{', '}']) => {
                Err(Error::malformed(list, piece, "a brace too many ({EVENT,EVENT}:MODIFIERS)"))
            }
            None => Ok(Item { events: vec![piece], is_group: false, modifiers: None }),
            Some(inside) => {
                let (inside, rest) = inside.rsplit_once('}').ok_or_else(|| {
                    Error::malformed(list, piece, "the closing brace is missing ({EVENT,EVENT}:MODIFIERS)")
                })?;
                if inside.trim().is_empty() {
                    return Err(Error::malformed(
                        list,
                        piece,
                        "the group has no events ({EVENT,EVENT}:MODIFIERS)",
                    ));
                }
                if inside.contains(['{', '}']) {
                    return Err(Error::malformed(list, piece, "a group within a group"));
                }
                let modifiers = match rest.trim() {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or_else(|| {
                        Error::malformed(
                            list,
                            rest,
                            "a colon leads the modifiers of a group ({EVENT,EVENT}:MODIFIERS)",
                        )
                    })?),
                };
                Ok(Item { events: pieces(inside), is_group: true, modifiers })
            }
        })
        .collect()
}

fn pieces(list: &str) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut in_terms, mut braces) = (false, 0_u32);
    // Where the event begins, which within braces is no piece of its own, and whether it is a breakpoint or a probe: that
    // is looked at once, at its first slash, so that a list of slashes takes no longer than another.
    let (mut event, mut has_no_terms) = (0, None);
    for (at, c) in list.char_indices() {
        match c {
            '/' if in_terms => in_terms = false,
            // The slashes before a breakpoint's length and in a probe's path open nothing.
            '/' => {
                in_terms = !*has_no_terms.get_or_insert_with(|| {
                    let begins = list[event..at].trim_start();
                    memory(begins).is_some() || probe(begins).is_some()
                });
            }
            '{' | ',' if !in_terms => {
                (event, has_no_terms) = (at + 1, None);
                if c == '{' {
                    braces += 1;
                } else if braces == 0 {
                    pieces.push(&list[start..at]);
                    start = at + 1;
                }
            }
            '}' if !in_terms => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    pieces.push(&list[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (&str, Vec<&str>) {
        let spec = Spec::parse(text).unwrap();
        let (Head::Name(name) | Head::Pmu { pmu: name, .. }) = spec.head else { panic!("{text}") };
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
    fn breakpoints() {
        let spec = Spec::parse("MEM:0x1000/8:rw:u").unwrap();
        assert_eq!(spec.head, Head::Memory { address: 0x1000, length: Some(8) });
        assert_eq!(spec.suffix, ["rw", "u"]);
        assert_eq!(Spec::parse("mem:4096").unwrap().head, Head::Memory { address: 4096, length: None });
        for bad in ["mem:", "mem:x", "mem:1/", "mem:1/x:rw"] {
            assert!(Spec::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("memory:1"), ("memory", vec!["1"]));
    }

    #[test]
    fn probes() {
        let head = |text| Spec::parse(text).map(|spec| (spec.head, spec.suffix));
        let at = |is_return, path, place| Head::Probe { is_return, path, place };
        assert_eq!(head("uprobe:/bin/x:main"), Ok((at(false, "/bin/x", "main"), vec![])));
        assert_eq!(head("URETPROBE:./x:a::b:u:5"), Ok((at(true, "./x", "a::b"), vec!["u", "5"])));
        assert_eq!(head("uprobe:x:0x40:5"), Ok((at(false, "x", "0x40"), vec!["5"])));
        for bad in ["uprobe:", "uprobe:/bin/x", "uprobe:/bin/x:", "uprobe::main", "uretprobe:/x::"] {
            assert!(Spec::parse(bad).is_err(), "{bad}");
        }
        let list = items("uprobe:/a/b:f,cycles,{uprobe:/a/b/c:g,cs}").unwrap();
        let events: Vec<_> = list.into_iter().flat_map(|item| item.events).collect();
        assert_eq!(events, ["uprobe:/a/b:f", "cycles", "uprobe:/a/b/c:g", "cs"]);
    }

    #[test]
    fn commas_between_slashes_and_braces_belong_to_what_stands_there() {
        let spec = Spec::parse("cpu/name=a:b,inv/").unwrap();
        let Head::Pmu { terms, terms_text, .. } = spec.head else { panic!("not a PMU") };
        assert_eq!((terms.len(), terms_text), (2, "name=a:b,inv"));
        let events =
            |list| -> Vec<_> { items(list).unwrap().into_iter().flat_map(|item| item.events).collect() };
        assert_eq!(events("a,b/c,d/,,e/f,g"), ["a", "b/c,d/", "", "e/f,g"]);
        assert_eq!(events("mem:0x10/8:rw,cycles,mem:1"), ["mem:0x10/8:rw", "cycles", "mem:1"]);
        assert_eq!(events("{mem:0x10/8:rw,cycles}"), ["mem:0x10/8:rw", "cycles"]);
        assert_eq!(events("{cycles, mem:0x10/8:rw},cs"), ["cycles", " mem:0x10/8:rw", "cs"]);
        assert_eq!(events("cpu/mem:1/,mem:1/2,c"), ["cpu/mem:1/", "mem:1/2", "c"]);
    }

    #[test]
    fn groups() {
        let list = items("{a:5,cpu/x,y/u}:k, b ,{c}").unwrap();
        assert_eq!(list[0], Item { events: vec!["a:5", "cpu/x,y/u"], is_group: true, modifiers: Some("k") });
        assert_eq!(list[1], Item { events: vec![" b "], is_group: false, modifiers: None });
        assert_eq!(list[2], Item { events: vec!["c"], is_group: true, modifiers: None });
        for bad in ["{a", "a}", "{a,{b}}", "{a}k", "{a}}", "a{b"] {
            assert!(items(bad).is_err(), "{bad}");
        }
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
