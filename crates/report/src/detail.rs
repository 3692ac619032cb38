//! Details: the samples of a symbol, address by address.

use oprof_profile::{Count, ImageAddress, ImageId, ImageOffset, Key, Recording, Unresolved};
use rustc_hash::FxHashMap;

use crate::class::ClassOfKey;
use crate::place::Place;
use crate::rows::Row;

/// The samples at one address of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The address, as the image's own tables state it; of an image without symbols the offset.
    pub address: ImageAddress,
    /// An image that has it: its names tell the line.
    pub image: ImageId,
    /// Where in this image.
    pub offset: ImageOffset,
    /// Samples, for each class of the report.
    pub counts: Vec<Count>,
    /// The samples of this address and of those of the row that are lower.
    pub accumulated: Vec<Count>,
}

/// The address of a sample: of an image without symbols, whose tables then tell nothing of it, the offset.
fn address(recording: &Recording, key: &Key) -> ImageAddress {
    match recording.lookup(key.image, key.offset) {
        Ok(_) | Err(Unresolved::NoSymbolAtOffset) => {
            let names = recording.image_names(key.image);
            names.map_or(ImageAddress(key.offset.0), |names| names.address(key.offset))
        }
        Err(_) => ImageAddress(key.offset.0),
    }
}

/// The details of each row, by address.
pub(crate) fn details(
    recording: &Recording,
    class_of: &ClassOfKey,
    rows: &[Row],
    classes: usize,
    place: impl Fn(&Key) -> Option<Place>,
) -> Vec<Vec<Detail>> {
    let row_of: FxHashMap<Place, usize> =
        rows.iter().zip(0..).map(|(row, index)| (row.place, index)).collect();
    let mut entries = Vec::new();
    for (key, count) in recording.counts.iter() {
        let row = place(&key).and_then(|place| row_of.get(&place));
        if let (Some(&row), Some(class)) = (row, class_of.get(&key)) {
            let address = address(recording, &key);
            entries.push((row, address, key.image, key.offset, class, count));
        }
    }
    entries.sort_unstable_by_key(|(row, address, image, offset, class, _)| {
        (*row, *address, *image, *offset, *class)
    });
    let mut details: Vec<Vec<Detail>> = vec![Vec::new(); rows.len()];
    for (row, address, image, offset, class, count) in entries {
        let of_row = &mut details[row];
        if of_row.last().is_none_or(|last| last.address != address) {
            let (counts, accumulated) = match of_row.last() {
                Some(last) => (vec![Count::default(); classes], last.accumulated.clone()),
                None => (vec![Count::default(); classes], vec![Count::default(); classes]),
            };
            of_row.push(Detail { address, image, offset, counts, accumulated });
        }
        if let Some(last) = of_row.last_mut() {
            last.counts[class].add(count);
            last.accumulated[class].add(count);
        }
    }
    details
}
