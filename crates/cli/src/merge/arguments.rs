//! The command line of `oprof merge`.

use std::path::PathBuf;

use clap::Args;

const MERGE_EXAMPLES: &str = "\
Examples:
  oprof merge run1.data run2.data run3.data -o all.data
  oprof merge nightly/*.data -o month.data && oprof report -l month.data

The sum is what one recording of all of it would have been. Of the circumstances (host, command) it has those of the \
first. Above 450,000 places or 20,000 processes, processes that ran the same programs become one, all but the busiest: \
memory follows what is distinct, not how many recordings there are. Where one of them cannot be read, or is damaged, that \
is said, the rest is merged, and the exit status is 1.";

#[derive(Debug, Args)]
#[command(after_help = MERGE_EXAMPLES)]
pub(crate) struct MergeOptions {
    /// The recordings, or OProfile's session directories
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Write to this file; the one before becomes FILE.old
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}
