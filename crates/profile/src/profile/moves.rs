//! Counts samples for other places than those they were folded by, once it is known what was there.

use super::Profile;
use crate::{Count, Image, ImageId, ImageOffset, JitSample, Key};

impl Profile {
    /// Moves samples of one image into others: `image_of` names the new image for an offset, or leaves it.
    ///
    /// This is how code of kernel modules leaves the kernel's image once the kernel's symbols have been read.
    pub fn split_image(&mut self, image: ImageId, mut image_of: impl FnMut(ImageOffset) -> Option<Image>) {
        self.open_window.drain_into(&mut self.closed_windows);
        let counts = std::mem::take(&mut self.closed_windows);
        for (mut key, count) in counts.iter() {
            if key.image == image
                && let Some(image) = image_of(key.offset)
            {
                key.image = self.image_id(image);
            }
            self.closed_windows.add(key, count);
        }
    }

    /// The samples since the last call that fell where compilers may have put code, in the order of time; of very many
    /// the first. They are folded like all others, by the memory that they fell into.
    pub fn take_jit_samples(&mut self) -> Vec<JitSample> {
        let mut samples = std::mem::take(&mut self.jit_samples);
        samples.sort_by_key(|sample| sample.time);
        samples
    }

    /// Counts samples of one place for another: `offset` in `image`; as many of them as are found there.
    pub fn move_samples(&mut self, key: Key, count: Count, image: Image, offset: ImageOffset) {
        let key_of_image = Key { image: self.image_id(image), offset, ..key };
        let open = self.open_window.take(key, count);
        let rest =
            Count { samples: count.samples - open.samples, weight: count.weight.saturating_sub(open.weight) };
        let closed = self.closed_windows.take(key, rest);
        for (counts, taken) in [(&mut self.open_window, open), (&mut self.closed_windows, closed)] {
            if taken.samples > 0 {
                counts.add(key_of_image, taken);
            }
        }
    }
}
