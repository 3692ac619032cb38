//! Profile specifications: which samples a command is about, as OProfile's tools are told.
//!
//! A specification is a list of arguments, each `TAG:VALUE` or the name of a file:
//!
//! | argument | the samples |
//! |---|---|
//! | `archive:DIR` | of what was archived in a directory |
//! | `session:A,B` | of these sessions, by name, or by a path that starts with `.` or `/`; of `current` where none is named |
//! | `session-exclude:A,B` | not of these |
//! | `image:GLOB,..` | of these applications |
//! | `image-exclude:GLOB,..` | not of these applications and images |
//! | `lib-image:GLOB,..`, `lib-image-exclude:GLOB,..` | in these images; not in them |
//! | `event:NAME,..`, `count:N,..`, `unit-mask:N,..` | of these events |
//! | `cpu:N,..`, `tgid:N,..`, `tid:N,..` | on these CPUs, of these processes and threads, where they are told apart |
//! | a path, or a glob | of this application, or in this image |
//!
//! A comma that is part of a value is written `\,`. A tag that is given again takes the place of the one before;
//! with the same value it is a mistake. Several tags must all hold; a file name is enough by itself. After the common
//! arguments two profiles may be compared: `COMMON.. { FIRST.. } { SECOND.. }`.
//!
//! The rules are those of OProfile 1.5's own (its `pp_interface`), but for `lib-image-exclude:` and lists of
//! sessions, which it documents and does not have.

mod error;
mod glob;
mod list;
mod parse;
mod profiles;
mod sampled;
mod selection;
mod unmatched;

use std::path::PathBuf;

pub use error::SpecificationError;
pub use glob::Glob;
pub use list::{Numbers, split_list};
pub use profiles::Profiles;
pub use sampled::Sampled;
pub use selection::Selection;

/// The session that is meant where none is named.
pub const CURRENT_SESSION: &str = "current";

/// Which samples a command is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Specification {
    /// The directory of an archive.
    pub archive: Option<PathBuf>,
    /// Names or paths of sessions; empty where none is named.
    pub sessions: Vec<String>,
    /// Names or paths of sessions to leave out.
    pub sessions_excluded: Vec<String>,
    /// Applications.
    pub images: Vec<Glob>,
    /// Applications and images to leave out.
    pub images_excluded: Vec<Glob>,
    /// Images.
    pub lib_images: Vec<Glob>,
    /// Images to leave out.
    pub lib_images_excluded: Vec<Glob>,
    /// Names of events; `None` for all.
    pub events: Option<Vec<String>>,
    /// Counts of events.
    pub counts: Numbers,
    /// Unit masks of events.
    pub unit_masks: Numbers,
    /// CPUs.
    pub cpus: Numbers,
    /// Processes.
    pub tgids: Numbers,
    /// Threads.
    pub tids: Numbers,
    /// What was given without a tag, as it was given: files of recordings, applications, images.
    pub files: Vec<String>,
    /// Arguments whose place another of the same tag has taken.
    pub replaced: Vec<String>,
}

impl Specification {
    /// Reads the arguments of one profile.
    ///
    /// # Errors
    /// Where one is malformed, or the same is given twice.
    pub fn parse<S: AsRef<str>>(arguments: &[S]) -> Result<Specification, SpecificationError> {
        parse::parse(arguments)
    }

    /// The sessions to read: those named, or the current one, without those to leave out.
    ///
    /// # Errors
    /// Where none is left.
    pub fn sessions(&self) -> Result<Vec<String>, SpecificationError> {
        let named = match self.sessions.as_slice() {
            [] => vec![CURRENT_SESSION.to_owned()],
            named => named.to_vec(),
        };
        let mut left: Vec<String> = Vec::new();
        for name in named {
            if !self.sessions_excluded.contains(&name) && !left.contains(&name) {
                left.push(name);
            }
        }
        match left.is_empty() {
            true => Err(SpecificationError::NoSessionLeft),
            false => Ok(left),
        }
    }

    /// Every argument that chooses among the samples of a session, to say what it was that chose none.
    pub fn chooses(&self) -> bool {
        let globs = [&self.images, &self.images_excluded, &self.lib_images, &self.lib_images_excluded];
        let numbers = [&self.counts, &self.unit_masks, &self.cpus, &self.tgids, &self.tids];
        self.events.is_some()
            || !self.files.is_empty()
            || globs.iter().any(|globs| !globs.is_empty())
            || numbers.iter().any(|numbers| !numbers.is_all())
    }

    /// Puts the real paths of files, as `real_path` finds them, in the place of what was given for an application
    /// or image: samples are of what a symbolic link points to. `None` where there is no such file: it may be a glob,
    /// or a file that is gone.
    pub fn resolve(&mut self, real_path: impl Fn(&str) -> Option<String>) {
        let globs = [
            &mut self.images,
            &mut self.images_excluded,
            &mut self.lib_images,
            &mut self.lib_images_excluded,
        ];
        for glob in globs.into_iter().flatten() {
            if let Some(path) = real_path(glob.pattern()) {
                *glob = Glob::literal(&path);
            }
        }
        for file in &mut self.files {
            if let Some(path) = real_path(file) {
                *file = glob::escaped(&path);
            }
        }
    }
}
