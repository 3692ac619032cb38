//! Why libpfm4 did not encode an event.

use super::abi;
use super::library::Code;
use crate::error::shortened;

/// Why libpfm4 did not encode an event. The message is one line; the event is quoted and its control characters are
/// escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("event {event:?}: libpfm4: {reason}")]
#[non_exhaustive]
pub struct PfmError {
    /// What to tell apart.
    pub kind: PfmErrorKind,
    /// The event as given, shortened if it is very long.
    pub event: String,
    /// The reason in libpfm4's words, such as `invalid or missing unit mask`.
    pub reason: String,
}

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PfmErrorKind {
    /// No PMU that libpfm4 encodes for has an event of this name.
    NotFound,
    /// The event is there, but not as asked for, or the name cannot be one.
    Other,
}

impl PfmErrorKind {
    /// The kind of an error of libpfm4.
    pub(super) fn of(code: Code) -> Self {
        if code.0 == abi::ERR_NOTFOUND { Self::NotFound } else { Self::Other }
    }
}

impl PfmError {
    /// A name that libpfm4 need not be asked about.
    pub(super) fn other(event: &str, reason: &str) -> Self {
        Self { kind: PfmErrorKind::Other, event: shortened(event), reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_one_line() {
        let text = PfmError::other("a\n\x1b[2J", "invalid parameters").to_string();
        assert_eq!(text, r#"event "a\n\u{1b}[2J": libpfm4: invalid parameters"#);
    }
}
