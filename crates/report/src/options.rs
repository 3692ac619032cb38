//! What a reader can choose about a report, whatever the layout.

use oprof_profile::NameStyle;

use crate::source_paths::SourcePaths;

/// What a reader can choose about a report, whatever the layout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Leave out rows whose share is below this many percent.
    pub threshold: f64,
    /// Leave out the header, the line of column titles included.
    pub no_header: bool,
    /// Show images and apps by their whole path.
    pub long_names: bool,
    /// Name the code of an image without symbols by the image's path, as OProfile 1.x does, in place of
    /// `(no symbols)`.
    pub symbolless_path: bool,
    /// Leave samples that fall between the symbols of an image out of the rows and of the percentages, as
    /// OProfile does.
    pub exclude_unresolved: bool,
    /// Percentages of an app's images are of all samples, not of the app's.
    pub global_percent: bool,
    /// Rows of symbols say where the symbol is in the source: OProfile's `--debug-info`.
    pub lines: bool,
    /// Samples of inlined functions are in rows of their own: a sample belongs to the innermost one. Otherwise they are
    /// in the row of the symbol that holds the code, as OProfile has them.
    pub inline: bool,
    /// How names are shown. Rows are of symbols, not of what is shown: two whose short names are equal are two rows.
    pub name_style: NameStyle,
    /// Clones that compilers make of a function (`.cold`, `.part.0`, `.isra.0`) are in the row of that function.
    pub merge_clones: bool,
    /// Code that has no symbol as the kernel hides them, or as it is in memory without a file, is `(no symbols)`, as for
    /// OProfile; else each has a name of its own.
    pub oprofile_words: bool,
    /// How paths of source files are shown.
    pub source_paths: SourcePaths,
}
