//! The members of an archive: their names, and how they are read from an archive that nobody vouches for.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use anyhow::{Result, anyhow, bail};
use oprof_profile::{BuildId, Image, ImageIdentity, open_regular};
use oprof_report::printable;
use tar::EntryType;

/// The recording.
pub(super) const RECORDING: &str = "recording.data";
/// What tells which image each member is.
pub(super) const MANIFEST: &str = "MANIFEST";
/// How compressed data begins (RFC 8878, 3.1.1).
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// No more than this is unpacked at all, in bytes.
const LARGEST: u64 = 64 << 30;
/// No archive has more members: an image and two debug files for each of thousands.
const MOST_MEMBERS: usize = 200_000;
/// As many bytes may come of each packed one, beyond the first of [`UNSUSPICIOUS`]: code and debugging information come
/// to five.
const HIGHEST_RATIO: u64 = 200;
const UNSUSPICIOUS: u64 = 1 << 30;
/// The window that a frame may ask for, as a power of two: what zstd's levels use without `--ultra`, and more is refused.
const WINDOW: u32 = 27;

/// The member that an image becomes. What has no build id is told apart by what else is known of it.
pub(super) fn of_image(image: &Image, index: usize) -> String {
    match image.identity {
        ImageIdentity::BuildId(id) => format!("images/{}", by_build_id(&id)),
        _ => format!("images/by-number/{index}"),
    }
}

/// The member that a debug file becomes.
pub(super) fn of_debug_file(id: Option<BuildId>, index: usize) -> String {
    match id {
        Some(id) => format!("debug/{}.debug", by_build_id(&id)),
        None => format!("debug/by-number/{index}"),
    }
}

/// `.build-id/ab/cdef`, as debuggers look for it.
fn by_build_id(id: &BuildId) -> String {
    let digits = id.to_string();
    let (first, rest) = digits.split_at_checked(2).unwrap_or((&digits, ""));
    format!(".build-id/{first}/{rest}")
}

/// The file is compressed as archives are.
pub(crate) fn is_archive(path: &Path) -> bool {
    let mut start = Vec::new();
    let file = open_regular(path);
    file.is_some_and(|file| file.take(4).read_to_end(&mut start).is_ok() && start == MAGIC)
}

/// A member as it is read.
pub(super) struct Member<'a> {
    /// Its path, of plain names alone.
    pub(super) name: &'a str,
    /// In bytes.
    pub(super) size: u64,
    /// What it holds.
    pub(super) content: &'a mut dyn Read,
}

/// Gives each file in an archive to `take`, as long as that wants more. What cannot be an archive of ours is an error,
/// before anything of it is given on: links, devices, paths that lead elsewhere, sizes beyond reason.
pub(super) fn each(path: &Path, mut take: impl FnMut(Member<'_>) -> Result<bool>) -> Result<()> {
    let name = path.display();
    let refused = |why: &str| anyhow!("{name}: refused: {why}");
    let file = File::open(path).map_err(|error| anyhow!("{name}: cannot be read: {error}"))?;
    let packed = file.metadata().map_or(0, |metadata| metadata.len());
    let mut decoder = zstd::stream::read::Decoder::with_buffer(BufReader::new(file))
        .map_err(|error| anyhow!("{name}: cannot be unpacked: {error}"))?;
    decoder.window_log_max(WINDOW).map_err(|error| anyhow!("{name}: cannot be unpacked: {error}"))?;
    let most = LARGEST.min(UNSUSPICIOUS.saturating_add(packed.saturating_mul(HIGHEST_RATIO)));
    let mut archive = tar::Archive::new(decoder.take(most));
    let damaged =
        |error: std::io::Error| anyhow!("{name}: is not an archive of oprof's, or damaged: {error}");
    let entries = archive.entries().map_err(damaged)?;
    let mut unpacked = 0_u64;
    // Raw: extensions of the format, for long names, are none of ours, and unfold without a bound.
    for (index, entry) in entries.raw(true).enumerate() {
        let mut entry = entry.map_err(damaged)?;
        if index >= MOST_MEMBERS {
            return Err(refused("it has more members than any archive of oprof's"));
        }
        let size = entry.header().entry_size().map_err(damaged)?;
        unpacked = unpacked.saturating_add(size);
        if unpacked > most {
            return Err(refused("it unpacks to more than any archive of oprof's"));
        }
        if entry.header().entry_type() == EntryType::Directory {
            continue;
        }
        if entry.header().entry_type() != EntryType::Regular {
            return Err(refused("it has members that are no files"));
        }
        let bytes = entry.path_bytes().into_owned();
        let member = plain(&bytes).ok_or_else(|| {
            let shown = String::from_utf8_lossy(&bytes);
            refused(&format!("a member's path leads elsewhere: {}", printable(&shown)))
        })?;
        if !take(Member { name: member, size, content: &mut entry })? {
            return Ok(());
        }
    }
    Ok(())
}

/// The path of a member, if it is relative and of plain names.
fn plain(path: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(path).ok()?;
    let text = text.strip_prefix("./").unwrap_or(text);
    let components = Path::new(OsStr::from_bytes(text.as_bytes())).components();
    let is_plain = components.clone().next().is_some()
        && components.clone().all(|component| matches!(component, Component::Normal(_)))
        && text.chars().all(|character| !character.is_control())
        // As the parts are, so is the whole: no doubled slash.
        && components.map(|component| component.as_os_str().len() + 1).sum::<usize>() == text.len() + 1;
    is_plain.then_some(text)
}

/// The content of a member that is given to `read`.
pub(super) fn find<T>(path: &Path, wanted: &str, read: impl FnOnce(&mut dyn Read) -> Result<T>) -> Result<T> {
    let (mut read, mut found) = (Some(read), None);
    each(path, |member| {
        if member.name != wanted {
            return Ok(true);
        }
        if let Some(read) = read.take() {
            found = Some(read(member.content)?);
        }
        Ok(false)
    })?;
    match found {
        Some(found) => Ok(found),
        None => bail!("{}: has no {wanted} in it, as archives of oprof's have", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_none() {
        for good in ["MANIFEST", "images/.build-id/ab/cd", "./recording.data"] {
            assert_eq!(plain(good.as_bytes()), Some(good.trim_start_matches("./")));
        }
        for bad in [
            "",
            "/etc/passwd",
            "..",
            "a/../b",
            "a/..",
            "./",
            ".",
            "a//b",
            "a/",
            "//a",
            "a/./b",
            "a\nb",
            "a\0b",
        ] {
            assert_eq!(plain(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(plain(b"a\xff"), None);
    }
}
