//! The command line of `oparchive`.

use std::path::PathBuf;

use clap::Parser;

use crate::oprofile_tool::ReadingOptions;

const EXAMPLES: &str = "\
Examples:
  oparchive -o DIR                   the current session with all its images
  oparchive -o DIR session:before image:/usr/bin/program
  oparchive -l                       which files that would be
  opreport -l archive:DIR            on any machine

DIR is new or empty. In it images are where they were, debug files beside them in .debug, the kernel's symbols in
proc/kallsyms, and the session in var/lib/oprofile. For recordings, and for one file in place of a directory, see oprof
archive.";

/// Copies a session of OProfile's with what it takes to report it elsewhere.
#[derive(Debug, Parser)]
#[command(
    name = "oparchive", version, after_help = EXAMPLES, disable_version_flag = true, disable_help_flag = true,
    max_term_width = 100, args_override_self = true
)]
pub(crate) struct OparchiveOptions {
    /// Copy into this directory, which is new or empty
    #[arg(short, long, value_name = "DIR", required_unless_present_any = ["list_files", "usage"])]
    pub(crate) output_directory: Option<PathBuf>,
    /// Leave out samples of an app outside its own image
    #[arg(short = 'x', long)]
    pub(crate) exclude_dependent: bool,
    /// List the files that would be copied, and copy none
    #[arg(short, long)]
    pub(crate) list_files: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingOptions,
    /// Which samples; see opreport --help
    #[arg(value_name = "PROFILE")]
    pub(crate) profiles: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        OparchiveOptions::command().debug_assert();
    }
}
