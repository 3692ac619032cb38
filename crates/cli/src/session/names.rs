//! Gives names to the sampled code of a session, by OProfile's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use oprof_profile::{
    Image, ImageAddress, ImageId, ImageIdentity, ImageKind, ImageNames, ImageOffset, MemoryRegion, Recording,
    Segment, Unresolved, open_regular,
};
use oprof_report::printable;
use oprof_symbolizer::{DebugDirectories, OffsetOrigin, OprofileNames, Symbolizer, resolve_kernel_text};

use super::image_file::{ImageFiles, ImagePlaces, Names, NoFile};

/// The kernel's symbols as a file.
const KALLSYMS: &str = "/proc/kallsyms";

/// Gives names to everything that was sampled or called; `jit_images` are the session's files of code of JIT compilers.
/// Returns what the user should know of images, a line each.
pub(super) fn name(recording: &mut Recording, jit_images: &[PathBuf], places: &ImagePlaces) -> Vec<String> {
    if places.names == Names::Nothing {
        return Vec::new();
    }
    let directories = match &places.root {
        Some(root) => DebugDirectories::below(root),
        None => DebugDirectories::default(),
    };
    let mut namer = Namer {
        files: ImageFiles::new(places),
        symbolizer: Symbolizer::new(directories),
        jit_images,
        beyond: !places.as_oprofile,
        lines: places.names == Names::Lines,
        warnings: Vec::new(),
    };
    let mut names = vec![ImageNames::default(); recording.images.len()];
    for (id, offsets) in sampled_offsets(recording) {
        if let Some(image) = recording.image(id) {
            names[id.0 as usize] = namer.names(image, &offsets);
        }
    }
    recording.names = names;
    namer.warnings
}

/// The offsets of each image that samples or calls are of, ascending and distinct.
fn sampled_offsets(recording: &Recording) -> BTreeMap<ImageId, Vec<ImageOffset>> {
    let mut offsets: BTreeMap<ImageId, BTreeSet<ImageOffset>> = BTreeMap::new();
    for (key, _) in recording.counts.iter() {
        offsets.entry(key.image).or_default().insert(key.offset);
    }
    for (call, _) in recording.calls.iter() {
        offsets.entry(call.caller_image).or_default().insert(call.caller);
        offsets.entry(call.callee_image).or_default().insert(call.callee);
    }
    offsets.into_iter().map(|(image, offsets)| (image, offsets.into_iter().collect())).collect()
}

struct Namer<'a> {
    files: ImageFiles<'a>,
    symbolizer: Symbolizer,
    jit_images: &'a [PathBuf],
    /// What OProfile does not know counts, too.
    beyond: bool,
    lines: bool,
    warnings: Vec<String>,
}

impl Namer<'_> {
    fn names(&mut self, image: &Image, offsets: &[ImageOffset]) -> ImageNames {
        let unresolved = |reason| ImageNames::unresolved(offsets.iter().copied(), reason);
        match (image.kind, image.identity) {
            (ImageKind::Kernel, _) if image.name == KALLSYMS => self.kernel(image, offsets),
            (ImageKind::Kernel, _) if !image.name.starts_with('/') => unresolved(Unresolved::NoSymbols),
            (ImageKind::Kernel | ImageKind::KernelModule, _) => self.file(image, offsets, OffsetOrigin::Text),
            (ImageKind::Anonymous, ImageIdentity::Region(region)) => self.memory(&region, offsets),
            (ImageKind::File, _) => self.file(image, offsets, OffsetOrigin::File),
            _ => unresolved(Unresolved::NoSymbols),
        }
    }

    fn file(&mut self, image: &Image, offsets: &[ImageOffset], origin: OffsetOrigin) -> ImageNames {
        match self.files.open(&image.name) {
            Ok((path, file)) => {
                self.check_time(image, &file);
                let names = self.resolve(&path, &file, offsets, origin);
                if names.offsets.iter().any(|(_, found)| *found == Err(Unresolved::Unreadable)) {
                    self.warn(image, "is not an ELF image that can be read; its code has no names");
                }
                names
            }
            Err(reason) => {
                self.warn(image, missing(reason));
                ImageNames::unresolved(offsets.iter().copied(), reason.unresolved())
            }
        }
    }

    fn resolve(&self, path: &Path, file: &File, offsets: &[ImageOffset], origin: OffsetOrigin) -> ImageNames {
        let symbolizer = &self.symbolizer;
        let wanted = OprofileNames { origin, beyond: self.beyond, lines: self.lines };
        let resolve = || symbolizer.resolve_as_oprofile(path, file, offsets, wanted);
        // Lines are looked for on all CPUs; names alone are found sooner than threads are started.
        if self.lines { crate::parallel::run(resolve) } else { resolve() }
    }

    fn kernel(&mut self, image: &Image, offsets: &[ImageOffset]) -> ImageNames {
        let unresolved = |reason| ImageNames::unresolved(offsets.iter().copied(), reason);
        match self.files.open(KALLSYMS).map(|(_, file)| resolve_kernel_text(file, offsets)) {
            Ok(Ok(names)) => names,
            Ok(Err(error)) => {
                self.warn(image, &format!("cannot be read: {error}"));
                unresolved(Unresolved::Unreadable)
            }
            Err(reason) => {
                self.warn(image, missing(reason));
                unresolved(reason.unresolved())
            }
        }
    }

    /// Code of a JIT compiler, where the session has a file of it.
    fn memory(&mut self, region: &MemoryRegion, offsets: &[ImageOffset]) -> ImageNames {
        let unresolved = || ImageNames::unresolved(offsets.iter().copied(), Unresolved::Anonymous);
        let name = format!("{}.jo", region.pid);
        let path = self.jit_images.iter().find(|path| path.file_name().is_some_and(|file| *file == *name));
        let Some((path, file)) = path.and_then(|path| Some((path, open_regular(path)?))) else {
            return unresolved();
        };
        let at = |offset: &ImageOffset| ImageOffset(region.start.wrapping_add(offset.0));
        let addresses: Vec<ImageOffset> = offsets.iter().map(at).collect();
        let mut names = self.resolve(path, &file, &addresses, OffsetOrigin::Address);
        if names.symbols.is_empty() {
            return unresolved();
        }
        names.offsets.iter_mut().for_each(|(offset, _)| offset.0 = offset.0.wrapping_sub(region.start));
        names.segments = vec![Segment {
            offset: ImageOffset(0),
            size: region.last.saturating_sub(region.start).saturating_add(1),
            address: ImageAddress(region.start),
        }];
        names
    }

    /// Says where a file may not be the one that was sampled: it has been changed at another time.
    fn check_time(&mut self, image: &Image, file: &File) {
        let time = file.metadata().map_or(0, |metadata| metadata.mtime());
        match image.identity {
            ImageIdentity::Modified(sampled) if u64::try_from(time) != Ok(sampled) => self.warn(
                image,
                "was changed after it was sampled, or is another one: its names may be wrong; report with the file that ran",
            ),
            ImageIdentity::None if image.kind == ImageKind::File => {
                self.warn(image, "cannot be told from a later build, as the session does not tell its time");
            }
            _ => {}
        }
    }

    fn warn(&mut self, image: &Image, what: &str) {
        self.warnings.push(format!("{}: {what}", printable(&image.name)));
    }
}

fn missing(reason: NoFile) -> &'static str {
    match reason {
        NoFile::Missing => "is not there: its code has no names; say where it is with --root or --image-path",
        NoFile::Unreadable => "cannot be read: its code has no names",
        NoFile::Several => "is in several places below --image-path: name one of them",
    }
}
