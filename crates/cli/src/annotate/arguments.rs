//! The command line of `oprof annotate`.

use std::path::PathBuf;

use clap::Args;
use oprof_profile::NameStyle;
use oprof_report::SourcePath;

use crate::report::name_style;

const EXAMPLES: &str = "\
Examples:
  oprof annotate                     the source of the hottest functions
  oprof annotate gc_mark             of this one; of several with 'gc_*'
  oprof annotate -a --top 1          the instructions of the hottest
  oprof annotate -a -s gc_mark       with the source lines that they were made of
  oprof annotate other.data --source-path /build=/home/me/src

Samples of inlined functions are in these functions' own files and lines. Lines of a tenth of the function's samples are red, \
of a fiftieth yellow.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AnnotateOptions {
    /// The recording, if it is not oprof.data, and functions by their names, `*` and `?` standing for any letters
    #[arg(value_name = "[FILE] [FUNCTION]")]
    pub(crate) words: Vec<String>,
    /// The recording, as an option
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Show instructions
    #[arg(short, long)]
    pub(crate) assembly: bool,
    /// Show source lines, too (with -a)
    #[arg(short, long)]
    pub(crate) source: bool,
    /// How many functions, the hottest first; 5 unless some are named
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
    /// Only functions of images of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) image: Option<String>,
    /// Write x86 instructions as Intel does, target first
    #[arg(long)]
    pub(crate) intel: bool,
    /// How many lines without samples stand around those that have some
    #[arg(long, value_name = "N", default_value = "3", conflicts_with = "all")]
    pub(crate) context: usize,
    /// Show all lines, also stretches without samples
    #[arg(long)]
    pub(crate) all: bool,
    /// Show source paths that begin with FROM with TO instead, and read them there
    #[arg(long, value_name = "FROM=TO")]
    pub(crate) source_path: Vec<SourcePath>,
    /// Read the images of a session of OProfile's below this directory
    #[arg(short = 'R', long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Demangle names: none, simple (without `std::`) or full
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "full", value_parser = name_style)]
    pub(crate) demangle: NameStyle,
}
