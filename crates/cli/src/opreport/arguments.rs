//! The command line of `opreport`.

use std::path::PathBuf;

use clap::Parser;
use oprof_profile::NameStyle;

use crate::arguments::percent;
use crate::oprofile_tool::SessionOptions;

const EXAMPLES: &str = "\
Examples:
  opreport                           by app and image, of the session that goes on
  opreport -l | head -10             the hottest symbols
  opreport -l session:before         of a session that was saved
  opreport -l oprof.data             of a recording";

/// Prints the samples of a session, by OProfile's options and in its layouts; see also `oprof report`.
#[derive(Debug, Parser)]
#[command(
    name = "opreport", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100
)]
pub(crate) struct OpreportOptions {
    /// List symbols
    #[arg(short = 'l', long)]
    pub(crate) symbols: bool,
    /// Show where symbols are in the source (with -l)
    #[arg(short = 'g', long, requires = "symbols")]
    pub(crate) debug_info: bool,
    /// Leave out rows below this share
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, hide_default_value = true)]
    pub(crate) threshold: f64,
    /// Show whole paths
    #[arg(short = 'f', long)]
    pub(crate) long_filenames: bool,
    /// Leave out the header
    #[arg(short, long)]
    pub(crate) no_header: bool,
    /// Shares of an app's images are of all samples
    #[arg(short = '%', long, conflicts_with = "symbols")]
    pub(crate) global_percent: bool,
    /// Demangle names: none, normal or smart
    #[arg(short = 'D', long, value_name = "STYLE", default_value = "normal", value_parser = style, hide_default_value = true)]
    pub(crate) demangle: NameStyle,
    /// What not to tell apart: cpu, tid, tgid, unitmask; samples of these are together in any case
    #[arg(short, long, value_name = "WHAT,..", value_parser = merge, value_delimiter = ',')]
    pub(crate) merge: Vec<String>,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: SessionOptions,
    /// session:NAME for one that was saved, or the files of recordings
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

/// Options of OProfile's that ask for what is not there yet.
pub(crate) const NOT_YET: [(&str, &str); 12] = [
    ("-c", "call graphs"),
    ("--callgraph", "call graphs"),
    ("-d", "details of symbols"),
    ("--details", "details of symbols"),
    ("-X", "XML"),
    ("--xml", "XML"),
    ("-x", "--exclude-dependent"),
    ("--exclude-dependent", "--exclude-dependent"),
    ("-a", "accumulated columns"),
    ("--accumulated", "accumulated columns"),
    ("-w", "addresses"),
    ("--show-address", "addresses"),
];

fn style(text: &str) -> Result<NameStyle, String> {
    let style = match text {
        "normal" => "full",
        "smart" => "simple",
        "none" => "none",
        _ => return Err("use none, normal or smart".to_owned()),
    };
    NameStyle::parse(style).ok_or_else(|| "use none, normal or smart".to_owned())
}

fn merge(text: &str) -> Result<String, String> {
    match text {
        "cpu" | "tid" | "tgid" | "unitmask" | "all" => Ok(text.to_owned()),
        "lib" | "library" => {
            Err("images cannot be taken for apps yet; `oprof report --by image` lists them".to_owned())
        }
        _ => Err("use cpu, tid, tgid, unitmask or all".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <OpreportOptions as clap::CommandFactory>::command().debug_assert();
    }
}
