//! The user's directories for one kind of files each.

use std::env;
use std::path::PathBuf;

/// A directory of the XDG Base Directory Specification: an absolute path in the variable, else below the home directory.
/// `None` where the user has neither.
pub(crate) fn user_directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |variable| env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))
}
