//! What an image is read from.

use std::fs::File;

use object::read::ReadRef;

use crate::budget::Budget;

/// The bytes of an image, in a file or in memory.
pub(crate) trait ImageData<'data>: ReadRef<'data> {
    /// What is left for the image.
    fn budget(self) -> &'data Budget;

    /// The file that the bytes are in, of which large parts are read in another way; `None` for bytes in memory.
    fn file(self) -> Option<&'data File>;
}
