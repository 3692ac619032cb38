//! What the environment says about debuginfod: debuginfod-client-config(7).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The size of a file at most where nothing is said, in bytes. elfutils has no limit then.
const USUAL_LARGEST: u64 = 1 << 30;

/// Why debuginfod cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoDebuginfod {
    /// DEBUGINFOD_URLS names no server that is reached by http or https.
    NoServer,
    /// There is no directory for what is fetched.
    NoDirectory,
}

/// Which servers to ask, and within what limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebuginfodSettings {
    pub(super) servers: Vec<String>,
    /// Where files are kept.
    pub(super) directory: PathBuf,
    /// Within this a server must have sent [`super::download::FIRST_BYTES`], and any further bytes.
    pub(super) timeout: Option<Duration>,
    /// The time that one file may take.
    pub(super) longest: Option<Duration>,
    /// The bytes that one file may have.
    pub(super) largest: Option<u64>,
    /// How often a server is asked that cannot be reached.
    pub(super) attempts: u32,
    /// Whether to tell what is asked and answered.
    pub verbose: bool,
    /// Whether to show progress even where it goes to no terminal.
    pub progress: bool,
}

impl DebuginfodSettings {
    /// The directory for what is fetched.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads the environment through `variable`; `directory` is where files are kept if that does not say.
    ///
    /// # Errors
    ///
    /// [`NoDebuginfod`] where it names no server, or there is no directory. What is no number counts as not set, as
    /// elfutils has it.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<OsString>,
        directory: Option<PathBuf>,
    ) -> Result<DebuginfodSettings, NoDebuginfod> {
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let number = |name| text(name).and_then(|value| value.trim().parse::<i64>().ok());
        let seconds =
            |number: i64| u64::try_from(number).ok().filter(|number| *number > 0).map(Duration::from_secs);
        // Later versions have words of another kind between the URLs, such as `ima:permissive`.
        let is_server = |url: &&str| url.starts_with("http://") || url.starts_with("https://");
        let servers = text("DEBUGINFOD_URLS").unwrap_or_default();
        let servers: Vec<String> = servers.split_whitespace().filter(is_server).map(str::to_owned).collect();
        if servers.is_empty() {
            return Err(NoDebuginfod::NoServer);
        }
        let own = variable("DEBUGINFOD_CACHE_PATH").map(PathBuf::from).filter(|path| path.is_absolute());
        Ok(DebuginfodSettings {
            servers,
            directory: own.or(directory).ok_or(NoDebuginfod::NoDirectory)?,
            timeout: seconds(number("DEBUGINFOD_TIMEOUT").unwrap_or(90)),
            longest: number("DEBUGINFOD_MAXTIME").and_then(seconds),
            largest: match number("DEBUGINFOD_MAXSIZE") {
                Some(size) => u64::try_from(size).ok().filter(|size| *size > 0),
                None => Some(USUAL_LARGEST),
            },
            attempts: number("DEBUGINFOD_RETRY_LIMIT").unwrap_or(2).clamp(1, 100) as u32,
            verbose: text("DEBUGINFOD_VERBOSE").is_some(),
            progress: text("DEBUGINFOD_PROGRESS").is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<DebuginfodSettings, NoDebuginfod> {
        let variable = |name: &str| {
            variables.iter().find(|variable| variable.0 == name).map(|variable| OsString::from(variable.1))
        };
        DebuginfodSettings::from_environment(variable, Some("/cache/debuginfod_client".into()))
    }

    #[test]
    fn servers_are_those_that_can_be_reached() {
        let servers = |urls: &str| settings(&[("DEBUGINFOD_URLS", urls)]).map(|settings| settings.servers);
        let two = servers(" https://one.example/  ima:enforcing http://two.example:8002 file:///x").unwrap();
        assert_eq!(two, ["https://one.example/", "http://two.example:8002"]);
        for none in ["", "  ", "file:///x", "elfutils.org"] {
            assert_eq!(servers(none), Err(NoDebuginfod::NoServer), "{none}");
        }
        assert_eq!(settings(&[]), Err(NoDebuginfod::NoServer));
    }

    #[test]
    fn limits_have_the_manuals_meaning() {
        let urls = ("DEBUGINFOD_URLS", "http://x");
        let usual = settings(&[urls]).unwrap();
        assert_eq!(usual.timeout, Some(Duration::from_secs(90)));
        assert_eq!((usual.longest, usual.largest, usual.attempts), (None, Some(USUAL_LARGEST), 2));
        assert_eq!(usual.directory, PathBuf::from("/cache/debuginfod_client"));
        let set = settings(&[
            urls,
            ("DEBUGINFOD_TIMEOUT", "0"),
            ("DEBUGINFOD_MAXTIME", "7"),
            ("DEBUGINFOD_MAXSIZE", "0"),
            ("DEBUGINFOD_RETRY_LIMIT", "5"),
            ("DEBUGINFOD_CACHE_PATH", "/own"),
            ("DEBUGINFOD_VERBOSE", ""),
        ]);
        let set = set.unwrap();
        assert_eq!((set.timeout, set.longest), (None, Some(Duration::from_secs(7))));
        assert_eq!((set.largest, set.attempts, set.verbose, set.progress), (None, 5, true, false));
        assert_eq!(set.directory, PathBuf::from("/own"));
        let odd = settings(&[urls, ("DEBUGINFOD_TIMEOUT", "soon"), ("DEBUGINFOD_MAXSIZE", "-1")]).unwrap();
        assert_eq!((odd.timeout, odd.largest), (Some(Duration::from_secs(90)), None));
    }
}
