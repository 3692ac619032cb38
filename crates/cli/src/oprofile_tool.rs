//! What the programs that go by OProfile's names have in common.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser};

use crate::{speak, status, usage_error};

/// Reads the command line that the program was called with, by the name `program`; help, the version and mistakes are
/// printed, and give the status to exit with.
pub(crate) fn options<T: Parser>(program: &str) -> Result<T, ExitCode> {
    options_or(|error| usage_error::line(error, program))
}

/// As [`options`], where `mistake` has the line for a mistake.
pub(crate) fn options_or<T: Parser>(mistake: impl FnOnce(&clap::Error) -> String) -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            speak::line(&mistake(&error));
            return ExitCode::from(status::FAILED);
        }
        // Where nobody reads it, there is nobody to tell.
        let _ = error.print();
        ExitCode::SUCCESS
    })
}

/// The options that tools over a session share; of a command without flags of clap's own for version and help.
#[derive(Debug, Args)]
pub(crate) struct SessionOptions {
    /// Where settings and samples are; /var/lib/oprof for root
    #[arg(long, value_name = "DIR")]
    pub(crate) session_dir: Option<PathBuf>,
    /// Say more
    #[arg(short = 'V', long)]
    pub(crate) verbose: bool,
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Print help
    #[arg(short = '?', long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}
