//! A directory of a test's own, with `oprof` at work in it.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::run::{Finished, finish};
use super::user::{NOBODY, User};

const OPROF: &str = env!("CARGO_BIN_EXE_oprof");

/// A directory of a test's own, in which `oprof` and its commands run; it is removed with the value.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
    user: User,
    oprof: PathBuf,
}

impl Place {
    /// A directory for oprof run as the tests are.
    pub(crate) fn new() -> Place {
        Place::of(User::Own)
    }

    /// A directory that belongs to this user, who runs oprof in it.
    pub(crate) fn of(user: User) -> Place {
        let directory = tempfile::Builder::new().prefix("oprof-test-").tempdir().expect("a directory");
        let mut oprof = PathBuf::from(OPROF);
        if user == User::Nobody {
            // The build directory may be out of reach for others.
            let within = directory.path().join("oprof");
            let linked = fs::hard_link(&oprof, &within).or_else(|_| fs::copy(&oprof, &within).map(drop));
            linked.expect("a copy of oprof");
            oprof = within;
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("the directory changes hands");
        }
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("permissions");
        Place { directory, user, oprof }
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("the file can be written");
        path
    }

    /// Writes a shell script that can be executed.
    pub(crate) fn script(&self, name: &str, content: &str) -> PathBuf {
        let path = self.write(name, format!("#!/bin/sh\n{content}\n"));
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("permissions");
        path
    }

    /// What a file holds.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The names of all files that end so.
    pub(crate) fn names_ending(&self, end: &str) -> Vec<String> {
        let entries = fs::read_dir(self.directory.path()).expect("the directory can be read");
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let names: io::Result<Vec<String>> = names.collect();
        let mut names = names.expect("the directory can be read");
        names.retain(|name| name.ends_with(end));
        names.sort();
        names
    }

    /// A command of the place's user that runs in the directory, in a process group of its own.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory.path()).process_group(0).stdin(Stdio::null());
        // Not the cache and the configuration of whoever runs the tests.
        command.env("XDG_CACHE_HOME", self.path(".cache")).env("XDG_CONFIG_HOME", self.path(".config"));
        for (name, _) in std::env::vars_os() {
            if name == "OPROF_CACHE_SIZE" || name.to_string_lossy().starts_with("DEBUGINFOD_") {
                command.env_remove(name);
            }
        }
        if self.user == User::Nobody {
            // Root's PATH may hold directories that are out of reach for others.
            command.uid(NOBODY).gid(NOBODY).env("PATH", "/usr/local/bin:/usr/bin:/bin");
        }
        command
    }

    /// `oprof`, called by another name: one of OProfile's.
    pub(crate) fn oprof_as(&self, name: &str) -> Command {
        let link = self.path(name);
        if !link.exists() {
            std::os::unix::fs::symlink(&self.oprof, &link).expect("a link");
        }
        self.command(link)
    }

    /// `oprof` with these arguments.
    pub(crate) fn oprof<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Command {
        let mut command = self.command(&self.oprof);
        command.args(arguments);
        command
    }

    /// Runs `oprof record OPTIONS -- COMMAND` to its end; options and command are split at blanks.
    #[track_caller]
    pub(crate) fn record(&self, options: &str, command: &str) -> Finished {
        self.record_these(options, &command.split_whitespace().collect::<Vec<_>>())
    }

    /// The same with the words of the command given one by one.
    #[track_caller]
    pub(crate) fn record_these<S: AsRef<OsStr>>(&self, options: &str, command: &[S]) -> Finished {
        let mut oprof = self.oprof(["record"]);
        oprof.args(options.split_whitespace()).arg("--").args(command);
        finish(&mut oprof)
    }

    /// Runs `oprof report ARGUMENTS`, split at blanks.
    #[track_caller]
    pub(crate) fn report(&self, arguments: &str) -> Finished {
        let mut oprof = self.oprof(["report"]);
        oprof.args(arguments.split_whitespace());
        finish(&mut oprof)
    }
}
