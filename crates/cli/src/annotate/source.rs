//! The text of source files.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use oprof_profile::{Recording, open_regular};
use oprof_report::printable;

use crate::speak;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// Reads source files, each once.
pub(crate) struct Sources {
    /// Where paths that are not absolute begin.
    directory: PathBuf,
    /// When the code ran that was made of them.
    ran: Option<SystemTime>,
    known: RefCell<HashMap<String, Result<Vec<String>, String>>>,
}

impl Sources {
    /// For a recording: paths begin in the directory in which it was made.
    pub(crate) fn new(recording: &Recording) -> Sources {
        let seconds = recording.run.started_unix;
        Sources {
            directory: PathBuf::from(&recording.run.working_directory),
            ran: (seconds > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            known: RefCell::default(),
        }
    }

    /// The lines of a file. That it was changed since the code ran is said on stderr.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) fn lines(&self, path: &str) -> Result<Vec<String>, String> {
        if let Some(known) = self.known.borrow().get(path) {
            return known.clone();
        }
        let lines = self.read(&self.directory.join(path));
        self.known.borrow_mut().insert(path.to_owned(), lines.clone());
        lines
    }

    fn read(&self, path: &Path) -> Result<Vec<String>, String> {
        let shown = path.display();
        let Some(file) = open_regular(path) else {
            return Err(match path.exists() {
                true => format!("{shown} cannot be read"),
                false => format!("{shown} is not there"),
            });
        };
        let metadata = file.metadata().map_err(|error| format!("{shown}: {error}"))?;
        if metadata.len() > LARGEST {
            return Err(format!("{shown} is larger than 16 MiB"));
        }
        if let (Some(ran), Ok(changed)) = (self.ran, metadata.modified())
            && changed > ran + Duration::from_secs(1)
        {
            let shown = printable(&path.to_string_lossy()).into_owned();
            speak::line(&format!(
                "{shown}: changed since the code ran; samples may stand beside other lines"
            ));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| format!("{shown}: {error}"))?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(str::to_owned).collect())
    }
}
