//! What a reader can choose about a report, whatever the layout.

use oprof_profile::NameStyle;

use crate::class::Separation;
use crate::grouping::By;
use crate::sorting::SortKey;
use crate::source_paths::SourcePaths;
use crate::symbol_filter::SymbolFilter;

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
    /// What column groups tell apart beside events.
    pub separation: Separation,
    /// Column groups stand in OProfile's order, where OProfile's layouts are written.
    pub oprofile_order: bool,
    /// What rows are sorted by first; what is not named follows, samples first.
    pub sort: Vec<SortKey>,
    /// Every order is turned round.
    pub reverse: bool,
    /// Rows of symbols say at which address of its image the symbol begins.
    pub addresses: bool,
    /// Rows of symbols have a row for each address with samples below them.
    pub details: bool,
    /// Counts and shares are summed up from the first row on, in columns of their own.
    pub accumulated: bool,
    /// An image stands in the place of the apps that it was in.
    pub images_as_apps: bool,
    /// Samples outside of an app's own image are left out.
    pub exclude_dependent: bool,
    /// Which symbols are shown, and in the percentages.
    pub symbols: SymbolFilter,
    /// Only so many rows are shown, the first; shares are of all.
    pub top: Option<usize>,
    /// Each share has the interval beside it that the true one is in.
    pub errors: bool,
    /// The recording is filtered: what is known of whole processes is of more than what is shown.
    pub filtered: bool,
    /// What each level of a tree stands for, the outermost first; empty where the report is no tree.
    pub levels: Vec<By>,
    /// How paths of source files are shown.
    pub source_paths: SourcePaths,
}
