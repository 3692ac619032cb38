//! The command line of `oprof report`.

use std::path::PathBuf;

use clap::Args;
use oprof_profile::NameStyle;
use oprof_report::{By, SourcePath};

use crate::arguments::percent;

const REPORT_EXAMPLES: &str = "\
Examples:
  oprof report                       by app and image
  oprof report -l | head -10         the hottest symbols
  oprof report --by command -t 1     the processes that cost at least 1 %
  oprof report -l --plain other.data";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportOptions {
    /// List symbols
    #[arg(short = 'l', long, conflicts_with = "by")]
    pub(crate) symbols: bool,
    /// One row for each app, image, symbol, process, thread, command or cpu
    #[arg(long, value_name = "WHAT", value_parser = grouping)]
    pub(crate) by: Option<By>,
    /// The recording, or the directory of a session of OProfile's
    #[arg(value_name = "FILE", conflicts_with = "input")]
    pub(crate) file: Option<PathBuf>,
    /// The recording, as an option
    #[arg(short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Leave out rows below this share
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    /// Leave out the header
    #[arg(short, long)]
    pub(crate) no_header: bool,
    /// Show whole paths
    #[arg(short = 'f', long)]
    pub(crate) long_filenames: bool,
    /// Show where symbols are in the source
    #[arg(short = 'g', long = "debug-info", visible_alias = "lines")]
    pub(crate) lines: bool,
    /// List inlined functions apart from what they are inlined into
    #[arg(long)]
    pub(crate) inline: bool,
    /// Join a function's parts and copies (`.cold`, `.isra.0`) with it
    #[arg(long)]
    pub(crate) merge_clones: bool,
    /// Demangle names: none, simple (without `std::`) or full
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "full", value_parser = name_style)]
    pub(crate) demangle: NameStyle,
    /// List the images whose code lacks names, why, and what would name it
    #[arg(long, conflicts_with_all = ["symbols", "by", "lines", "inline", "merge_clones"])]
    pub(crate) missing: bool,
    /// Show source paths that begin with FROM with TO instead
    #[arg(long, value_name = "FROM=TO")]
    pub(crate) source_path: Vec<SourcePath>,
    /// Find the images of OProfile's session below this directory, as if it were /
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// OProfile's layout, on a terminal too
    #[arg(long)]
    pub(crate) plain: bool,
}

pub(crate) fn name_style(text: &str) -> Result<NameStyle, String> {
    NameStyle::parse(text).ok_or_else(|| "not a style: use none, simple or full".to_owned())
}

fn grouping(text: &str) -> Result<By, String> {
    text.parse().map_err(|error: oprof_report::UnknownGrouping| error.to_string())
}
