//! One line of the checklist.

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) verdict: Verdict,
    /// What was looked at, in a word or two.
    pub(crate) what: &'static str,
    /// What was found, and what it means for a recording.
    pub(crate) meaning: String,
    /// What helps, where something does: a command, most often.
    pub(crate) cure: Option<String>,
}

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As good as it gets.
    Ok,
    /// It works, and could work better.
    Limited,
    /// It is not there.
    Missing,
}

impl Check {
    pub(crate) fn ok(what: &'static str, meaning: impl Into<String>) -> Check {
        Check { verdict: Verdict::Ok, what, meaning: meaning.into(), cure: None }
    }

    pub(crate) fn limited(what: &'static str, meaning: impl Into<String>) -> Check {
        Check { verdict: Verdict::Limited, ..Check::ok(what, meaning) }
    }

    pub(crate) fn missing(what: &'static str, meaning: impl Into<String>) -> Check {
        Check { verdict: Verdict::Missing, ..Check::ok(what, meaning) }
    }

    pub(crate) fn cured_by(self, cure: impl Into<String>) -> Check {
        Check { cure: Some(cure.into()), ..self }
    }
}
