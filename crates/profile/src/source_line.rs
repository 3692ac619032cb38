//! Where code comes from in the source.

use crate::SymbolId;

/// Index of a file in [`ImageNames::files`](crate::ImageNames::files).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceFileId(pub u32);

/// A place in a source file, as the line table of DWARF tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceLine {
    /// The file.
    pub file: SourceFileId,
    /// The line, from 1; 0 where the compiler gave none.
    pub line: u32,
    /// The column, from 1; 0 where it is not known.
    pub column: u32,
}

/// What the source says of the code at one offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourcePlace {
    /// The line that the code was made of.
    pub line: Option<SourceLine>,
    /// The inlined calls that the code is part of, the innermost first; the symbol itself is not among them.
    pub inlined: Vec<InlinedFrame>,
}

/// A function that was inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlinedFrame {
    /// Its name, among the image's symbols.
    pub function: SymbolId,
    /// Where it is called.
    pub call: Option<SourceLine>,
}
