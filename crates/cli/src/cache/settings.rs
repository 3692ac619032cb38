//! Where the cache of names is and how large it may become.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail};
use oprof_symbolizer::Cache;

use crate::size::{self, NoSize};
use crate::user_directory::user_directory;

/// The environment variable that says how large it may become.
pub(super) const SIZE: &str = "OPROF_CACHE_SIZE";

/// The folder of this program in the user's cache directory; `None` where the user has none.
pub(super) fn directory() -> Option<PathBuf> {
    Some(user_directory("XDG_CACHE_HOME", ".cache")?.join("oprof"))
}

/// The most bytes that it may have; 0 turns it off.
///
/// # Errors
///
/// What is in the variable is no size.
pub(super) fn size() -> Result<u64> {
    let Some(text) = env::var_os(SIZE).filter(|text| !text.is_empty()) else { return Ok(Cache::USUAL_SIZE) };
    let text = text.to_string_lossy();
    match size::parse(&text) {
        Ok(size) => Ok(size),
        Err(NoSize::TooLarge) => Ok(u64::MAX),
        Err(NoSize::Malformed) => {
            bail!("{SIZE}={text}: not a size such as 512M or 2G; 0 turns the cache off")
        }
    }
}
