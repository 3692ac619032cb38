//! Exit statuses.

use std::io;
use std::process::ExitCode;

use oprof_profile::CommandEnd;

use crate::speak;

/// A subcommand other than `record` failed.
pub(crate) const FAILED: u8 = 1;
/// The command line cannot be understood.
pub(crate) const USAGE: u8 = 2;
/// Something grew by more than `--fail-above` allows.
pub(crate) const REGRESSED: u8 = 4;
/// The recorder failed: a number that commands leave to those that run them, such as env(1) and timeout(1).
pub(crate) const RECORDER_FAILED: u8 = 125;
/// The command was found and cannot be executed, as shells say it.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// There is no such command, as shells say it.
pub(crate) const NOT_FOUND: u8 = 127;

/// The status that passes on how the command ended, as shells do.
pub(crate) fn of_command(end: CommandEnd) -> ExitCode {
    ExitCode::from(match end {
        CommandEnd::Exited(status) => status,
        CommandEnd::Signalled(signal) => 128_u8.saturating_add(signal),
        // The recorder was interrupted: SIGINT is signal 2.
        CommandEnd::StillRunning => 130,
        CommandEnd::NoCommand => 0,
    })
}

/// Says an error, once, on one line, and gives the status for it.
pub(crate) fn of_error(error: &anyhow::Error, otherwise: u8) -> ExitCode {
    let closed_pipe = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
    if closed_pipe {
        // The reader has seen enough, as `head` does.
        return ExitCode::SUCCESS;
    }
    match error.downcast_ref::<io::Error>() {
        // Every other file has its name in an error of its own.
        Some(error) => speak::line(&format!("standard output: cannot be written: {error}")),
        // Each of our messages ends in its cause.
        None => speak::line(&error.to_string()),
    }
    ExitCode::from(match error.downcast_ref::<oprof_collector::Error>() {
        Some(oprof_collector::Error::NoSuchCommand(_)) => NOT_FOUND,
        Some(oprof_collector::Error::NotExecutable { .. } | oprof_collector::Error::NoInterpreter(_)) => {
            NOT_EXECUTABLE
        }
        _ => otherwise,
    })
}
