//! Turns a recording's counts and names into rows, and rows into text.
//!
//! [`Report`] folds the counts of a [`Recording`](oprof_profile::Recording) by an application, image, symbol,
//! process, command or CPU. It lists its columns once; the renderers in [`render`] walk that list. What the rows
//! are worth is said by [`coverage_lines`].
//!
//! [`Stat`] does the same for counts without samples: means, deviations and ratios, which [`render::stat`] writes.
//!
//! This crate opens no file, knows no ELF and no terminal: whether to colour, and how wide a line may be, is told
//! to it. Everything that comes from a recording is untrusted and passes [`printable`] before it is written.
#![forbid(unsafe_code)]

mod annotation;
mod call_graph;
mod cell;
mod class;
mod column;
mod command_line;
mod coverage;
mod detail;
mod diff;
mod differential;
mod filter;
mod function;
mod grouping;
mod header;
mod image_name;
mod lifetime;
mod missing;
mod notes;
mod number;
mod options;
mod percent;
mod place;
mod printable;
mod process_rows;
mod relation;
pub mod render;
mod report;
mod row_ratio;
mod rows;
mod sampling_error;
mod sorting;
mod source_lines;
mod source_paths;
mod stat;
mod symbol_filter;
mod symbol_name;
mod target;
mod time;
mod total;
mod tree;

pub use annotation::{CodeLine, FunctionExtent, SourceFile, count_code, source_files};
pub use call_graph::{CallGraph, Relative, Relatives};
pub use cell::Cell;
pub use class::{Axes, Class, ClassOrder, Separation};
pub use column::Column;
pub use command_line::command_line;
pub use coverage::{coverage_line, coverage_lines};
pub use detail::Detail;
pub use diff::{
    Diff, DiffBy, DiffChange, DiffRow, DiffRun, DiffSettings, DiffSide, DiffSort, Identity, Module,
    NoComparison, NoEvent, Normalise, Regression, State,
};
pub use differential::{Change, DifferentClasses, Differential, DifferentialRow};
pub use filter::{Filter, FilterError, NothingKept};
pub use grouping::{By, UnknownGrouping};
pub use missing::{Missing, MissingRow, missing_line, missing_note};
pub use notes::{makers_notes, notes};
pub use number::{counted, grouped};
pub use options::Options;
pub use percent::percent;
pub use printable::printable;
pub use report::Report;
pub use rows::Row;
pub use sorting::SortKey;
pub use source_paths::{NotAChange, SourcePath, SourcePaths};
pub use stat::{ProcessCount, Ratio, Spread, Stat, StatProcess, StatRow};
pub use symbol_filter::SymbolFilter;
pub use target::target;
pub use time::time;
pub use total::Total;
pub use tree::{Node, Tree};
