//! The command line of `oprof archive`.

use std::path::PathBuf;

use clap::Args;

const ARCHIVE_EXAMPLES: &str = "\
Examples:
  oprof archive -o run.tar.zst             oprof.data, its images and their debug files
  oprof report -l run.tar.zst              on any machine: reports read it as it is
  oprof archive --list run.tar.zst         what is in it
  oprof archive --extract DIR run.tar.zst  unpack it, into a directory that is new or empty

An archive is a tar file, compressed by zstd, that any tar unpacks. In it are recording.data, the sampled images as \
images/.build-id/ab/cdef..., their debug files as debug/.build-id/ab/cdef....debug, and MANIFEST, which says what is \
which. All paths are relative. An image that is not there any more, or is not the one that was sampled, is told and left \
out: reports need none. One that cannot be read is, too, and the exit status is 1.";

#[derive(Debug, Args)]
#[command(after_help = ARCHIVE_EXAMPLES)]
pub(crate) struct ArchiveOptions {
    /// The recording or OProfile's session directory (oprof.data); the archive with --list and --extract
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Write to this file
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["list", "extract"])]
    pub(crate) output: Option<PathBuf>,
    /// List what is in an archive
    #[arg(short, long, requires = "file", conflicts_with_all = ["output", "extract"])]
    pub(crate) list: bool,
    /// Unpack an archive into this directory, which is new or empty
    #[arg(short = 'x', long, value_name = "DIR", requires = "file", conflicts_with = "output")]
    pub(crate) extract: Option<PathBuf>,
    /// Look for debug files here, too, before /usr/lib/debug
    #[arg(long, value_name = "DIR", conflicts_with_all = ["list", "extract"])]
    pub(crate) debug_dir: Vec<PathBuf>,
    /// Take images and debug files from below this directory, in place of the live system
    #[arg(short = 'R', long, value_name = "DIR", conflicts_with_all = ["list", "extract", "debug_dir"])]
    pub(crate) root: Option<PathBuf>,
}
