//! `oprof cache`: shows what is kept of images to name their code quickly, and empties it.

mod settings;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, bail};
use oprof_report::{counted, grouped, printable};
use oprof_symbolizer::{Cache, CachedImage, Symbolizer};

use crate::arguments::CacheOptions;
use crate::{parallel, size, speak};

/// How long making indexes may take about when a recording has been written: this, or a twentieth of the time that was
/// recorded if that is more, up to a limit. What is left may be made by the next run.
const LEAST: Duration = Duration::from_millis(500);
const MOST: Duration = Duration::from_secs(2);

/// Gives the symbolizer the user's cache. Where that cannot be used there is none, and `verbose` says why.
///
/// # Errors
///
/// The size that the environment asks for is none.
pub(crate) fn give(symbolizer: Symbolizer, verbose: bool) -> Result<Symbolizer> {
    let size = settings::size()?;
    let Some(directory) = settings::directory().filter(|_| size > 0) else { return Ok(symbolizer) };
    match Cache::create(&directory, size) {
        Ok(cache) => Ok(symbolizer.with_cache(cache)),
        Err(error) => {
            if verbose {
                speak::line(&format!("names are not cached: {}: {error}", directory.display()));
            }
            Ok(symbolizer)
        }
    }
}

/// Keeps what would have been useful in the cache; to be called when the user waits for nothing else. `recorded` is how
/// long the recording took.
pub(crate) fn fill(symbolizer: &Symbolizer, recorded: Duration, verbose: bool) {
    let stored = parallel::run(|| symbolizer.store_indexes((recorded / 20).clamp(LEAST, MOST)));
    if !verbose {
        return;
    }
    if stored.written > 0 {
        speak::line(&format!(
            "names of {} are cached now",
            counted(stored.written as u64, "image", "images")
        ));
    }
    if let Some(error) = stored.error {
        speak::line(&format!("names are not cached: {error}"));
    }
}

/// Shows or empties the cache.
pub(crate) fn cache(options: &CacheOptions) -> Result<ExitCode> {
    let most = settings::size()?;
    let Some(directory) = settings::directory() else {
        bail!("there is no cache directory: neither XDG_CACHE_HOME nor HOME is an absolute path")
    };
    let shown = printable(&directory.to_string_lossy()).into_owned();
    let lines = match Cache::open(&directory, most) {
        Ok(cache) if options.clear => {
            let freed = cache.clear().map_err(|error| anyhow!("{shown}: not emptied: {error}"))?;
            vec![format!("{shown}: {} removed, {} freed", indexes(freed.indexes), size::shown(freed.bytes))]
        }
        Ok(cache) => {
            let images = cache.images().map_err(|error| anyhow!("{shown}: {error}"))?;
            lines(&shown, &images, most)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => vec![format!("{shown}: nothing is cached")],
        Err(error) => bail!("{shown}: not used: {error}"),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn indexes(number: usize) -> String {
    counted(number as u64, "index", "indexes")
}

/// The directory and what it holds, then a table of the images.
fn lines(directory: &str, images: &[CachedImage], most: u64) -> Vec<String> {
    let taken = size::shown(images.iter().map(|image| image.size).sum());
    let limit = match most {
        0 => format!("; the cache is off ({} is 0)", settings::SIZE),
        most => format!(" of at most {}", size::shown(most)),
    };
    let mut lines = vec![format!("{directory}: {}, {taken}{limit}", indexes(images.len()))];
    if images.is_empty() {
        return lines;
    }
    lines.push(format!("{:>9}  {:>8}  {:<14}  {:<40}  image", "functions", "size", "last use", "build id"));
    let now = SystemTime::now();
    for image in images {
        let id = if image.build_id.is_empty() { "none" } else { &image.build_id };
        lines.push(format!(
            "{:>9}  {:>8}  {:<14}  {id:<40}  {}",
            grouped(image.functions),
            size::shown(image.size),
            ago(now.duration_since(image.used).unwrap_or_default()),
            path(&image.path)
        ));
    }
    lines
}

fn path(path: &Path) -> String {
    match path.to_string_lossy() {
        path if path.is_empty() => "?".into(),
        path => printable(&path).into_owned(),
    }
}

/// A time that has passed, in its largest unit.
fn ago(time: Duration) -> String {
    let units = [(86400, "day", "days"), (3600, "hour", "hours"), (60, "minute", "minutes")];
    let largest = units.iter().find(|(seconds, _, _)| time.as_secs() >= *seconds);
    largest.map_or("now".to_owned(), |(seconds, one, many)| {
        format!("{} ago", counted(time.as_secs() / seconds, one, many))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_their_largest_unit() {
        let times = [0, 59, 60, 7199, 86400, 90 * 86400].map(|seconds| ago(Duration::from_secs(seconds)));
        assert_eq!(times, ["now", "now", "1 minute ago", "1 hour ago", "1 day ago", "90 days ago"]);
    }
}
