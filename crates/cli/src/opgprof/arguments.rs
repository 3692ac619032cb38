//! The command line of `opgprof`.

use std::path::PathBuf;

use clap::Parser;

use crate::arguments::percent;
use crate::oprofile_tool::ReadingOptions;

const EXAMPLES: &str = "\
Examples:
  opgprof image:/usr/bin/program && gprof -b -p /usr/bin/program gmon.out
  opgprof lib-image:/lib/libc.so.6   of a library, in whatever app
  opgprof oprof.data image:./program of a recording

The samples must be of one binary and one event: choose with image:, lib-image:, event:, count: (see opreport). Of an app, those
in its own code are taken. gprof knows the functions of a binary's symbol table alone: give it the binary that was sampled,
with symbols. Samples in no such function are left out and told.";

/// Writes the samples of one binary as the file that gprof(1) reads.
#[derive(Debug, Parser)]
#[command(
    name = "opgprof", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100, args_override_self = true
)]
pub(crate) struct OpgprofOptions {
    /// Write to this file
    #[arg(short, long, value_name = "FILE", default_value = "gmon.out")]
    pub(crate) output_filename: PathBuf,
    /// Leave out functions below this share of the binary's samples
    #[arg(short, long, value_name = "PERCENT", default_value = "0", value_parser = percent, allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Which samples (see opreport --help), and recordings
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        OpgprofOptions::command().debug_assert();
    }
}
