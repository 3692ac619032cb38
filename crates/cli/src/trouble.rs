//! Trouble with a recording's file while the command runs.

use oprof_profile::recording::Error;

use crate::speak;

/// The trouble that there is with the file, as far as the user was told of it: the same is said once.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    said: Option<String>,
}

impl Trouble {
    /// Says an error and what follows from it, where that is news.
    pub(crate) fn say(&mut self, error: &Error, consequence: &str) {
        if !self.was_said(error) {
            speak::line(&format!("{error}{consequence}"));
            self.said = Some(error.to_string());
        }
    }

    /// The error was said, and has not been overcome since.
    pub(crate) fn was_said(&self, error: &Error) -> bool {
        self.said.as_deref() == Some(error.to_string().as_str())
    }

    /// All is well again.
    pub(crate) fn end(&mut self) {
        self.said = None;
    }
}
