//! A pager for what does not fit the terminal.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crate::terminal;

/// Writes text to standard output, through a pager where that is a terminal with fewer lines than there are.
///
/// The pager is `$OPROF_PAGER`, else `$PAGER`, else `less`, which ends by itself where all fits; its words are parted at
/// blanks, and no shell sees them. `cat` and an empty value mean none.
///
/// # Errors
/// Where standard output cannot be written. A pager that cannot be started is none.
pub(crate) fn print(text: &[u8], wanted: bool) -> io::Result<()> {
    let stdout = io::stdout();
    let height = terminal::terminal(&stdout).and_then(|terminal| terminal.height);
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    let is_longer = wanted && height.is_some_and(|height| lines >= usize::from(height));
    if let Some(words) = command().filter(|_| is_longer) {
        let mut pager = Command::new(&words[0]);
        pager.args(&words[1..]).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            // Ends where all fits, colours, cuts lines, leaves the screen.
            pager.env("LESS", "FRSX");
        }
        if let Ok(mut child) = pager.spawn() {
            if let Some(mut input) = child.stdin.take() {
                // Who leaves the pager has seen enough.
                let _ = input.write_all(text);
            }
            child.wait()?;
            return Ok(());
        }
    }
    let mut out = stdout.lock();
    out.write_all(text)?;
    out.flush()
}

/// The words of the pager's command; `None` for none.
fn command() -> Option<Vec<String>> {
    let named = ["OPROF_PAGER", "PAGER"].into_iter().find_map(|name| std::env::var(name).ok());
    words(named.as_deref().unwrap_or("less"))
}

fn words(command: &str) -> Option<Vec<String>> {
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    (!words.is_empty() && words[0] != "cat").then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_words_and_not_a_script() {
        assert_eq!(words("less -S"), Some(vec!["less".to_owned(), "-S".to_owned()]));
        assert_eq!(words("sh;rm"), Some(vec!["sh;rm".to_owned()]));
        assert_eq!((words(""), words("cat")), (None, None));
    }
}
