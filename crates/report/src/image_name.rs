//! Names of images and apps, folded: images of one name are one, however many files have borne it.

use std::borrow::Cow;

use oprof_profile::{ImageId, ImageKind, ProcessId, Recording};
use rustc_hash::FxHashMap;

/// Index of a name in [`ImageNames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(u32);

impl NameId {
    /// Of what is not known.
    pub(crate) const UNKNOWN: NameId = NameId(0);
}

/// What a name is of, in the order of OProfile's sample files: `{anon`, `{kern`, `{root`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NameKind {
    /// Memory without a file, and all else.
    Memory,
    /// A part of the kernel.
    Kernel,
    /// A file.
    File,
}

/// The name of an image or an app.
#[derive(Debug)]
pub(crate) struct Name<'r> {
    /// The path of a file; for the rest a name in brackets.
    pub(crate) full: Cow<'r, str>,
    /// The last part of the path.
    pub(crate) short: Cow<'r, str>,
    /// The name without what differs from run to run: whose memory it is, and where.
    pub(crate) bare: &'r str,
    /// Of what kind the thing is, for the order of OProfile's sample files.
    pub(crate) kind: NameKind,
}

/// The names of a recording's images, and of its processes' apps.
///
/// A file that is rebuilt and run again while recording (a test program under one path) is one name: its builds
/// are the same thing to who reads a report.
#[derive(Debug)]
pub(crate) struct ImageNames<'r> {
    names: Vec<Name<'r>>,
    of_image: Vec<NameId>,
    of_process: Vec<NameId>,
}

impl<'r> ImageNames<'r> {
    pub(crate) fn new(recording: &'r Recording, oprofile_words: bool) -> ImageNames<'r> {
        let mut names = vec![Name {
            full: "[unknown]".into(),
            short: "[unknown]".into(),
            bare: "[unknown]",
            kind: NameKind::Memory,
        }];
        let mut known: FxHashMap<Cow<'r, str>, NameId> = FxHashMap::default();
        known.insert("[unknown]".into(), NameId::UNKNOWN);
        let mut of_image = Vec::with_capacity(recording.images.len());
        for image in &recording.images {
            let full =
                if oprofile_words { image.oprofile_name() } else { Cow::Borrowed(image.name.as_str()) };
            of_image.push(*known.entry(full.clone()).or_insert_with(|| {
                names.push(Name {
                    short: match full {
                        // Memory has no path to be cut.
                        Cow::Owned(_)
                            if image.kind != ImageKind::Kernel && image.kind != ImageKind::KernelModule =>
                        {
                            full.clone()
                        }
                        _ => image.short_name().into(),
                    },
                    full,
                    bare: &image.name,
                    kind: match image.kind {
                        ImageKind::File => NameKind::File,
                        // OProfile takes it for a file of this name.
                        ImageKind::Kernel if image.name.starts_with('/') => NameKind::File,
                        ImageKind::Kernel | ImageKind::KernelModule => NameKind::Kernel,
                        _ => NameKind::Memory,
                    },
                });
                NameId(names.len() as u32 - 1)
            }));
        }
        // A process whose main image was never seen goes by its command name, in a map of its own: the name must
        // not be taken for that of an image.
        let mut commands = FxHashMap::default();
        let mut of_process = Vec::with_capacity(recording.processes.len());
        for process in &recording.processes {
            let image = process.app.and_then(|app| of_image.get(app.0 as usize).copied());
            of_process.push(match image {
                Some(name) => name,
                None if process.comm.is_empty() => NameId::UNKNOWN,
                None => *commands.entry(process.comm.as_str()).or_insert_with(|| {
                    let name = format!("[{}]", process.comm);
                    names.push(Name {
                        full: name.clone().into(),
                        short: name.into(),
                        bare: &process.comm,
                        kind: NameKind::Memory,
                    });
                    NameId(names.len() as u32 - 1)
                }),
            });
        }
        ImageNames { names, of_image, of_process }
    }

    /// The name of an image.
    pub(crate) fn image(&self, id: ImageId) -> NameId {
        self.of_image.get(id.0 as usize).copied().unwrap_or(NameId::UNKNOWN)
    }

    /// The name of a process's app.
    pub(crate) fn app(&self, id: ProcessId) -> NameId {
        self.of_process.get(id.0 as usize).copied().unwrap_or(NameId::UNKNOWN)
    }

    /// The name of this index.
    pub(crate) fn name(&self, id: NameId) -> &Name<'r> {
        &self.names[id.0 as usize]
    }

    /// The name as a report shows it.
    pub(crate) fn text(&self, id: NameId, long: bool) -> &str {
        let name = self.name(id);
        if long { &name.full } else { &name.short }
    }
}
