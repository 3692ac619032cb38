//! Lines of source files, folded: a line is the same in every image that has it.

use oprof_profile::{Key, Recording};
use rustc_hash::FxHashMap;

/// A line of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LineId {
    path: u32,
    line: u32,
}

/// The source files of a recording.
pub(crate) struct SourceLines<'r> {
    recording: &'r Recording,
    paths: Vec<&'r str>,
    /// For each image, for each of its files, the index in `paths`.
    of_image: Vec<Vec<u32>>,
}

impl<'r> SourceLines<'r> {
    pub(crate) fn new(recording: &'r Recording) -> SourceLines<'r> {
        let mut paths: Vec<&str> = Vec::new();
        let mut known: FxHashMap<&str, u32> = FxHashMap::default();
        let mut index = |path: &'r str| {
            *known.entry(path).or_insert_with(|| {
                paths.push(path);
                paths.len() as u32 - 1
            })
        };
        let of_image = recording
            .names
            .iter()
            .map(|names| names.files.iter().map(|path| index(path)).collect())
            .collect();
        SourceLines { recording, paths, of_image }
    }

    /// The line that the code of a sample was made of.
    pub(crate) fn of(&self, key: &Key) -> Option<LineId> {
        let line = self.recording.image_names(key.image)?.place(key.offset)?.line?;
        let path = *self.of_image.get(key.image.0 as usize)?.get(line.file.0 as usize)?;
        Some(LineId { path, line: line.line })
    }

    /// The file and the line of this index.
    pub(crate) fn text(&self, id: LineId) -> (&'r str, u32) {
        (self.paths.get(id.path as usize).copied().unwrap_or_default(), id.line)
    }
}
