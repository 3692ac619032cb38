//! Lists with commas.

use super::SpecificationError;

/// Splits a list at its commas; `\,` is a comma that is part of an item, and a backslash before anything else stays.
pub fn split_list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, items.last_mut()) {
            (',', _) => items.push(String::new()),
            ('\\', Some(item)) if characters.peek() == Some(&',') => {
                item.push(',');
                characters.next();
            }
            (character, Some(item)) => item.push(character),
            (_, None) => {}
        }
    }
    items.retain(|item| !item.is_empty());
    items
}

/// A list of numbers, or all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(Option<Vec<u64>>);

impl Numbers {
    /// Reads numbers with commas between them, in C's notation (0x1f, 037), or `all` among them.
    pub(super) fn parse(
        argument: &str,
        tag: &'static str,
        value: &str,
    ) -> Result<Numbers, SpecificationError> {
        let items = split_list(value);
        if items.iter().any(|item| item == "all") {
            return Ok(Numbers(None));
        }
        let numbers = items.iter().map(|item| {
            number(item).ok_or_else(|| SpecificationError::NotANumber {
                argument: argument.to_owned(),
                tag,
                value: item.clone(),
            })
        });
        Ok(Numbers(Some(numbers.collect::<Result<_, _>>()?)))
    }

    /// Every number is in it.
    pub fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// The numbers; `None` for all.
    pub fn list(&self) -> Option<&[u64]> {
        self.0.as_deref()
    }

    /// The number is in it; what has no number (`None`) is in the list of all only.
    pub fn contains(&self, number: Option<u64>) -> bool {
        match (&self.0, number) {
            (None, _) => true,
            (Some(numbers), Some(number)) => numbers.contains(&number),
            (Some(_), None) => false,
        }
    }
}

/// A number as strtoul(3) reads it with base 0: 0x before hexadecimal, 0 before octal.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // from_str_radix takes a sign.
    let all_digits = digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_is_kept_by_a_backslash() {
        assert_eq!(split_list(r"a\,b,c,\d,"), ["a,b", "c", r"\d"]);
        assert!(split_list("").is_empty() && split_list(",,").is_empty());
    }

    #[test]
    fn numbers_are_in_cs_notation() {
        for (text, value) in [("0", 0), ("31", 31), ("0x1f", 31), ("037", 31), ("0X1F", 31)] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for wrong in ["", "abc", "-1", "+1", "0x", "0x+1", "08", "1 ", "99999999999999999999", "é"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_has_no_number_is_in_the_list_of_all_only() {
        let some = Numbers::parse("cpu:1,2", "cpu", "1,2").expect("numbers");
        assert!(some.contains(Some(2)) && !some.contains(Some(3)) && !some.contains(None));
        let all = Numbers::parse("cpu:1,all", "cpu", "1,all").expect("numbers");
        assert!(all.contains(None) && all.is_all() && Numbers::default().is_all());
    }
}
