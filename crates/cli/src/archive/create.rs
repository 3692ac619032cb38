//! Makes an archive of a recording and of what it was sampled in.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::Result;
use oprof_collector::is_mapped_file;
use oprof_profile::{Image, ImageId, ImageKind, Recording, open_regular};
use oprof_report::printable;
use oprof_symbolizer::{DebugDirectories, FoundDebugFile, build_id, debug_files};
use tar::{Builder, EntryType, Header};

use super::manifest::{Described, LeftOut, Manifest, identity};
use super::member::{self, MAGIC, MANIFEST, RECORDING};
use crate::new_file::NewFile;
use crate::session::{self, ImageFiles, ImagePlaces, Names, NoFile};
use crate::{report, speak};

/// zstd's level: code packs little better above it.
const LEVEL: i32 = 3;

/// What was put into an archive.
pub(super) struct Made {
    /// Images.
    pub(super) images: usize,
    /// Debug files.
    pub(super) debug_files: usize,
    /// Everything that could be is in it.
    pub(super) is_whole: bool,
}

/// Makes the archive.
pub(super) fn create(
    input: &Path,
    output: &Path,
    root: Option<&Path>,
    directories: &DebugDirectories,
) -> Result<Made> {
    let places =
        ImagePlaces { root: root.map(Path::to_owned), names: Names::Lines, ..ImagePlaces::default() };
    let recording = session::open(input, &places)?;
    let file = NewFile::create(output, &MAGIC, "an archive of oprof's")?;
    let mut packing = Packing {
        files: ImageFiles::new(&places),
        directories,
        manifest: Manifest::new(),
        known: HashSet::new(),
        made: Made { images: 0, debug_files: 0, is_whole: recording.coverage.files_left_out == 0 },
    };
    if let Some(damage) = recording.damage {
        speak::line(&report::damaged(&recording, report::samples(&recording), damage, input));
        packing.made.is_whole = false;
    }
    let written = packing.write(input, &recording, &file.file);
    written.map_err(|error| file.cannot_write(&error))?;
    file.finish()?;
    Ok(packing.made)
}

struct Packing<'a> {
    files: ImageFiles<'a>,
    directories: &'a DebugDirectories,
    manifest: Manifest,
    /// The members that there are.
    known: HashSet<String>,
    made: Made,
}

impl Packing<'_> {
    /// Writes all of it; an error is one of the output.
    fn write(&mut self, input: &Path, recording: &Recording, output: &File) -> io::Result<()> {
        let mut encoder = zstd::stream::write::Encoder::new(output, LEVEL)?;
        // A byte that changes on the way is noticed when it is unpacked.
        encoder.include_checksum(true)?;
        let mut tar = Builder::new(encoder);
        // First, so that a report reads no further.
        self.recording(input, recording, &mut tar)?;
        for (index, image) in sampled_files(recording).into_iter().enumerate() {
            self.image(image, index, &mut tar)?;
        }
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        append(&mut tar, MANIFEST, manifest.len() as u64, manifest.as_slice())?;
        tar.into_inner()?.finish()?.flush()
    }

    fn recording(
        &mut self,
        input: &Path,
        recording: &Recording,
        tar: &mut Builder<impl Write>,
    ) -> io::Result<()> {
        if let Some(file) = open_regular(input) {
            // As it is, with what a later version put into it.
            let length = file.metadata()?.len();
            return append(tar, RECORDING, length, file);
        }
        let mut bytes = Vec::new();
        recording.write(&mut bytes)?;
        append(tar, RECORDING, bytes.len() as u64, bytes.as_slice())
    }

    fn image(&mut self, image: &Image, index: usize, tar: &mut Builder<impl Write>) -> io::Result<()> {
        let (path, file) = match self.files.open(&image.name) {
            Ok(found) => found,
            Err(reason) => {
                self.made.is_whole &= reason == NoFile::Missing;
                let why = match reason {
                    NoFile::Missing => "is not there any more",
                    NoFile::Unreadable => "cannot be read",
                    NoFile::Several => "is there more than once",
                };
                self.leave_out(image, why);
                return Ok(());
            }
        };
        if !is_mapped_file(&file, image.identity, |file| build_id(file).ok().flatten()) {
            self.leave_out(image, "is not the one that was sampled any more");
            return Ok(());
        }
        let member = member::of_image(image, index);
        if self.add(&member, &path, &file, identity(image), tar)? {
            self.made.images += 1;
        }
        for (number, found) in debug_files(&file, Some(&path), self.directories).into_iter().enumerate() {
            let FoundDebugFile { path, build_id, .. } = found;
            let member = member::of_debug_file(build_id, index * 2 + number);
            match open_regular(&path) {
                Some(file) => {
                    let is_new = self.add(&member, &path, &file, String::new(), tar)?;
                    self.made.debug_files += usize::from(is_new);
                }
                None => {
                    speak::line(&format!("{}: cannot be read; left out", path.display()));
                    self.made.is_whole = false;
                }
            }
        }
        Ok(())
    }

    /// Adds a file, unless it is there; gives whether it was added.
    fn add(
        &mut self,
        member: &str,
        path: &Path,
        file: &File,
        identity: String,
        tar: &mut Builder<impl Write>,
    ) -> io::Result<bool> {
        let shown = path.to_string_lossy().into_owned();
        let is_new = self.known.insert(member.to_owned());
        if is_new {
            let length = file.metadata()?.len();
            append(tar, member, length, file)?;
        }
        self.manifest.members.push(Described { member: member.to_owned(), path: shown, identity });
        Ok(is_new)
    }

    fn leave_out(&mut self, image: &Image, why: &str) {
        speak::line(&format!("{}: {why}; left out", printable(&image.name)));
        self.manifest.left_out.push(LeftOut { path: image.name.clone(), why: why.to_owned() });
    }
}

/// The images that have samples or calls and are files.
pub(super) fn sampled_files(recording: &Recording) -> Vec<&Image> {
    let mut sampled: BTreeSet<ImageId> = recording.counts.iter().map(|(key, _)| key.image).collect();
    sampled.extend(recording.calls.iter().flat_map(|(call, _)| [call.caller_image, call.callee_image]));
    let images = sampled.into_iter().filter_map(|id| recording.image(id));
    images.filter(|image| image.kind == ImageKind::File).collect()
}

/// Appends a member: of `length` bytes, whatever becomes of its file meanwhile.
fn append(tar: &mut Builder<impl Write>, name: &str, length: u64, content: impl Read) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_path(name)?;
    header.set_size(length);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    tar.append(&header, content.chain(io::repeat(0)).take(length))
}
