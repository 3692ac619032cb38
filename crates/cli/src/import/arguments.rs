//! The command line of `oprof import`.

use std::path::PathBuf;

use clap::Args;

const IMPORT_EXAMPLES: &str = "\
Examples:
  oprof import oprofile_data -o run.data && oprof report -l run.data
  oprof import /var/lib/oprofile --session before -o before.data
  oprof import archive -o run.data           what oparchive made, with its images
  oprof import oprofile_data --root /mnt     a session of the system below /mnt

The names of the sampled code go into the recording: import where the images are, report anywhere. Where sample files \
are damaged that is said, the rest is imported, and the exit status is 1.";

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportOptions {
    /// The directory of OProfile's session, such as oprofile_data, or what oparchive made
    #[arg(value_name = "DIR", default_value = "oprofile_data")]
    pub(crate) directory: PathBuf,
    /// Write to this file; the one before becomes FILE.old
    #[arg(short, long, value_name = "FILE", default_value = "oprof.data")]
    pub(crate) output: PathBuf,
    /// Take these sessions of the directory, put together
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', default_value = "current")]
    pub(crate) session: Vec<String>,
    /// Find images below this directory, as if it were /
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Find images that are not where they were in these directories, too
    #[arg(short = 'p', long, value_name = "DIR,..", value_delimiter = ',')]
    pub(crate) image_path: Vec<PathBuf>,
}
