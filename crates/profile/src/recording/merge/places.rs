//! The samples of merged recordings.

use rustc_hash::FxHashMap;

use crate::{Count, Counts, Key};

/// Folded samples, in a table for each image: what is added is in the order of images, so that the places are found in a
/// table that the processor holds near, and not in one of all images that it does not.
#[derive(Debug, Default)]
pub(super) struct Places {
    by_image: Vec<FxHashMap<Key, Count>>,
    length: usize,
}

impl Places {
    /// Adds samples.
    pub(super) fn add(&mut self, mut places: Vec<(Key, Count)>) {
        places.sort_by_key(|(key, _)| key.image);
        for places in places.chunk_by(|(a, _), (b, _)| a.image == b.image) {
            let Some((first, _)) = places.first() else { continue };
            let image = first.image.0 as usize;
            if image >= self.by_image.len() {
                self.by_image.resize_with(image + 1, FxHashMap::default);
            }
            let table = &mut self.by_image[image];
            let had = table.len();
            for (key, count) in places {
                table.entry(*key).or_default().add(*count);
            }
            self.length += table.len() - had;
        }
    }

    /// How many distinct places there are.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Every place, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, Count)> + '_ {
        self.by_image.iter().flatten().map(|(key, count)| (*key, *count))
    }

    /// Gives every place the key that `change`, which leaves its image alone, makes of its own; those of one key are one.
    pub(super) fn change_keys(&mut self, change: impl Fn(Key) -> Key) {
        self.length = 0;
        for table in &mut self.by_image {
            for (key, count) in std::mem::take(table) {
                table.entry(change(key)).or_default().add(count);
            }
            table.shrink_to_fit();
            self.length += table.len();
        }
    }

    /// All of them; the memory of each image's goes as they are taken over.
    pub(super) fn finish(self) -> Counts {
        self.by_image.into_iter().flatten().collect()
    }
}
