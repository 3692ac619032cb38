//! What can be wrong with a profile specification.

/// What can be wrong with a profile specification; each message names the argument and the cure. Arguments are as they
/// were given: who prints them makes them printable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecificationError {
    /// The same argument is there twice.
    #[error("{0}: given twice; leave one of the two out")]
    Twice(String),
    /// A tag without a value.
    #[error("{0}: has no value; write one after the colon, or leave it out")]
    Empty(String),
    /// A number was to be there.
    #[error("{argument}: '{value}' is no number; use numbers with commas between them, such as {tag}:0,0x1f")]
    NotANumber {
        /// The argument.
        argument: String,
        /// Its tag.
        tag: &'static str,
        /// The part that is no number.
        value: String,
    },
    /// Only one can be there.
    #[error("{0}: names several; name one")]
    Several(String),
    /// Every session that was named is left out again.
    #[error("no session is left: each that session: names is left out by session-exclude:")]
    NoSessionLeft,
    /// Braces that do not hold two profiles.
    #[error(
        "'{0}': to compare two profiles, write {{ FIRST.. }} {{ SECOND.. }} at the end, each brace as a word of its own"
    )]
    Braces(String),
    /// Nothing stands in the first braces.
    #[error("the first braces are empty; name there what to compare with: {{ session:before }} {{ }}")]
    EmptyFirst,
    /// Two profiles are given to what reads one.
    #[error("profiles are compared by opreport -l and oprof diff alone; leave out the braces")]
    NotCompared,
}
