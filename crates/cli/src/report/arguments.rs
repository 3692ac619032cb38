//! The command line of `oprof report`.

use std::path::PathBuf;

use clap::Args;
use oprof_profile::NameStyle;
use oprof_report::{By, Filter, SortKey, SourcePath, printable};

use crate::arguments::percent;

const REPORT_EXAMPLES: &str = "\
Examples:
  oprof report                       by app and image
  oprof report -l | head -10         the hottest symbols
  oprof report --by command -t 1     the processes that cost at least 1 %
  oprof report --by app,symbol --top 5
  oprof report -l --filter 'image=libc* and not symbol~^mem' --error
  oprof report -l --json | jq '.rows[0].symbol'
--help-all lists the rarer options, too.";

const HEADING_FORMS: &str = "Forms";

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportOptions {
    /// List symbols
    #[arg(short = 'l', long, conflicts_with = "by")]
    pub(crate) symbols: bool,
    /// One row for each app, image, symbol, line, process, thread, command or cpu; of several a tree
    #[arg(long, value_name = "WHAT,..", value_parser = grouping, value_delimiter = ',')]
    pub(crate) by: Vec<By>,
    /// Only samples of which this is true: image=libc*, symbol~^gc_, cpu=0..3, kernel=no, and, or, not
    #[arg(long, value_name = "EXPR", value_parser = filter, conflicts_with = "missing")]
    pub(crate) filter: Option<Filter>,
    /// Sort by samples, total, name, app, image, symbol, line, address or number
    #[arg(long, value_name = "KEY,..", value_parser = sort_key, value_delimiter = ',', conflicts_with = "missing")]
    pub(crate) sort: Vec<SortKey>,
    /// Turn the order round
    #[arg(hide = true, short = 'r', long, conflicts_with = "missing")]
    pub(crate) reverse: bool,
    /// Only the first rows, of a tree of each level
    #[arg(long, value_name = "N", conflicts_with = "missing", value_parser = rows)]
    pub(crate) top: Option<usize>,
    /// Show between which shares the true one is, with 95 % confidence
    #[arg(long, visible_alias = "errors", conflicts_with = "missing")]
    pub(crate) error: bool,
    /// The recording, or the directory of a session of OProfile's
    #[arg(value_name = "FILE", conflicts_with = "input")]
    pub(crate) file: Option<PathBuf>,
    /// The recording, as an option
    #[arg(hide = true, short, long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Leave out rows below this share
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    /// Leave out the header
    #[arg(hide = true, short, long)]
    pub(crate) no_header: bool,
    /// Show whole paths
    #[arg(short = 'f', long)]
    pub(crate) long_filenames: bool,
    /// Show where symbols are in the source
    #[arg(short = 'g', long = "debug-info", visible_alias = "lines")]
    pub(crate) lines: bool,
    /// List inlined functions apart from what they are inlined into
    #[arg(hide = true, long)]
    pub(crate) inline: bool,
    /// Join a function's parts and copies (`.cold`, `.isra.0`) with it
    #[arg(hide = true, long)]
    pub(crate) merge_clones: bool,
    /// Demangle names: none, simple (without `std::`) or full
    #[arg(hide = true, short = 'D', long, value_name = "STYLE", default_value = "full", value_parser = name_style)]
    pub(crate) demangle: NameStyle,
    /// List the images whose code lacks names, why, and what would name it
    #[arg(long, conflicts_with_all = ["symbols", "by", "lines", "inline", "merge_clones"])]
    pub(crate) missing: bool,
    /// Show source paths that begin with FROM with TO instead
    #[arg(hide = true, long, value_name = "FROM=TO")]
    pub(crate) source_path: Vec<SourcePath>,
    /// Find the images of OProfile's session below this directory, as if it were /
    #[arg(hide = true, long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// OProfile's layout, on a terminal too
    #[arg(long, help_heading = HEADING_FORMS, conflicts_with_all = ["json", "csv", "markdown"])]
    pub(crate) plain: bool,
    /// JSON, by crates/report/report.schema.json
    #[arg(long, help_heading = HEADING_FORMS, conflicts_with_all = ["csv", "markdown", "missing"])]
    pub(crate) json: bool,
    /// CSV, shares from 0 to 1; of a tree its innermost rows
    #[arg(long, help_heading = HEADING_FORMS, conflicts_with_all = ["markdown", "missing"])]
    pub(crate) csv: bool,
    /// A Markdown table
    #[arg(long, help_heading = HEADING_FORMS, conflicts_with = "missing")]
    pub(crate) markdown: bool,
    /// Never start a pager
    #[arg(hide = true, long, help_heading = HEADING_FORMS)]
    pub(crate) no_pager: bool,
    /// Print help with the rarer options, too
    #[arg(long, exclusive = true)]
    pub(crate) help_all: bool,
}

pub(crate) fn name_style(text: &str) -> Result<NameStyle, String> {
    NameStyle::parse(text).ok_or_else(|| "not a style: use none, simple or full".to_owned())
}

fn grouping(text: &str) -> Result<By, String> {
    text.parse().map_err(|error: oprof_report::UnknownGrouping| error.to_string())
}

fn filter(text: &str) -> Result<Filter, String> {
    text.parse().map_err(|error: oprof_report::FilterError| error.to_string())
}

fn sort_key(text: &str) -> Result<SortKey, String> {
    let found = SortKey::NAMES.iter().find(|(name, _)| *name == text).map(|(_, key)| *key);
    found.ok_or_else(|| {
        let names = SortKey::NAMES.map(|(name, _)| name).join(", ");
        format!("'{}' is no key: use {names}; -r turns the order round", printable(text))
    })
}

fn rows(text: &str) -> Result<usize, String> {
    let number = crate::arguments::positive(text, u32::MAX.into())?;
    usize::try_from(number).map_err(|_| "too large".to_owned())
}
