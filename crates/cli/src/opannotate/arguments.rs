//! The command line of `opannotate`.

use std::path::PathBuf;

use clap::Parser;
use oprof_profile::NameStyle;

use crate::arguments::percent;
use crate::oprofile_tool::{Merge, ReadingOptions, name_style};

const EXAMPLES: &str = "\
Examples:
  opannotate --source image:'*/hot'          the sources of a program with samples beside each line
  opannotate --source -o annotated           a tree of annotated files
  opannotate --assembly -i main              the instructions of a function
Which samples: as for opreport, see opreport --help";

/// Prints sources and instructions with their samples, by OProfile's options and in its layouts; see also `oprof annotate`.
#[derive(Debug, Parser)]
#[command(
    name = "opannotate", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100, args_override_self = true
)]
pub(crate) struct OpannotateOptions {
    /// Print source files
    #[arg(short, long)]
    pub(crate) source: bool,
    /// Print instructions; with -s source lines above them
    #[arg(short, long)]
    pub(crate) assembly: bool,
    /// Write each source file below this directory, which must be new or empty
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Look for source files in these directories, too
    #[arg(short = 'd', long, value_name = "DIR,..", value_delimiter = ',')]
    pub(crate) search_dirs: Vec<PathBuf>,
    /// What paths of source files begin with that is not to be looked for there (with -d)
    #[arg(short = 'b', long, value_name = "DIR,..", value_delimiter = ',')]
    pub(crate) base_dirs: Vec<String>,
    /// Only source files of these names, or in folders of these names; globs
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub(crate) include_file: Vec<String>,
    /// No source files of these names, or in folders of these names
    #[arg(long, value_name = "NAME,..", value_delimiter = ',')]
    pub(crate) exclude_file: Vec<String>,
    /// Only these functions
    #[arg(short, long, value_name = "SYMBOL,..")]
    pub(crate) include_symbols: Vec<String>,
    /// Not these functions
    #[arg(short, long, value_name = "SYMBOL,..")]
    pub(crate) exclude_symbols: Vec<String>,
    /// Of what objdump takes `-M intel` and `-M att` (with -a)
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    pub(crate) objdump_params: Option<String>,
    /// Leave out samples of an app outside its own image
    #[arg(short = 'x', long)]
    pub(crate) exclude_dependent: bool,
    /// What not to tell apart: cpu, tid, tgid, unitmask, all
    #[arg(short, long, value_name = "WHAT,..", value_parser = Merge::parse, value_delimiter = ',')]
    pub(crate) merge: Vec<Merge>,
    /// Leave out files, or functions, below this share
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, hide_default_value = true)]
    pub(crate) threshold: f64,
    /// Demangle names: none, normal or smart
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "normal", value_parser = name_style, hide_default_value = true)]
    pub(crate) demangle: NameStyle,
    /// What stands for code in an image without symbols: text or path, as for opreport
    #[arg(long, value_name = "HOW", default_value = "text", value_parser = ["text", "path"], hide_default_value = true, hide_possible_values = true)]
    pub(crate) symbolless: String,
    /// Leave samples outside of every symbol out of shares, as OProfile does
    #[arg(long)]
    pub(crate) exclude_unresolved: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Which samples: as for opreport
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

impl OpannotateOptions {
    /// What is not to be told apart.
    pub(crate) fn merges(&self, what: Merge) -> bool {
        self.merge.iter().any(|merge| {
            *merge == what || *merge == Merge::All || (*merge == Merge::Tgid && what == Merge::Tid)
        })
    }
}
