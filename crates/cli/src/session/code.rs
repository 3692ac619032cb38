//! The machine code of a session's images.

use std::os::unix::fs::FileExt;

use oprof_profile::{Image, ImageKind, ImageOffset};

use super::image_file::{ImageFiles, ImagePlaces};

/// Reads `size` bytes of an image's file from `offset` on; `None` where the file is not there or ends before.
pub(crate) fn code(places: &ImagePlaces, image: &Image, offset: ImageOffset, size: u64) -> Option<Vec<u8>> {
    if image.kind != ImageKind::File {
        return None;
    }
    let (_, file) = ImageFiles::new(places).open(&image.name).ok()?;
    let end = offset.0.checked_add(size)?;
    if size == 0 || end > file.metadata().ok()?.len() {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    file.read_exact_at(&mut bytes, offset.0).ok()?;
    Some(bytes)
}
