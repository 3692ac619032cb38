//! One `NAME=VALUE` of a PMU event, as users type it and as sysfs has it in `events/`.

use crate::{Error, number};

/// A term such as `umask=0x1` or `inv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    /// The text before the equals sign.
    pub(crate) name: &'a str,
    /// The text after it; `None` without one.
    pub(crate) value: Option<&'a str>,
}

impl<'a> Term<'a> {
    /// Cuts a list at its commas. An empty list has no terms; `event` is for the message only.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a term without name or with an empty value.
    pub(crate) fn parse_list(event: &str, list: &'a str) -> Result<Vec<Self>, Error> {
        if list.trim().is_empty() {
            return Ok(Vec::new());
        }
        list.split(',')
            .map(|text| {
                let text = text.trim();
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name.trim(), Some(value.trim())),
                    None => (text, None),
                };
                match (name, value) {
                    ("", _) => {
                        Err(Error::malformed(event, text, "a term's name is missing between the commas"))
                    }
                    (_, Some("")) => {
                        Err(Error::malformed(event, text, "the value after the equals sign is missing"))
                    }
                    _ => Ok(Self { name, value }),
                }
            })
            .collect()
    }

    /// The value as a number; 1 without a value, as for `inv` and `edge`.
    ///
    /// # Errors
    /// [`Error::Malformed`] for anything else, in particular the `?` of events whose parameter the user has to give.
    pub(crate) fn number(&self, event: &str) -> Result<u64, Error> {
        let Some(value) = self.value else { return Ok(1) };
        number::parse(value).ok_or_else(|| {
            if value == "?" {
                Error::malformed(event, self.name, format!("this event needs a value: {}=NUMBER", self.name))
            } else {
                Error::malformed(event, value, "not a number of at most 64 bits (12 or 0xc)")
            }
        })
    }

    /// Whether the term has this name, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_event_strings() {
        let terms = Term::parse_list("e", "event=0xcd,umask=0x1,ldlat=3\n").unwrap();
        let values: Vec<_> = terms.iter().map(|t| (t.name, t.number("e").unwrap())).collect();
        assert_eq!(values, [("event", 0xcd), ("umask", 1), ("ldlat", 3)]);
        assert_eq!(Term::parse_list("e", " ").unwrap(), []);
    }

    #[test]
    fn a_term_without_value_is_one() {
        let terms = Term::parse_list("e", "inv, Edge ").unwrap();
        assert!(terms[1].is("edge"));
        assert_eq!(terms[0].number("e"), Ok(1));
    }

    #[test]
    fn mistakes_are_named() {
        for bad in ["a=1,", ",", "=1", "a=", "a,,b"] {
            assert!(Term::parse_list("e", bad).is_err(), "{bad:?}");
        }
        for bad in ["a=x", "a=-1", "a=0x", "a=1=2", "a=99999999999999999999"] {
            assert!(Term::parse_list("e", bad).unwrap()[0].number("e").is_err(), "{bad:?}");
        }
        let question = Term::parse_list("e", "domain=?").unwrap()[0].number("e").unwrap_err();
        assert!(question.to_string().contains("domain=NUMBER"), "{question}");
    }
}
