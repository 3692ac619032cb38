//! Unpacks an archive into a directory.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use oprof_report::printable;

use super::manifest::Manifest;
use super::member::{self, MANIFEST, Member};
use crate::own_file;

/// Unpacks all of it; gives how many files there were.
pub(super) fn extract(archive: &Path, directory: &Path) -> Result<u64> {
    make_empty(directory)?;
    let mut files = 0;
    member::each(archive, |member| {
        write(directory, member)?;
        files += 1;
        Ok(true)
    })?;
    Ok(files)
}

/// Makes the directory, for its owner alone, unless it is there and empty.
pub(crate) fn make_empty(directory: &Path) -> Result<()> {
    let name = directory.display();
    let metadata = match directory.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return DirBuilder::new().mode(0o700).create(directory).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    anyhow!("{name}: the directory that it is to be in is not there; create it")
                }
                _ => anyhow!("{name}: cannot be made: {error}"),
            });
        }
        metadata => metadata.map_err(|error| anyhow!("{name}: cannot be written: {error}"))?,
    };
    if metadata.is_symlink() {
        bail!("{name}: is a symbolic link, which is not followed; choose another directory");
    }
    if !metadata.is_dir() {
        bail!("{name}: is not a directory; choose another");
    }
    let mut entries = fs::read_dir(directory).map_err(|error| anyhow!("{name}: cannot be read: {error}"))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => bail!("{name}: is not empty, left as it is; choose another directory"),
    }
}

fn write(directory: &Path, member: Member<'_>) -> Result<()> {
    let path = directory.join(member.name);
    let failed = |error: io::Error| {
        let cure = if error.kind() == io::ErrorKind::StorageFull { "; free some space there" } else { "" };
        anyhow!("{}: cannot be written: {error}{cure}", path.display())
    };
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
    }
    let mut file = own_file::open_options().write(true).create_new(true).open(&path).map_err(failed)?;
    let written = io::copy(member.content, &mut file).and_then(|length| match length == member.size {
        true => file.flush(),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    });
    written.map_err(|error| {
        // No half file.
        let _ = fs::remove_file(&path);
        failed(error)
    })
}

/// Lists the members with their sizes in bytes, and where each of them was.
pub(super) fn list(archive: &Path, out: &mut dyn Write) -> Result<()> {
    let mut members: Vec<(String, u64)> = Vec::new();
    let mut manifest = None;
    member::each(archive, |member| {
        members.push((member.name.to_owned(), member.size));
        if member.name == MANIFEST {
            manifest = Some(Manifest::read(member.content)?);
        }
        Ok(true)
    })?;
    let manifest = manifest.unwrap_or_default();
    let of = manifest.members.iter().map(|described| (described.member.as_str(), described.path.as_str()));
    let of: HashMap<&str, &str> = of.collect();
    for (name, size) in &members {
        let path = of.get(name.as_str()).map(|path| format!("  {}", printable(path))).unwrap_or_default();
        writeln!(out, "{size:>12}  {}{path}", printable(name))?;
    }
    for left_out in &manifest.left_out {
        writeln!(out, "{:>12}  {}: {}", "-", printable(&left_out.path), printable(&left_out.why))?;
    }
    Ok(())
}
