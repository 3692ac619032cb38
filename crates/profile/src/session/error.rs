//! What can go wrong with a session as a whole.

use std::io;
use std::path::PathBuf;

use super::NotAnAbi;

/// Why a session cannot be read at all; each message names the directory and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// There is no such directory.
    #[error("{}: no such directory; name the one that holds OProfile's `samples`, such as oprofile_data", .0.display())]
    Missing(PathBuf),
    /// It holds no samples directory.
    #[error("{}: no session: it has no directory `samples`; name oprofile_data, or what oparchive made", .0.display())]
    NotASession(PathBuf),
    /// The directory cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no session of this name in the directory.
    #[error("{}: no session {name}; there {}", path.display(), sessions(known))]
    NoSuchSession {
        /// The session directory.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The file that says how numbers are laid out is wrong.
    #[error("{}: {what}; take the one of the machine that took the samples", path.display())]
    Abi {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: NotAnAbi,
    },
}

fn sessions(known: &[String]) -> String {
    match known {
        [] => "are none".to_owned(),
        [one] => format!("is {one}"),
        several => format!("are {}", several.join(", ")),
    }
}
