//! The user's configuration file: `oprof/config.toml` in the directory for configuration.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Result, bail};
use serde::Deserialize;

use crate::user_directory::user_directory;

/// What can be configured. What is not said is as by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Whether `oprof record` fetches debug files from debuginfod without being asked each time.
    pub(crate) debuginfod: bool,
}

impl Config {
    /// Reads the file; none is an empty one.
    ///
    /// # Errors
    ///
    /// It cannot be read or understood; the message names the line.
    pub(crate) fn read() -> Result<Config> {
        let Some(directory) = user_directory("XDG_CONFIG_HOME", ".config") else {
            return Ok(Config::default());
        };
        let path = directory.join("oprof/config.toml");
        match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(&text, &path),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(Config::default())
            }
            // Of a directory that is not this user's, as HOME can be under sudo, there is no saying that it holds a file.
            Err(_) if path.symlink_metadata().is_err() => Ok(Config::default()),
            Err(error) => {
                bail!("{}: cannot be read: {error}; make it readable, or remove it", path.display())
            }
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Config> {
        toml::from_str(text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.as_bytes()[..place].iter().filter(|&&byte| byte == b'\n').count();
            let what = error.message().replace('\n', " ");
            anyhow::anyhow!("{}:{line}: {what}; `debuginfod = true` is all that can be set", path.display())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_counts_and_the_rest_is_as_by_default() {
        let parse = |text| Config::parse(text, Path::new("c.toml")).expect("valid");
        assert_eq!(parse(""), Config::default());
        assert!(parse("# Fedora's\ndebuginfod = true\n").debuginfod);
        assert!(!parse("debuginfod = false").debuginfod);
    }

    #[test]
    fn mistakes_are_one_line_that_names_theirs() {
        for (text, line, word) in
            [("\ndebuginfo = true", 2, "debuginfo"), ("debuginfod = 1", 1, "boolean"), ("\n\n[x", 3, "x")]
        {
            let message = Config::parse(text, Path::new("c.toml")).expect_err("a mistake").to_string();
            assert!(message.starts_with(&format!("c.toml:{line}: ")), "{message}");
            assert!(message.contains(word) || word == "x", "{message}");
            assert!(!message.contains('\n') && message.ends_with("can be set"), "{message}");
        }
    }
}
