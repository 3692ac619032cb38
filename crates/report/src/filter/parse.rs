//! Reads a filter.

use oprof_profile::specification::Glob;
use regex_lite::Regex;

use super::FilterError;
use super::expression::Expression;
use super::test::{KEYS, Key, Number, Test, Value};
use super::words::{Kind, Word, words};

/// How deep brackets and `not` may be in one another.
const DEEPEST: usize = 64;

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let words = words(text)?;
    let mut parser = Parser { words: &words, at: 0, end: text.chars().count() + 1, depth: 0 };
    if words.is_empty() {
        return Err(parser.wrong("a test such as symbol=main or image~'lib.*' is missing"));
    }
    let expression = parser.any()?;
    match parser.at == words.len() {
        true => Ok(expression),
        false => Err(parser.wrong("`and`, `or` or the end is expected here")),
    }
}

struct Parser<'a> {
    words: &'a [Word],
    at: usize,
    end: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.factor()?];
        while self.takes("and") {
            parts.push(self.factor()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn factor(&mut self) -> Result<Expression, FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.wrong("brackets are too deep in one another"));
        }
        let factor = if self.takes("not") {
            Expression::Not(Box::new(self.factor()?))
        } else if self.kind() == Some(&Kind::Open) {
            self.at += 1;
            let inner = self.any()?;
            if self.kind() != Some(&Kind::Close) {
                return Err(self.wrong("a ) is missing"));
            }
            self.at += 1;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(factor)
    }

    fn test(&mut self) -> Result<Expression, FilterError> {
        let Some(Kind::Text(name)) = self.kind().cloned() else {
            return Err(self.wrong(&format!("one of {} is expected here", names())));
        };
        let Some((_, key)) = KEYS.iter().find(|(known, _)| *known == name) else {
            let name = crate::printable(&name).into_owned();
            return Err(self.wrong(&format!("'{name}' is none of {}", names())));
        };
        self.at += 1;
        let Some(Kind::Operator(operator)) = self.kind().cloned() else {
            return Err(self.wrong("one of = != ~ !~ < > is expected here"));
        };
        self.at += 1;
        let position = self.position();
        let wrong = |what: String| FilterError { position, what };
        let value = match operator {
            "~" | "!~" => {
                if key.is_number() {
                    return Err(wrong(format!("{name} is a number: use = or !=")));
                }
                let text = self.value()?;
                Value::Pattern(
                    Regex::new(&text).map_err(|error| wrong(format!("no regular expression: {error}")))?,
                )
            }
            "<" | ">" => {
                if !key.is_number() {
                    return Err(wrong(format!("{name} is no number: use = != ~ or !~")));
                }
                let number = self.value()?;
                let number = number
                    .parse()
                    .map_err(|_| wrong(format!("a number is expected behind {name}{operator}")))?;
                match operator {
                    "<" => Value::Numbers(vec![Number { first: 0, last: u64::checked_sub(number, 1) }]),
                    _ => {
                        Value::Numbers(vec![Number { first: number.saturating_add(1), last: Some(u64::MAX) }])
                    }
                }
            }
            _ => self.values(*key, &name)?,
        };
        Ok(match operator {
            "!=" | "!~" => Expression::Not(Box::new(Expression::Test(Test { key: *key, value }))),
            _ => Expression::Test(Test { key: *key, value }),
        })
    }

    /// One value or several, with commas between them.
    fn values(&mut self, key: Key, name: &str) -> Result<Value, FilterError> {
        let mut texts = Vec::new();
        loop {
            let position = self.position();
            texts.push((position, self.value()?));
            if self.kind() != Some(&Kind::Comma) {
                break;
            }
            self.at += 1;
        }
        if key == Key::Kernel {
            let (position, text) = &texts[0];
            return match (text.as_str(), texts.len()) {
                ("yes" | "1" | "true", 1) => Ok(Value::Flag(true)),
                ("no" | "0" | "false", 1) => Ok(Value::Flag(false)),
                _ => Err(FilterError { position: *position, what: "use kernel=yes or kernel=no".to_owned() }),
            };
        }
        if key.is_number() {
            let number = |(position, text): &(usize, String)| {
                Number::parse(text).ok_or_else(|| FilterError {
                    position: *position,
                    what: format!("{name} is a number such as 3, or a range such as 0..3"),
                })
            };
            return Ok(Value::Numbers(texts.iter().map(number).collect::<Result<_, _>>()?));
        }
        Ok(Value::Names(texts.into_iter().map(|(_, text)| (Glob::new(&text), text)).collect()))
    }

    fn value(&mut self) -> Result<String, FilterError> {
        match self.kind().cloned() {
            Some(Kind::Text(text) | Kind::Quoted(text)) => {
                self.at += 1;
                Ok(text)
            }
            _ => Err(self.wrong("a value is missing; one with blanks or brackets stands in quotes")),
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_there = matches!(self.kind(), Some(Kind::Text(text)) if text == word);
        self.at += usize::from(is_there);
        is_there
    }

    fn kind(&self) -> Option<&Kind> {
        self.words.get(self.at).map(|word| &word.kind)
    }

    fn position(&self) -> usize {
        self.words.get(self.at).map_or(self.end, |word| word.position)
    }

    fn wrong(&self, what: &str) -> FilterError {
        FilterError { position: self.position(), what: what.to_owned() }
    }
}

fn names() -> String {
    KEYS.map(|(name, _)| name).join(", ")
}
