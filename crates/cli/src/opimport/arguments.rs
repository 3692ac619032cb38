//! The command line of `opimport`.

use std::path::PathBuf;

use clap::Parser;

const EXAMPLES: &str = "\
Examples:
  opimport -a other/abi -o CYCLES.100000.0.all.all.all other/CYCLES.100000.0.all.all.all

`oprof report`, `oprof import` and opreport read sessions of every machine by their file `abi`: there is no need to \
convert them.";

/// Converts a sample file of another machine into one of this machine's layout.
#[derive(Debug, Parser)]
#[command(
    name = "opimport", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100
)]
pub(crate) struct OpimportOptions {
    /// The sample file
    #[arg(value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// How its machine lays out numbers: the file `abi` of its session
    #[arg(short, long, value_name = "FILE")]
    pub(crate) abi: PathBuf,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Convert even where the layout is this machine's
    #[arg(short, long)]
    pub(crate) force: bool,
    /// Say what is in the file
    #[arg(short = 'V', long)]
    pub(crate) verbose: bool,
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Print help
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <OpimportOptions as clap::CommandFactory>::command().debug_assert();
    }
}
